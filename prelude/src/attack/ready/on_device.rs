//! On any device of dfdx's: pictures go there once, walk there, and come back.

use super::{Hill, Ready, Walk};
use crate::Result;
use crate::attack::Norm;
use crate::net::{Graph, Mode};
use crate::ops::{Matrix, Row};
use dfdx::prelude::*;

/// A net as a graph on a device.
pub(crate) struct OnDevice<D: Device<f32>> {
    graph: Graph<D>,
}

impl<D> OnDevice<D>
where
    D: Device<f32>,
{
    pub fn new(graph: Graph<D>) -> Self {
        Self { graph }
    }

    fn upload(&self, pictures: &[f32]) -> Matrix<D> {
        let pixels = self.graph.pixels();
        let shape = (pictures.len() / pixels, pixels);
        self.graph.device().tensor_from_vec(pictures.to_vec(), shape)
    }

    /// The values under the hill, and its gradient with respect to the pictures.
    ///
    /// Only the values leave the device, a few numbers a picture, and their slopes come back: so every
    /// hill has one slope for all devices.
    fn look_there(&self, pictures: &Matrix<D>, hill: Hill) -> (Vec<f32>, Matrix<D>) {
        let x = pictures.leaky_trace();
        let values = match hill {
            Hill::Goal(..) => self.graph.logits(x, Mode::Evaluation),
            Hill::Toward(_) => self.graph.representations(x),
        };
        let (values, tape) = values.split_tape();
        let kept = values.as_vec();
        let mut slopes = kept.clone();
        let (rows, columns) = *values.shape();
        slopes.chunks_mut(columns).enumerate().for_each(|(n, row)| hill.slope(n, row));
        let slopes = self.graph.device().tensor_from_vec(slopes, (rows, columns));
        let height = (values.put_tape(tape) * slopes).sum::<Rank0, Axes2<0, 1>>();
        (kept, height.backward().get(pictures))
    }
}

impl<D> Ready for OnDevice<D>
where
    D: Device<f32>,
{
    fn logits(&self, pictures: &[f32]) -> Result<Vec<f32>> {
        Ok(self.graph.logits(self.upload(pictures).leaky_trace(), Mode::Evaluation).as_vec())
    }

    fn representations(&self, pictures: &[f32]) -> Result<Vec<f32>> {
        Ok(self.graph.representations(self.upload(pictures).leaky_trace()).as_vec())
    }

    fn look(&self, pictures: &[f32], hill: Hill) -> Result<(Vec<f32>, Vec<f32>)> {
        let (values, gradient) = self.look_there(&self.upload(pictures), hill);
        Ok((values, gradient.as_vec()))
    }

    fn ascend(
        &self,
        walk: Walk,
        center: &[f32],
        x: Vec<f32>,
        hill: Hill,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<f32>> {
        let (center, mut x) = (self.upload(center), self.upload(&x));
        for _ in 0..walk.steps {
            go_on()?;
            let (_, gradient) = self.look_there(&x, hill);
            let aim = x + steepest(walk.norm, gradient) * walk.step_size;
            let delta = project(walk.norm, walk.epsilon, aim - center.clone());
            x = (center.clone() + delta).clamp(0.0, 1.0);
        }
        Ok(x.as_vec())
    }
}

/// [`Norm::steepest`] of every row.
fn steepest<D: Device<f32>>(norm: Norm, gradient: Matrix<D>) -> Matrix<D> {
    match norm {
        Norm::L2 => {
            let shape = *gradient.shape();
            let sizes = sizes(&gradient).clamp(1e-12, f32::MAX);
            gradient / sizes.broadcast_like::<(usize, usize), Axis<1>>(&shape)
        }
        // A zero gradient must not move the pixel.
        Norm::Linf => gradient.clone() / gradient.abs().clamp(f32::MIN_POSITIVE, f32::MAX),
    }
}

/// [`Norm::project`] of every row.
fn project<D: Device<f32>>(norm: Norm, epsilon: f32, delta: Matrix<D>) -> Matrix<D> {
    match norm {
        Norm::L2 => {
            let shape = *delta.shape();
            let sizes = sizes(&delta).clamp(1e-12, f32::MAX);
            let scales = (sizes.recip() * epsilon).clamp(0.0, 1.0);
            delta * scales.broadcast_like::<(usize, usize), Axis<1>>(&shape)
        }
        Norm::Linf => delta.clamp(-epsilon, epsilon),
    }
}

/// The Euclidean length of every row.
fn sizes<D: Device<f32>>(delta: &Matrix<D>) -> Row<D> {
    delta.clone().square().sum::<(usize,), Axis<1>>().sqrt()
}
