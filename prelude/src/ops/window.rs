//! Sums and maxima over windows as gather and matrix product.

use super::Matrix;
use crate::engine::Window;
use dfdx::prelude::*;

/// Channels, height and width of images `(C·H·W, B)`.
pub type Size = (usize, usize, usize);

/// The convolution `(C·H·W, B) → (O, H'·W'·B)` with zeros around the image. `weights`: `(O, C·kernel)`.
pub fn conv<D>(
    images: Matrix<D, OwnedTape<f32, D>>,
    weights: Matrix<D, OwnedTape<f32, D>>,
    size: Size,
    window: Window,
) -> Matrix<D, OwnedTape<f32, D>>
where
    D: Device<f32>,
{
    let batch = images.shape().1;
    let (windows, places) = windows(images, size, window, 0.0);
    let rows = size.0 * window.kernel[0] * window.kernel[1];
    let windows = windows.reshape_like(&(rows, places * batch)); // (C·kernel, H'·W'·B)
    weights.matmul(windows) // (O, H'·W'·B)
}

/// The largest number of each window, `(C·H·W, B) → (C, H'·W'·B)`; what lies outside counts for nothing.
pub fn max_pool<D>(
    images: Matrix<D, OwnedTape<f32, D>>,
    size: Size,
    window: Window,
) -> Matrix<D, OwnedTape<f32, D>>
where
    D: Device<f32>,
{
    cube(images, size, window, f32::NEG_INFINITY).max::<(usize, usize), Axis<1>>()
}

/// The mean of each window with zeros around the image, `(C·H·W, B) → (C, H'·W'·B)`.
pub fn mean_pool<D>(
    images: Matrix<D, OwnedTape<f32, D>>,
    size: Size,
    window: Window,
) -> Matrix<D, OwnedTape<f32, D>>
where
    D: Device<f32>,
{
    cube(images, size, window, 0.0).mean::<(usize, usize), Axis<1>>()
}

/// The numbers of every window along the second axis, `(C, kernel, H'·W'·B)`.
fn cube<D>(
    images: Matrix<D, OwnedTape<f32, D>>,
    size: Size,
    window: Window,
    outside: f32,
) -> Tensor<(usize, usize, usize), f32, D, OwnedTape<f32, D>>
where
    D: Device<f32>,
{
    let batch = images.shape().1;
    let (windows, places) = windows(images, size, window, outside);
    windows.reshape_like(&(size.0, window.kernel[0] * window.kernel[1], places * batch))
}

/// Every window of every image, `(C·kernel·H'·W', B)`, and `H'·W'`; `outside` stands around the image.
fn windows<D>(
    images: Matrix<D, OwnedTape<f32, D>>,
    size: Size,
    window: Window,
    outside: f32,
) -> (Matrix<D, OwnedTape<f32, D>>, usize)
where
    D: Device<f32>,
{
    let device = images.device().clone();
    let batch = images.shape().1;
    let around = device.tensor_from_vec(vec![outside; batch], (1, batch)); // (1, B)
    let bordered: Matrix<D, _> = (images, around).concat_along(Axis::<0>); // (C·H·W + 1, B)
    let (rows, places) = window_rows(size, window);
    let rows = device.tensor_from_vec(rows.clone(), (rows.len(),));
    (bordered.gather(rows), places)
}

/// For each channel, window place and output pixel the row of the bordered images it reads, and how many
/// output pixels there are.
fn window_rows((channels, height, width): Size, window: Window) -> (Vec<usize>, usize) {
    let outside = channels * height * width;
    let Window { kernel, stride, padding } = window;
    let [rows, columns] = window.output([height, width]).unwrap_or_default();
    let mut read = Vec::new();
    for channel in 0..channels {
        for tap in 0..kernel[0] * kernel[1] {
            for y in 0..rows {
                for x in 0..columns {
                    // A wrapped number lies outside like any other place beyond the edge.
                    let y = (y * stride + tap / kernel[1]).wrapping_sub(padding[0]);
                    let x = (x * stride + tap % kernel[1]).wrapping_sub(padding[1]);
                    let inside = y < height && x < width;
                    read.push(if inside { (channel * height + y) * width + x } else { outside });
                }
            }
        }
    }
    (read, rows * columns)
}
