//! The judge never trusts an attacker: it takes pictures, and computes what they do anew.

mod correlation;
mod distance;
mod faint;
mod representation;

pub use correlation::Correlation;
pub use distance::{Distance, distance};
pub use faint::{FaintShare, faint_share};
pub use representation::{representation_distance, representations};

use crate::attack::{Attack, Ready};
use crate::data::{Dataset, Images};
use crate::net::Net;
use crate::show::Progress;
use crate::{Error, Result};
use ndarray::Array2;

/// How many images go through the net at once.
const BATCH: usize = 256;

/// The logits of every image, `(n, classes)`, in evaluation mode.
///
/// # Errors
/// If there are no images, if they do not fit the net, or if the user interrupts it.
pub fn logits(net: &Net, images: &Images) -> Result<Array2<f32>> {
    rows(net, images, net.architecture.classes, |net, pictures| net.logits(pictures))
}

/// The class that the net sees in each image: that of the highest logit, the first of equal ones.
///
/// # Errors
/// As for [`logits`], and if the net gives logits that are not finite.
pub fn predictions(net: &Net, images: &Images) -> Result<Vec<usize>> {
    let logits = logits(net, images)?;
    if let Some(logit) = logits.iter().find(|logit| !logit.is_finite()) {
        return Err(Error::invalid(
            "finite logits",
            logit.to_string(),
            "The net holds broken numbers: train it anew, or load whole weights.",
        ));
    }
    Ok(logits.outer_iter().map(|row| highest(row.iter().copied())).collect())
}

/// The place of the highest value, the first of equal ones.
pub(crate) fn highest(values: impl IntoIterator<Item = f32>) -> usize {
    let (mut place, mut most) = (0, f32::NEG_INFINITY);
    for (index, value) in values.into_iter().enumerate() {
        if value > most {
            (place, most) = (index, value);
        }
    }
    place
}

/// The share of images that the net sees as their label says, in [0, 1].
///
/// # Errors
/// If the set is empty or inconsistent, if it does not fit the net, or if the user interrupts it.
pub fn accuracy(net: &Net, set: &Dataset) -> Result<f64> {
    set.check()?;
    Ok(share(&predictions(net, &set.images)?, &set.labels))
}

/// The places of the images that the net sees as their label says, in order: those that an attack can
/// still make it see wrongly.
///
/// # Errors
/// As for [`accuracy`].
pub fn right(net: &Net, set: &Dataset) -> Result<Vec<usize>> {
    set.check()?;
    let seen = predictions(net, &set.images)?;
    Ok((0..set.len()).filter(|&index| seen[index] == set.labels[index]).collect())
}

/// The share of images that the net sees as `targets`, in [0, 1]: the success of a targeted attack.
///
/// # Errors
/// If there are no images, if images, targets and net do not fit together, or if the user interrupts
/// it.
pub fn success(net: &Net, images: &Images, targets: &[usize]) -> Result<f64> {
    net.check(images, Some(targets))?;
    Ok(share(&predictions(net, images)?, targets))
}

/// The accuracy on a set under an attack, in [0, 1]: the attack's numbers belong beside it.
///
/// Only a strong attack, at least [`Apgd`](crate::attack::Apgd) with its five restarts, gives a figure
/// that may be called robust accuracy without more words: a weaker one gives an upper bound.
///
/// # Errors
/// If the set is empty or inconsistent or does not fit the net, if the attack's numbers are out of
/// range, if a picture that it returns lies outside its ball, or if the user interrupts it.
pub fn robust_accuracy(net: &Net, set: &Dataset, attack: &(impl Attack + ?Sized)) -> Result<f64> {
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
    Ok(share(&predictions(net, &adversarial)?, &set.labels))
}

/// A row of numbers that the net gives of each image.
fn rows(
    net: &Net,
    images: &Images,
    width: usize,
    numbers: impl Fn(&dyn Ready, &[f32]) -> Result<Vec<f32>>,
) -> Result<Array2<f32>> {
    net.check(images, None)?;
    let ready = net.ready()?;
    let indices: Vec<usize> = (0..images.len()).collect();
    let progress = Progress::start_quietly("judging pictures", "images", images.len());
    let mut all = Vec::new();
    for chunk in indices.chunks(BATCH) {
        progress.check_interrupt()?;
        let batch = images.batch(chunk);
        all.extend(numbers(&*ready, batch.as_slice().expect("a batch is contiguous"))?);
        progress.advance(chunk.len());
    }
    Ok(Array2::from_shape_vec((images.len(), width), all).expect("every image has its row"))
}

fn share(predictions: &[usize], classes: &[usize]) -> f64 {
    let right = predictions.iter().zip(classes).filter(|(p, c)| p == c).count();
    right as f64 / predictions.len() as f64
}

#[cfg(test)]
mod tests;
