//! Sums over a batch, taken in shares of a fixed size and added in a fixed order.

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
pub(super) fn add_up_weights(shares: &[Vec<f32>]) -> Vec<f32> {
    let mut sums = shares[0].clone();
    for share in &shares[1..] {
        for (sum, value) in sums.iter_mut().zip(share) {
            *sum += value;
        }
    }
    sums
}
