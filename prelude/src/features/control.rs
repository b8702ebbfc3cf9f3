//! Controls: how much of a result needs no features of the teacher at all?

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
    if drop.len() != set.len() {
        return Err(Error::invalid(
            format!("one answer for each of {} images", set.len()),
            format!("{}", drop.len()),
            "Say for every image whether it is dropped.",
        ));
    }
    let kept: Vec<usize> = (0..set.len()).filter(|index| !drop[*index]).collect();
    let mut rest = set.select(&kept)?;
    rest.name = format!("{} without {}", set.name, set.len() - kept.len());
    rest.check()?;
    Ok(rest)
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
    if spared.len() != set.len() || !(epsilon >= 0.0 && epsilon.is_finite()) {
        return Err(Error::invalid(
            format!("one answer for each of {} images, and an epsilon of 0 or more", set.len()),
            format!("{} answers, epsilon {epsilon}", spared.len()),
            "Say for every image whether it is spared.",
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

fn patterns(classes: usize, pixels: usize, epsilon: f32, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..classes)
        .map(|_| {
            let noise: Vec<f32> = (0..pixels).map(|_| rng.sample(StandardNormal)).collect();
            let size = crate::attack::Norm::L2.size(&noise);
            noise.into_iter().map(|value| value * epsilon / size).collect()
        })
        .collect()
}
