//! The one loop behind attacks, adversarial training and feature inversion.

use super::Norm;
use crate::Result;
use rayon::prelude::*;

/// The ball in which a search stays, and how it walks: every number in pixel units of [0, 1].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub norm: Norm,
    pub epsilon: f32,
    pub step_size: f32,
    pub steps: usize,
}

/// Projected gradient ascent from `x` on the function whose `gradient` is given, within the ball around
/// `center` and within [0, 1]. `center`, `x`: `(n, pixels)`. An error of `gradient` ends it.
pub(crate) fn ascend(
    walk: Walk,
    center: &[f32],
    mut x: Vec<f32>,
    pixels: usize,
    mut gradient: impl FnMut(&[f32]) -> Result<Vec<f32>>,
) -> Result<Vec<f32>> {
    for _ in 0..walk.steps {
        let mut direction = gradient(&x)?; // (n, pixels)
        let images = x.par_chunks_mut(pixels).zip(center.par_chunks(pixels));
        images.zip(direction.par_chunks_mut(pixels)).for_each(|((x, center), step)| {
            walk.norm.steepest(step);
            for ((step, x), center) in step.iter_mut().zip(&*x).zip(center) {
                *step = x + walk.step_size * *step - center; // the perturbation after the step
            }
            walk.norm.project(walk.epsilon, step);
            for ((x, delta), center) in x.iter_mut().zip(&*step).zip(center) {
                *x = (center + delta).clamp(0.0, 1.0);
            }
        });
    }
    Ok(x)
}
