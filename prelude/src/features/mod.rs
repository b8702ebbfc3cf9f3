//! The paper's dataset builders: a data set in, a data set out whose labels look wrong.
//!
//! Each image is moved a little toward a *target* class, by an attack on a teacher, and relabelled
//! with the target. To a person every label is wrong; what a student can learn from such a set, it
//! learns from features that the attack wrote and no person sees. Paper: section 3.2, Fig. 6.

mod control;
mod store;
mod target;

pub use control::{class_noise, without};
pub use target::{d_det_targets, d_other_targets, d_rand_targets};

use crate::attack::{Goal, Pgd};
use crate::data::{Dataset, Images};
use crate::net::Net;
use crate::show::Progress;
use crate::{Error, Result};
use ndarray::{ArrayView4, Axis, concatenate};
use std::time::Instant;
use store::Store;

/// How many images a shard holds: what an interruption can lose at most.
const SHARD: usize = 1000;

/// How many images go through the net at once.
const BATCH: usize = 125;

/// `D_det`: every image moved toward the class after its own, `(y + 1) mod C`, and so labelled.
///
/// The set is built shard by shard and kept in the cache folder with the recipe that made it: a
/// call that was broken off goes on where it stopped, and one that was finished returns at once.
/// Paper: section 3.2 and Table 6.
///
/// # Errors
/// If set, net and attack do not fit together, or the cache folder cannot be written.
pub fn d_det(net: &Net, set: &Dataset, attack: &Pgd) -> Result<Dataset> {
    build("D_det", net, set, attack, d_det_targets(set)?)
}

/// `D_rand`: every image moved toward a class drawn among *all* classes, its own included.
///
/// One image in ten keeps its label almost untouched, which leaks: [`d_other`] is the control. Kept
/// and resumed like [`d_det`]. Paper: section 3.2 and Table 6.
///
/// # Errors
/// As for [`d_det`].
pub fn d_rand(net: &Net, set: &Dataset, attack: &Pgd, seed: u64) -> Result<Dataset> {
    build("D_rand", net, set, attack, d_rand_targets(set, seed)?)
}

/// `D_other`: every image moved toward a class drawn among the *wrong* ones.
///
/// Not in the paper: a control for the true labels that D_rand leaves in. Kept and resumed like [`d_det`].
///
/// # Errors
/// As for [`d_det`].
pub fn d_other(net: &Net, set: &Dataset, attack: &Pgd, seed: u64) -> Result<Dataset> {
    build("D_other", net, set, attack, d_other_targets(set, seed)?)
}

/// Moves every image of `set` toward its target and labels it so, as a set called `name`.
///
/// # Errors
/// As for [`d_det`].
pub fn build(
    name: &str,
    net: &Net,
    set: &Dataset,
    attack: &Pgd,
    targets: Vec<usize>,
) -> Result<Dataset> {
    set.check()?;
    attack.check()?;
    net.check(&set.images, Some(&targets))?;
    let store = Store::open(name, net, set, attack, &targets)?;
    let progress = Progress::start(&format!("building {name}"), "images", set.len());
    let indices: Vec<usize> = (0..set.len()).collect();
    let shards = indices.chunks(SHARD).enumerate();
    let shards: Vec<Images> = shards
        .map(|(number, indices)| match store.load(number, indices.len())? {
            Some(images) => {
                progress.advance(indices.len());
                Ok(images)
            }
            None => {
                let start = Instant::now();
                let images = shard(net, set, attack, &targets, indices, &progress);
                store.save(number, &images, start.elapsed().as_secs_f64())?;
                Ok(images)
            }
        })
        .collect::<Result<_>>()?;
    let images = joined(&shards)?;
    let built = set.relabelled(targets, name)?;
    let built = Dataset { images, ..built };
    store.finish()?;
    Ok(built)
}

/// How many seconds the building of a set took, over all the calls it needed, if it was ever begun.
///
/// # Errors
/// If set, net and targets do not fit together, or the cache folder cannot be read.
pub fn seconds(built: &Dataset, net: &Net, set: &Dataset, attack: &Pgd) -> Result<f64> {
    Store::open(&built.name, net, set, attack, &built.labels)?.seconds()
}

fn shard(
    net: &Net,
    set: &Dataset,
    attack: &Pgd,
    targets: &[usize],
    indices: &[usize],
    progress: &Progress,
) -> Images {
    let frozen = net.freeze();
    let [_, channels, height, width] = set.images.shape();
    let mut pixels = Vec::with_capacity(indices.len() * set.images.pixels());
    for batch in indices.chunks(BATCH) {
        let pictures = set.images.batch(batch);
        let pictures = pictures.as_slice().expect("a batch is contiguous");
        let targets: Vec<usize> = batch.iter().map(|index| targets[*index]).collect();
        pixels.extend(attack.batch(&frozen, pictures, &targets, Goal::Toward, batch[0] as u64));
        progress.advance(batch.len());
    }
    let shape = (indices.len(), channels, height, width);
    let array = ndarray::Array4::from_shape_vec(shape, pixels);
    Images::Floats(array.expect("every image of the shard was perturbed once"))
}

fn joined(shards: &[Images]) -> Result<Images> {
    let views: Vec<ArrayView4<f32>> = shards
        .iter()
        .filter_map(|images| match images {
            Images::Floats(floats) => Some(floats.view()),
            Images::Bytes(_) => None,
        })
        .collect();
    concatenate(Axis(0), &views).map(Images::Floats).map_err(|e| {
        Error::invalid("shards of one shape", e.to_string(), "Delete the set in the cache folder.")
    })
}
