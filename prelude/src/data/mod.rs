//! Owned, labelled images in [0, 1], and where they come from.
//!
//! [`Data::cifar10`] reads or downloads the real thing, [`Data::see_far`] makes the data set of
//! planet Erm on the spot, [`RestrictedImageNet`] decodes nine super-classes of ImageNet. Each is a
//! [`Data`]: two [`Dataset`]s, one to learn from, one to judge by.

mod augment;
mod chosen;
mod cifar10;
mod cifar10_1;
mod dataset;
mod disk;
mod fingerprint;
mod images;
mod restricted_imagenet;
mod see_far;
mod subset;

pub use augment::Augment;
pub use dataset::{Data, Dataset};
pub use images::Images;
pub use restricted_imagenet::RestrictedImageNet;
pub use see_far::SeeFar;

/// The shape of an image of CIFAR-10 and of See-Far: channels, height, width.
pub const IMAGE: [usize; 3] = [3, 32, 32];

/// How many values such an image has.
pub const PIXELS: usize = IMAGE[0] * IMAGE[1] * IMAGE[2];

/// From how many pixels a side on a picture counts as a photograph: nets then look at it coarsely first, and
/// scales have other sizes.
pub(crate) const PHOTOGRAPH: usize = 64;
