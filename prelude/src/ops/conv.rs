//! The 3×3 convolution as gather and matrix product.

use super::Matrix;
use dfdx::prelude::*;

/// The 3×3 convolution with a border of one zero pixel, `(C·H·W, B) → (O, H'·W'·B)`.
///
/// `weights`: `(O, C·9)`; `size`: `(C, H, W)`; `stride`: 1 or 2, and `H' = (H − 1) / stride + 1`.
pub fn conv3x3<D>(
    images: Matrix<D, OwnedTape<f32, D>>,
    weights: Matrix<D>,
    (channels, height, width): (usize, usize, usize),
    stride: usize,
) -> Matrix<D, OwnedTape<f32, D>>
where
    D: Device<f32> + TensorFromVec<usize> + TensorFromVec<f32>,
{
    let device = images.device().clone();
    let batch = images.shape().1;
    let zeros = device.zeros_like(&(1, batch)); // (1, B): every window place outside the image
    let bordered: Matrix<D, _> = (images, zeros).concat_along(Axis::<0>); // (C·H·W + 1, B)
    let rows = window_rows(channels, height, width, stride);
    let places = rows.len() / (channels * 9); // H'·W'
    let rows = device.tensor_from_vec(rows.clone(), (rows.len(),));
    let windows: Matrix<D, _> = bordered.gather(rows); // (C·9·H'·W', B)
    let windows = windows.reshape_like(&(channels * 9, places * batch)); // (C·9, H'·W'·B)
    weights.retaped::<OwnedTape<f32, D>>().matmul(windows) // (O, H'·W'·B)
}

/// For each channel, window place and output pixel the row of the bordered images it reads.
fn window_rows(channels: usize, height: usize, width: usize, stride: usize) -> Vec<usize> {
    let outside = channels * height * width;
    let mut rows = Vec::new();
    for channel in 0..channels {
        for tap in 0..9 {
            for y in (0..height).step_by(stride) {
                for x in (0..width).step_by(stride) {
                    // A wrapped −1 lies outside like any other place beyond the edge.
                    let (y, x) = ((y + tap / 3).wrapping_sub(1), (x + tap % 3).wrapping_sub(1));
                    let inside = y < height && x < width;
                    rows.push(if inside { (channel * height + y) * width + x } else { outside });
                }
            }
        }
    }
    rows
}
