//! The batches of an epoch: the same for the same seed, whatever the number of threads.

use super::Recipe;
use crate::data::{Augment, Dataset};
use crate::{Error, Result};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

/// The order in which an epoch goes through `images` images.
pub(crate) fn order(recipe: &Recipe, epoch: usize, images: usize) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(recipe.seed);
    rng.set_stream(epoch as u64 + 1);
    let mut order: Vec<usize> = (0..images).collect();
    order.shuffle(&mut rng);
    order
}

/// The images at `indices` as the net sees them in `epoch`, `(n, pixels)`, and their labels.
///
/// # Errors
/// If the images have not three channels with pixels.
pub(crate) fn batch(
    recipe: &Recipe,
    set: &Dataset,
    epoch: usize,
    indices: &[usize],
) -> Result<(Vec<f32>, Vec<usize>)> {
    let ([_, shape @ ..], pixels) = (set.images.shape(), set.images.pixels());
    let mut pictures = vec![0.0; indices.len() * pixels];
    pictures.par_chunks_mut(pixels).zip(indices).try_for_each(|(picture, &index)| {
        set.images.copy_into(index, picture);
        let mut rng = Augment::rng(recipe.seed, epoch, index);
        recipe.augment.apply(picture, shape, &mut rng)?;
        Ok::<(), Error>(())
    })?;
    Ok((pictures, indices.iter().map(|index| set.labels[*index]).collect()))
}
