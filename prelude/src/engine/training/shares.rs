//! Sums over a batch, taken in shares of a fixed size and added in a fixed order.

/// How many images' sums are added up, at most, before they are added to those of the others.
pub(super) const MOST_A_SHARE: usize = 8;
/// How many shares there are at least, where there are as many images: work for so many threads.
const FEWEST_SHARES: usize = 4;

/// How many images a share has. It depends on the batch alone, so that the number of threads changes
/// no bit.
pub(super) fn images_a_share(images: usize) -> usize {
    images.div_ceil(FEWEST_SHARES).clamp(1, MOST_A_SHARE)
}

/// The sum of all shares, in their order.
pub(super) fn add_up(shares: &[Vec<f32>]) -> Vec<f64> {
    let mut sums = vec![0.0; shares[0].len()];
    for share in shares {
        for (sum, value) in sums.iter_mut().zip(share) {
            *sum += f64::from(*value);
        }
    }
    sums
}

/// The same in single precision, as a convolution's weights want it.
pub(super) fn add_up_weights(shares: &[&[f32]]) -> Vec<f32> {
    let mut sums = shares[0].to_vec();
    for share in &shares[1..] {
        for (sum, value) in sums.iter_mut().zip(*share) {
            *sum += value;
        }
    }
    sums
}
