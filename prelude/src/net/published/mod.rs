//! The five architectures of the paper's section 3.3, for small images.
//!
//! Each is as it was published and as torchvision has it, with the changes that the authors' library makes for
//! images of 32×32 pixels: the first convolution sees 3×3 pixels, moves by one and keeps the size, and no
//! pool follows. ResNets alone also have the published first layers, which they get for photographs, images of
//! 64 pixels a side and more. A width of 64 is the published size; every number of channels is a share of
//! it. The names are torchvision's, so that [`super::Net::load`] reads what it saved.

mod densenet;
mod inception;
mod resnet;
mod vgg;

#[cfg(test)]
mod tests;

use super::{Architecture, Layer};
use crate::engine::Window;
use crate::{Error, Result};

impl Architecture {
    /// The names that [`Architecture::named`] knows.
    pub const NAMES: [&str; 6] =
        ["resnet", "resnet18", "resnet50", "vgg16", "densenet121", "inception_v3"];

    /// An architecture by the name of the function that makes it, such as `vgg16`.
    ///
    /// # Errors
    /// If there is none of that name, or as that function says.
    pub fn named(
        name: &str,
        width: usize,
        image: [usize; 3],
        classes: usize,
    ) -> Result<Architecture> {
        match name {
            "resnet" => Self::resnet(width, image, classes),
            "resnet18" => Self::resnet18(width, image, classes),
            "resnet50" => Self::resnet50(width, image, classes),
            "vgg16" => Self::vgg16(width, image, classes),
            "densenet121" => Self::densenet121(width, image, classes),
            "inception_v3" => Self::inception_v3(width, image, classes),
            other => Err(Error::invalid(
                format!("one of {}", Self::NAMES.join(", ")),
                other,
                "Choose the name of an architecture, or put one together from layers.",
            )),
        }
    }
}

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
