//! Pooling.

use super::Matrix;
use dfdx::prelude::*;

/// The mean over an image's pixels, `(C, P·B) → (C, B)`.
pub fn mean_over_pixels<D: Device<f32>>(
    x: Matrix<D, OwnedTape<f32, D>>,
    batch: usize,
) -> Matrix<D, OwnedTape<f32, D>> {
    let (channels, columns) = *x.shape();
    let pixels = columns / batch;
    let cube = x.reshape_like(&(channels, pixels, batch)); // (C, P, B)
    cube.mean::<(usize, usize), Axis<1>>() // (C, B)
}
