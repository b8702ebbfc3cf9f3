//! How much of a perturbation lies in the faint features that See-Far's maker knows.

use crate::chart::Chart;
use crate::data::{IMAGE, Images, PIXELS, SeeFar};
use crate::show::{Forms, Show, shows};
use crate::{Error, Result};
use std::fmt;

shows!(FaintShare);

/// What perturbations did to the faint patterns, averaged over images.
///
/// A coefficient of +1 means that a perturbation contains the whole pattern as See-Far adds it, −1
/// that it takes the whole pattern away.
#[derive(Clone, Debug, PartialEq)]
pub struct FaintShare {
    /// The coefficient along the pattern of the class that the image had.
    pub source: f64,
    /// The coefficient along the pattern of the class that the attack aimed at.
    pub target: f64,
    /// The mean coefficient along the patterns of all other classes.
    pub others: f64,
    /// The share of the perturbations' squared length along source and target, in [0, 1].
    pub energy: f64,
    /// What that share would be for a random direction: two of all dimensions.
    pub chance: f64,
}

/// Projects perturbations on the faint patterns of `world`: `sources` had, `targets` aimed at.
///
/// # Errors
/// If there are no images, or shapes and counts do not fit together, or a class is unknown.
pub fn faint_share(
    world: &SeeFar,
    originals: &Images,
    perturbed: &Images,
    sources: &[usize],
    targets: &[usize],
) -> Result<FaintShare> {
    let n = originals.len();
    let counts = [perturbed.len(), sources.len(), targets.len()];
    if n == 0 || counts != [n; 3] || originals.shape() != perturbed.shape() {
        return Err(Error::invalid(
            format!("as many perturbed images, sources and targets as originals ({n}), and some"),
            format!("{counts:?}"),
            "Pass the images that the attack was given, and those that it returned.",
        ));
    }
    let patterns: Vec<Vec<f32>> = (0..world.classes())
        .map(|class| Ok(world.faint(class)?.iter().copied().collect()))
        .collect::<Result<_>>()?;
    if let Some(class) = sources.iter().chain(targets).find(|class| **class >= patterns.len()) {
        let expected = format!("classes from 0 to {}", patterns.len() - 1);
        return Err(Error::invalid(expected, class.to_string(), "Pass labels of See-Far."));
    }
    let pixels = originals.pixels();
    if pixels != PIXELS {
        return Err(Error::invalid(
            format!("images of {IMAGE:?}, those of See-Far"),
            format!("images of {:?}", &originals.shape()[1..]),
            "Measure faint patterns on See-Far: other images have none that are known.",
        ));
    }
    let mut share = FaintShare {
        source: 0.0,
        target: 0.0,
        others: 0.0,
        energy: 0.0,
        chance: 2.0 / pixels as f64,
    };
    let (mut before, mut after) = (vec![0.0; pixels], vec![0.0; pixels]);
    let (mut explained, mut total) = (0.0, 0.0);
    for (index, (&source, &target)) in sources.iter().zip(targets).enumerate() {
        originals.copy_into(index, &mut before);
        perturbed.copy_into(index, &mut after);
        let delta: Vec<f32> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
        let along = |class: usize| dot(&delta, &patterns[class]) / norm2(&patterns[class]);
        let all: f64 = (0..patterns.len()).map(along).sum();
        let rest = all - along(source) - if source == target { 0.0 } else { along(target) };
        share.source += along(source) / n as f64;
        share.target += along(target) / n as f64;
        let others = patterns.len() - if source == target { 1 } else { 2 };
        share.others += rest / others as f64 / n as f64;
        let length = |class: usize| along(class).powi(2) * norm2(&patterns[class]);
        explained += length(source) + if source == target { 0.0 } else { length(target) };
        total += norm2(&delta);
    }
    share.energy = if total > 0.0 { explained / total } else { 0.0 };
    Ok(share)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn norm2(a: &[f32]) -> f64 {
    dot(a, a)
}

impl FaintShare {
    /// The three coefficients as bars.
    pub fn chart(&self) -> Chart {
        Chart::bars("What a perturbation does to the faint patterns")
            .x("coefficient along the pattern (1: the whole pattern added)")
            .bar("pattern of the class it was", None, self.source)
            .bar("pattern of the class it should become", None, self.target)
            .bar("patterns of the other classes, mean", None, self.others)
    }
}

/// The bars.
impl Show for FaintShare {
    fn forms(&self) -> Forms {
        self.chart().forms()
    }
}

impl fmt::Display for FaintShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "coefficients: source {:+.2}, target {:+.2}, others {:+.2}; {:.1} % of the squared length \
             lies in two of the dimensions (by chance {:.2} %)",
            self.source,
            self.target,
            self.others,
            100.0 * self.energy,
            100.0 * self.chance,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array4, Axis};

    #[test]
    fn a_perturbation_made_of_faint_patterns_is_found_whole() {
        let world = SeeFar::new(3);
        let delta = world.faint(4).unwrap() * 0.5 - world.faint(2).unwrap();
        let before = Array4::from_elem((1, 3, 32, 32), 0.5_f32);
        let after = &before + &delta.insert_axis(Axis(0));
        let (before, after) = (Images::from(before), Images::from(after));
        let share = faint_share(&world, &before, &after, &[2], &[4]).unwrap();
        // Pixels near 0.5 are known to 3e-8, and a pattern's norm is 0.35: coefficients to 1e-5.
        assert!((share.source + 1.0).abs() < 1e-4, "{share}");
        assert!((share.target - 0.5).abs() < 1e-4, "{share}");
        assert!(share.others.abs() < 1e-4, "{share}");
        assert!((share.energy - 1.0).abs() < 1e-4, "{share}");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let world = SeeFar::new(3);
        let one = Images::from(Array4::zeros((1, 3, 32, 32)));
        let error = faint_share(&world, &one, &one, &[2], &[14]).unwrap_err().to_string();
        assert!(error.contains("from 0 to 9") && error.contains("14"), "{error}");
        let error = faint_share(&world, &one, &one, &[], &[4]).unwrap_err().to_string();
        assert!(error.contains("[1, 0, 1]"), "{error}");
        let large = Images::from(Array4::zeros((1, 3, 48, 48)));
        let error = faint_share(&world, &large, &large, &[2], &[4]).unwrap_err().to_string();
        assert!(error.contains("found images of [3, 48, 48]"), "{error}");
    }
}
