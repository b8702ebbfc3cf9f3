//! Random crops, mirror images and other colours, so that a net sees no training picture twice.

mod colour;
mod resized_crop;
mod rotate;
mod shift;
#[cfg(test)]
mod tests;

use std::fmt;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result};

crate::show::shows_as_text!(Augment);

/// What happens to a training picture before the net sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Augment(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nothing,
    Flip,
    CropAndFlip,
    Published,
    ResizedCrop,
}

/// How much [`Augment::published`] changes brightness, contrast and saturation, and turns, in degrees.
const PUBLISHED: (f32, f64) = (0.25, 2.0);

/// How much [`Augment::resized_crop`] changes brightness, contrast and saturation.
const RESIZED_CROP: f32 = 0.1;

impl Augment {
    /// Pictures stay as they are.
    pub fn none() -> Self {
        Self(Kind::Nothing)
    }

    /// Mirrors every second picture left to right. Unlike a crop it moves no pixel off its
    /// neighbours, so what an attack wrote stays whole.
    pub fn flip() -> Self {
        Self(Kind::Flip)
    }

    /// Pads with 4 black pixels on each side, crops the picture's own size at a random place, and mirrors
    /// every second picture left to right.
    pub fn crop_and_flip() -> Self {
        Self(Kind::CropAndFlip)
    }

    /// What the authors' library does to CIFAR-10: [`Augment::crop_and_flip`], brightness, contrast and
    /// saturation times 0.75 to 1.25 in a random order, and a turn by up to 2 degrees. The library changes
    /// bytes, which round, and this changes floats.
    pub fn published() -> Self {
        Self(Kind::Published)
    }

    /// What the authors' library does to ImageNet: a random part of 8 % to all of the area, 3/4 to 4/3
    /// times as wide as high, in the picture's own size; a flip; brightness, contrast and saturation times
    /// 0.9 to 1.1; and a little light of a colour along which ImageNet's pixels vary.
    pub fn resized_crop() -> Self {
        Self(Kind::ResizedCrop)
    }

    /// The same augmentation less all that harms a perturbation, for students of perturbed pictures:
    /// mirror images are left. What is cut off at a new border, turned, resized or of other colours is no
    /// longer what the attack wrote.
    pub fn without_crop(self) -> Self {
        match self.0 {
            Kind::Nothing => self,
            Kind::Flip | Kind::CropAndFlip | Kind::Published | Kind::ResizedCrop => Self::flip(),
        }
    }

    /// Changes one image in place; `shape`: its channels, height and width, whose values `image` holds
    /// in that order.
    ///
    /// # Errors
    /// If it has not three channels with pixels, or `image` does not hold as many values.
    pub fn apply(&self, image: &mut [f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Result<()> {
        let [channels, height, width] = shape;
        let size = [height, width];
        if channels != 3 || image.is_empty() || image.len() != channels * height * width {
            return Err(Error::invalid(
                "an image of 3×height×width values",
                format!("{} values for {channels}×{height}×{width}", image.len()),
                "Pass one image at a time, with its own shape",
            ));
        }
        match self.0 {
            Kind::Nothing => {}
            Kind::Flip => shift::flip_every_second(image, width, rng),
            Kind::CropAndFlip => shift::crop_and_flip(image, size, rng),
            Kind::Published => {
                shift::crop_and_flip(image, size, rng);
                colour::jitter(image, PUBLISHED.0, rng);
                rotate::randomly(image, size, PUBLISHED.1, rng);
            }
            Kind::ResizedCrop => {
                resized_crop::randomly(image, size, rng);
                shift::flip_every_second(image, width, rng);
                colour::jitter(image, RESIZED_CROP, rng);
                colour::light(image, rng);
            }
        }
        Ok(())
    }

    /// The random numbers for one image in one epoch. They depend on nothing else, so neither
    /// batches nor threads change what an image becomes.
    pub fn rng(seed: u64, epoch: usize, index: usize) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(((epoch as u64) << 32) + index as u64);
        rng
    }
}

/// `crop and flip`, `flip` or `no augmentation`; the others with their numbers.
impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colours = "brightness, contrast and saturation";
        match self.0 {
            Kind::Nothing => write!(f, "no augmentation"),
            Kind::Flip => write!(f, "flip"),
            Kind::CropAndFlip => write!(f, "crop and flip"),
            Kind::Published => {
                let (strength, degrees) = PUBLISHED;
                write!(f, "crop and flip, {colours} ±{strength}, turn ±{degrees}°")
            }
            Kind::ResizedCrop => {
                let light = colour::LIGHTING;
                write!(f, "resized crop and flip, {colours} ±{RESIZED_CROP}, light {light}")
            }
        }
    }
}
