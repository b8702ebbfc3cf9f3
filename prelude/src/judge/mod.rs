//! The judge never trusts an attacker: it takes pictures, and computes what they do anew.

mod faint;

pub use faint::{FaintShare, faint_share};

use crate::Result;
use crate::attack::{Norm, Pgd};
use crate::data::{Dataset, Images};
use crate::net::Net;
use crate::{Error, show::Progress};
use ndarray::Array2;
use std::fmt;

/// How many images go through the net at once.
const BATCH: usize = 256;

/// The logits of every image, `(n, classes)`, in evaluation mode.
///
/// # Errors
/// If there are no images, or they do not fit the net.
pub fn logits(net: &Net, images: &Images) -> Result<Array2<f32>> {
    net.check(images, None)?;
    let frozen = net.freeze();
    let indices: Vec<usize> = (0..images.len()).collect();
    let mut all = Vec::new();
    for chunk in indices.chunks(BATCH) {
        let batch = images.batch(chunk);
        all.extend(frozen.logits(batch.as_slice().expect("a batch is contiguous")));
    }
    let shape = (images.len(), all.len() / images.len());
    Ok(Array2::from_shape_vec(shape, all).expect("every image has its logits"))
}

/// The class that the net sees in each image.
///
/// # Errors
/// If there are no images, or they do not fit the net.
pub fn predictions(net: &Net, images: &Images) -> Result<Vec<usize>> {
    let best = |row: ndarray::ArrayView1<f32>| {
        let greater = |a: &(usize, &f32), b: &(usize, &f32)| a.1.total_cmp(b.1);
        row.iter().enumerate().max_by(greater).map_or(0, |(class, _)| class)
    };
    Ok(logits(net, images)?.outer_iter().map(best).collect())
}

/// The share of images that the net sees as their label says, in [0, 1].
///
/// # Errors
/// If the set is empty or inconsistent, or does not fit the net.
pub fn accuracy(net: &Net, set: &Dataset) -> Result<f64> {
    set.check()?;
    share(&predictions(net, &set.images)?, &set.labels)
}

/// The share of images that the net sees as `targets`, in [0, 1]: the success of a targeted attack.
///
/// # Errors
/// If there are no images, or images, targets and net do not fit together.
pub fn success(net: &Net, images: &Images, targets: &[usize]) -> Result<f64> {
    net.check(images, Some(targets))?;
    share(&predictions(net, images)?, targets)
}

fn share(predictions: &[usize], classes: &[usize]) -> Result<f64> {
    let right = predictions.iter().zip(classes).filter(|(p, c)| p == c).count();
    Ok(right as f64 / predictions.len() as f64)
}

/// The accuracy on a set under an attack, in [0, 1]: the attack's numbers belong beside it.
///
/// # Errors
/// If the set is empty or inconsistent or does not fit the net, if the attack's numbers are out of
/// range, or if a picture that it returns lies outside its ball.
pub fn robust_accuracy(net: &Net, set: &Dataset, attack: &Pgd) -> Result<f64> {
    set.check()?;
    let adversarial = attack.perturb(net, &set.images, &set.labels)?;
    let bound = distance(&set.images, &adversarial, attack.norm())?;
    if !bound.within(attack.epsilon()) {
        return Err(Error::invalid(
            format!("perturbations of at most {} within [0, 1]", attack.epsilon()),
            bound.to_string(),
            "This is a fault of the attack: please report it.",
        ));
    }
    share(&predictions(net, &adversarial)?, &set.labels)
}

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
}

impl Distance {
    /// Whether every image lies within `epsilon` and [0, 1], but for rounding.
    ///
    /// A pixel near 1 is known to 6e-8; 3072 of them move a length by at most 3.3e-6.
    pub fn within(&self, epsilon: f32) -> bool {
        self.largest <= epsilon * (1.0 + 1e-5) + 4e-6 && self.range.0 >= 0.0 && self.range.1 <= 1.0
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { norm, mean, largest, range: (low, high) } = self;
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
/// If there are none, or not as many of one as of the other.
pub fn distance(originals: &Images, perturbed: &Images, norm: Norm) -> Result<Distance> {
    if originals.is_empty() || originals.shape() != perturbed.shape() {
        return Err(Error::invalid(
            format!("perturbed images of the originals' shape {:?}, and some", originals.shape()),
            format!("{:?}", perturbed.shape()),
            "Pass the images that the attack was given, and those that it returned.",
        ));
    }
    let progress = Progress::start("measuring distances", "images", originals.len());
    let mut before = vec![0.0; originals.pixels()];
    let mut after = before.clone();
    let (mut total, mut largest, mut range) =
        (0.0_f64, 0.0_f32, (f32::INFINITY, f32::NEG_INFINITY));
    for index in 0..originals.len() {
        originals.copy_into(index, &mut before);
        perturbed.copy_into(index, &mut after);
        for (before, after) in before.iter_mut().zip(&after) {
            *before = after - *before;
            range = (range.0.min(*after), range.1.max(*after));
        }
        let size = norm.size(&before);
        total += f64::from(size);
        largest = largest.max(size);
        progress.advance(1);
    }
    Ok(Distance { norm, mean: (total / originals.len() as f64) as f32, largest, range })
}
