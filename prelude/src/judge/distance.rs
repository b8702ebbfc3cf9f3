//! How far perturbed pictures lie from their originals, measured anew.

use crate::attack::Norm;
use crate::data::Images;
use crate::{Error, Result};
use rayon::prelude::*;
use std::fmt;

crate::show::shows_as_text!(Distance);

/// How far perturbed pictures lie from their originals.
#[derive(Clone, Debug, PartialEq)]
pub struct Distance {
    /// How it is measured.
    pub norm: Norm,
    /// The mean over the images.
    pub mean: f32,
    /// The largest of all images.
    pub largest: f32,
    /// The smallest and the largest value of any perturbed pixel.
    pub range: (f32, f32),
    /// How many values an image has.
    pixels: usize,
}

/// How many pixels the rounding that [`Distance::within`] forgives was worked out for.
const FEW: f32 = 3072.0;

impl Distance {
    /// Whether every image lies within `epsilon` and [0, 1], but for rounding.
    ///
    /// A pixel near 1 is known to 6e-8; 3072 of them move a length by at most 3.3e-6, and n times as
    /// many by √n times as much.
    pub fn within(&self, epsilon: f32) -> bool {
        let rounding = 4e-6 * (self.pixels as f32 / FEW).sqrt();
        let near = self.largest <= epsilon * (1.0 + 1e-5) + rounding;
        near && self.range.0 >= 0.0 && self.range.1 <= 1.0
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { norm, mean, largest, range: (low, high), .. } = self;
        let norm = norm.symbol();
        write!(
            f,
            "{norm} distance {mean:.4} on average, {largest:.4} at most; values {low:.3} to {high:.3}"
        )
    }
}

/// Measures how far `perturbed` pictures lie from `originals`, image by image.
///
/// # Errors
/// If there are none, if the two differ in number or shape, or if a value is not finite.
pub fn distance(originals: &Images, perturbed: &Images, norm: Norm) -> Result<Distance> {
    if originals.is_empty() || originals.shape() != perturbed.shape() {
        return Err(Error::invalid(
            format!("perturbed images of the originals' shape {:?}, and some", originals.shape()),
            format!("{:?}", perturbed.shape()),
            "Pass the images that the attack was given, and those that it returned.",
        ));
    }
    let measured = (0..originals.len()).into_par_iter().map(|index| {
        let mut delta = vec![0.0; originals.pixels()];
        let mut after = delta.clone();
        originals.copy_into(index, &mut delta);
        perturbed.copy_into(index, &mut after);
        let range = after.iter().fold(NOTHING, |range, after| wider(range, (*after, *after)));
        delta.iter_mut().zip(&after).for_each(|(delta, after)| *delta = after - *delta);
        (norm.size(&delta), range)
    });
    let (sizes, ranges): (Vec<f32>, Vec<(f32, f32)>) = measured.unzip();
    let range = ranges.into_iter().fold(NOTHING, wider);
    if let Some(index) = sizes.iter().position(|size| !size.is_finite()) {
        return Err(Error::invalid(
            "finite pixel values",
            format!("a change of size {} in image {index}", sizes[index]),
            "Look at how these images were made: a net with broken numbers makes such ones.",
        ));
    }
    let total: f64 = sizes.iter().copied().map(f64::from).sum();
    let largest = sizes.iter().copied().fold(0.0, f32::max);
    Ok(Distance {
        norm,
        mean: (total / sizes.len() as f64) as f32,
        largest,
        range,
        pixels: originals.pixels(),
    })
}

/// The range of no values.
const NOTHING: (f32, f32) = (f32::INFINITY, f32::NEG_INFINITY);

/// The range of the values of both.
fn wider(a: (f32, f32), b: (f32, f32)) -> (f32, f32) {
    (a.0.min(b.0), a.1.max(b.1))
}
