//! Controls: how much of a result needs no features of the teacher at all?

use crate::attack::Norm;
use crate::data::{Dataset, Images};
use crate::{Error, Result};
use ndarray::Array4;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::StandardNormal;

/// The set without the images for which `drop` is true.
///
/// # Errors
/// If `drop` does not have one answer an image, or nothing is left.
pub fn without(set: &Dataset, drop: &[bool]) -> Result<Dataset> {
    check_answers(set, drop, "Say for every image whether it is dropped.")?;
    let kept: Vec<usize> = (0..set.len()).filter(|index| !drop[*index]).collect();
    let rest = set.select(&kept)?;
    Ok(Dataset { name: format!("{} without {}", set.name, set.len() - kept.len()), ..rest })
}

/// The leakage-only control: no feature of any net, only one fixed noise pattern a class.
///
/// Every image is labelled with its target and given that class's pattern, of ℓ2 norm `epsilon` in
/// pixel units, except where `spared` is true: there an attack would have had nothing to do, so the
/// picture stays as it was. A student that is right about the true test set after this has learned that
/// a picture without a pattern is what its label says.
///
/// # Errors
/// If targets or spared do not have one entry an image, a target is no class, or epsilon is negative.
pub fn class_noise(
    set: &Dataset,
    targets: &[usize],
    spared: &[bool],
    epsilon: f32,
    seed: u64,
) -> Result<Dataset> {
    check_answers(set, spared, "Say for every image whether it is spared.")?;
    if !(epsilon >= 0.0 && epsilon.is_finite()) {
        return Err(Error::invalid(
            "an epsilon of 0 or more",
            epsilon.to_string(),
            "Give the norm of a pattern in pixel units of [0, 1], such as 0.5.",
        ));
    }
    let labelled = set.relabelled(targets.to_vec(), format!("{}, class noise only", set.name))?;
    let pixels = set.images.pixels();
    let patterns = patterns(set.classes.len(), pixels, epsilon, seed);
    let mut values = vec![0.0; set.len() * pixels];
    for (index, image) in values.chunks_mut(pixels).enumerate() {
        set.images.copy_into(index, image);
        if !spared[index] {
            for (value, noise) in image.iter_mut().zip(&patterns[targets[index]]) {
                *value = (*value + noise).clamp(0.0, 1.0);
            }
        }
    }
    let [n, channels, height, width] = set.images.shape();
    let array = Array4::from_shape_vec((n, channels, height, width), values);
    Ok(Dataset { images: Images::Floats(array.expect("the length is the shape's")), ..labelled })
}

fn check_answers(set: &Dataset, answers: &[bool], remedy: &str) -> Result<()> {
    if answers.len() == set.len() {
        return Ok(());
    }
    let expected = format!("one answer for each of {} images", set.len());
    Err(Error::invalid(expected, format!("{} answers", answers.len()), remedy))
}

/// One noise pattern of ℓ2 norm `epsilon` a class.
fn patterns(classes: usize, pixels: usize, epsilon: f32, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..classes)
        .map(|_| {
            let noise: Vec<f32> = (0..pixels).map(|_| rng.sample(StandardNormal)).collect();
            let size = Norm::L2.size(&noise);
            noise.into_iter().map(|value| value * epsilon / size).collect()
        })
        .collect()
}
