//! Sums over a batch, taken in shares of a fixed size and added in a fixed order.

use crate::engine::pool::Pool;

/// A buffer of zeros, from the shelf where one waits there.
pub(super) fn zeroed(pool: &Pool<Vec<f32>>, len: usize) -> Vec<f32> {
    let mut buffer = pool.take(Vec::new);
    buffer.clear();
    buffer.resize(len, 0.0);
    buffer
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
pub(super) fn add_up_weights(shares: &[Vec<f32>]) -> Vec<f32> {
    let mut sums = shares[0].clone();
    for share in &shares[1..] {
        for (sum, value) in sums.iter_mut().zip(share) {
            *sum += value;
        }
    }
    sums
}
