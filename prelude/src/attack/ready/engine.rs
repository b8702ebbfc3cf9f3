//! On the CPU, by the engine.

use super::{Hill, Ready, Walk};
use crate::Result;
use crate::engine::Frozen;
use rayon::prelude::*;

impl Ready for Frozen {
    fn logits(&self, pictures: &[f32]) -> Result<Vec<f32>> {
        Ok(Frozen::logits(self, pictures))
    }

    fn representations(&self, pictures: &[f32]) -> Result<Vec<f32>> {
        Ok(Frozen::representations(self, pictures))
    }

    fn look(&self, pictures: &[f32], hill: Hill) -> Result<(Vec<f32>, Vec<f32>)> {
        let slope = |n: usize, values: &mut [f32]| hill.slope(n, values);
        Ok(match hill {
            Hill::Goal(..) => self.gradient(pictures, slope),
            Hill::Toward(_) => self.representation_gradient(pictures, slope),
        })
    }

    fn ascend(
        &self,
        walk: Walk,
        center: &[f32],
        mut x: Vec<f32>,
        hill: Hill,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<f32>> {
        for _ in 0..walk.steps {
            go_on()?;
            let mut direction = self.look(&x, hill)?.1; // (n, pixels)
            let images = x.par_chunks_mut(self.pixels()).zip(center.par_chunks(self.pixels()));
            let steps = direction.par_chunks_mut(self.pixels());
            images.zip(steps).for_each(|((x, center), step)| walk.step(x, center, step));
        }
        Ok(x)
    }
}

impl Walk {
    /// One image's step along a gradient, which gives its room away.
    fn step(self, x: &mut [f32], center: &[f32], gradient: &mut [f32]) {
        let step = gradient;
        self.norm.steepest(step);
        for ((step, x), center) in step.iter_mut().zip(&*x).zip(center) {
            *step = x + self.step_size * *step - center; // the perturbation after the step
        }
        self.norm.project(self.epsilon, step);
        for ((x, delta), center) in x.iter_mut().zip(&*step).zip(center) {
            *x = (center + delta).clamp(0.0, 1.0);
        }
    }
}
