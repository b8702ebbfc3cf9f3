//! The paper's dataset builders: a data set in, a data set out whose labels look wrong.
//!
//! Each image is moved a little toward a *target* class, by an attack on a teacher, and relabelled
//! with the target. To a person every label is wrong; what a student can learn from such a set, it
//! learns from features that the attack wrote and no person sees. Paper: section 3.2, Fig. 6.

mod build;
mod control;
mod inversion;
mod store;
mod target;

pub use control::{class_noise, without};
pub use inversion::Inversion;
pub use target::{d_det_targets, d_other_targets, d_rand_targets};

use crate::attack::Pgd;
use crate::data::Dataset;
use crate::net::Net;
use crate::{Result, cache};
use build::{Aimed, Work};
use std::path::PathBuf;

/// `D_det`: every image moved toward the class after its own, `(y + 1) mod C`, and so labelled.
///
/// The set is built shard by shard and kept in the cache folder with the recipe that made it: a
/// call that was broken off goes on where it stopped, and one that was finished returns at once.
/// Paper: section 3.2 and Table 6.
///
/// # Errors
/// If set, net and attack do not fit together, if the cache folder cannot be written, or if the user
/// interrupts it.
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

/// Adversarial examples of a net, with the labels of the pictures that they were: every image moved *away*
/// from its class.
///
/// What other nets see in them is how well the attack transfers. Kept and resumed like [`d_det`], which is
/// the same with a target. Paper: section 3.3.
///
/// # Errors
/// As for [`d_det`].
pub fn adversarial(net: &Net, set: &Dataset, attack: &Pgd) -> Result<Dataset> {
    let work = Work { net, set, maker: &Aimed::away(attack), labels: &set.labels };
    work.build("adversarial", &sets()?)
}

/// `D_R` of a robust net: for every image another one with the same representation, and the same label.
///
/// It starts from something that has nothing to do with the image, so that the only features of the
/// image in it are those that the net reads. Kept and resumed like [`d_det`]. Paper: section 3.1, Fig. 5
/// and Table 5.
///
/// # Errors
/// As for [`d_det`].
pub fn d_r(robust: &Net, set: &Dataset, inversion: &Inversion) -> Result<Dataset> {
    let work = Work { net: robust, set, maker: inversion, labels: &set.labels };
    work.build("D_R", &sets()?)
}

/// `D_NR`: the same with a standard net, the control. Paper: section 3.1.
///
/// # Errors
/// As for [`d_det`].
pub fn d_nr(standard: &Net, set: &Dataset, inversion: &Inversion) -> Result<Dataset> {
    let work = Work { net: standard, set, maker: inversion, labels: &set.labels };
    work.build("D_NR", &sets()?)
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
    Work { net, set, maker: &Aimed::toward(attack), labels: &targets }.build(name, &sets()?)
}

/// The folder of all built sets.
fn sets() -> Result<PathBuf> {
    Ok(cache::folder()?.join("sets"))
}

#[cfg(test)]
mod tests;
