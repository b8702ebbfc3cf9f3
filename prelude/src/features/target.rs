//! Which class each image is moved toward.

use crate::data::Dataset;
use crate::{Error, Result};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// `(y + 1) mod C` for every label `y`.
///
/// # Errors
/// If the set is empty or inconsistent.
pub fn d_det_targets(set: &Dataset) -> Result<Vec<usize>> {
    set.check()?;
    Ok(set.labels.iter().map(|label| (label + 1) % set.classes.len()).collect())
}

/// A class drawn evenly among all, an image's own included.
///
/// # Errors
/// If the set is empty or inconsistent.
pub fn d_rand_targets(set: &Dataset, seed: u64) -> Result<Vec<usize>> {
    set.check()?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Ok(set.labels.iter().map(|_| rng.gen_range(0..set.classes.len())).collect())
}

/// A class drawn evenly among the wrong ones.
///
/// # Errors
/// If the set is empty or inconsistent, or has only one class.
pub fn d_other_targets(set: &Dataset, seed: u64) -> Result<Vec<usize>> {
    set.check()?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let classes = set.classes.len();
    if classes < 2 {
        let remedy = "Take a set with two classes or more.";
        return Err(Error::invalid("a wrong class to draw", "one class in all", remedy));
    }
    Ok(set.labels.iter().map(|label| (label + rng.gen_range(1..classes)) % classes).collect())
}
