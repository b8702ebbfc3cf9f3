//! The five architectures of the paper's section 3.3, for small images.
//!
//! Each is as it was published and as torchvision has it, with the changes that the authors' library makes for
//! images of 32×32 pixels: the first convolution sees 3×3 pixels, moves by one and keeps the size, and no
//! pool follows. A width of 64 is the published size; every number of channels is a share of it. The names are
//! torchvision's, so that [`super::Net::load`] reads what it saved.

mod densenet;
mod inception;
mod resnet;
mod vgg;

#[cfg(test)]
mod tests;

use super::Layer;
use crate::engine::Window;

/// The width of the published nets.
const PUBLISHED: usize = 64;

/// So many of `channels` as `width` is of the published width, at least one.
fn share(channels: usize, width: usize) -> usize {
    (channels * width / PUBLISHED).max(usize::from(width > 0))
}

/// A square window in the middle of zeros: with stride 1 the image keeps its size.
fn window(size: usize, stride: usize) -> Window {
    Window::square(size, stride).padded()
}

/// A convolution with a batch norm of its own, without a ReLU.
fn normed(conv: &str, norm: &str, outputs: usize, window: Window) -> [Layer; 2] {
    [Layer::conv(conv, outputs, window), Layer::norm(norm)]
}
