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
        let (values, slope) = match hill {
            Hill::Logits(slope) => (self.graph.logits(x, Mode::Evaluation), slope),
            Hill::Representation(slope) => (self.graph.representations(x), slope),
        };
        let (values, tape) = values.split_tape();
        let kept = values.as_vec();
        let mut slopes = kept.clone();
        let (rows, columns) = *values.shape();
        slopes.chunks_mut(columns).enumerate().for_each(|(n, row)| slope(n, row));
        let slopes = self.graph.device().tensor_from_vec(slopes, (rows, columns));
        let height = (values.put_tape(tape) * slopes).sum::<Rank0, Axes2<0, 1>>();
        (kept, height.backward().get(pictures))
    }
}

impl<D> Ready for OnDevice<D>
where
    D: Device<f32>,
{
    fn logits(&self, pictures: &[f32]) -> Vec<f32> {
        self.graph.logits(self.upload(pictures).leaky_trace(), Mode::Evaluation).as_vec()
    }

    fn representations(&self, pictures: &[f32]) -> Vec<f32> {
        self.graph.representations(self.upload(pictures).leaky_trace()).as_vec()
    }

    fn look(&self, pictures: &[f32], hill: Hill) -> (Vec<f32>, Vec<f32>) {
        let (values, gradient) = self.look_there(&self.upload(pictures), hill);
        (values, gradient.as_vec())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::{Goal, Loss};
    use crate::engine::{Frozen, Isa};
    use crate::fixture::{DATA, TRAINED};

    /// The largest difference, in units of the largest number.
    fn distance(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        let largest = b.iter().fold(1e-12_f32, |most, b| most.max(b.abs()));
        let pairs = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        pairs.fold(0.0, |most: f32, off| if off > most || off.is_nan() { off } else { most })
            / largest
    }

    /// The net on every device that is here.
    fn devices() -> Vec<Box<dyn Ready>> {
        let processor = OnDevice::new(TRAINED.graph(&Cpu::default()).unwrap());
        std::iter::once(Box::new(processor) as Box<dyn Ready>).chain(on_a_gpu()).collect()
    }

    #[cfg(feature = "cuda")]
    fn on_a_gpu() -> Option<Box<dyn Ready>> {
        match crate::device::Device::named("cuda") {
            Ok(crate::device::Device::Cuda(device)) => {
                Some(Box::new(OnDevice::new(TRAINED.graph(&device).unwrap())))
            }
            _ => None,
        }
    }

    #[cfg(not(feature = "cuda"))]
    fn on_a_gpu() -> Option<Box<dyn Ready>> {
        None
    }

    fn engine() -> Frozen {
        Frozen::new(&TRAINED.weights, Isa::detect())
    }

    fn some() -> (Vec<f32>, Vec<usize>) {
        let indices = [3, 5, 8, 13, 21];
        let pictures = DATA.test.images.batch(&indices).into_raw_vec_and_offset().0;
        (pictures, indices.map(|index| DATA.test.labels[index]).to_vec())
    }

    #[test]
    fn a_device_says_what_the_engine_says() {
        let (pictures, labels) = some();
        let margin = |n: usize, logits: &mut [f32]| Loss::Margin.slope(logits, labels[n]);
        let shorter = |_: usize, features: &mut [f32]| features.iter_mut().for_each(|f| *f = -*f);
        let engine = engine();
        for device in devices() {
            // The net chains seven sums in f32: see the agreement of graph and engine.
            assert!(distance(&device.logits(&pictures), &engine.logits(&pictures)) < 1e-4);
            let expected = engine.representations(&pictures);
            assert!(distance(&device.representations(&pictures), &expected) < 1e-4);
            for hill in [Hill::Logits(&margin), Hill::Representation(&shorter)] {
                let (values, gradient) = device.look(&pictures, hill);
                let (expected, upward) = engine.look(&pictures, hill);
                assert!(distance(&values, &expected) < 1e-4);
                assert!(distance(&gradient, &upward) < 1e-4);
            }
        }
    }

    #[test]
    fn a_walk_on_a_device_ends_where_the_engines_ends() {
        let (pictures, labels) = some();
        let goal = Goal::Away(Loss::CrossEntropy);
        let slope = |n: usize, logits: &mut [f32]| goal.slope(logits, labels[n]);
        let engine = engine();
        for (norm, epsilon) in [(Norm::L2, 0.5), (Norm::Linf, 0.03), (Norm::L2, f32::INFINITY)] {
            let step_size = 0.4 * epsilon.min(0.5);
            let walk = Walk { norm, epsilon, step_size, steps: 4 };
            let end = |net: &dyn Ready| {
                let hill = Hill::Logits(&slope);
                net.ascend(walk, &pictures, pictures.clone(), hill, &|| Ok(())).unwrap()
            };
            let expected = end(&engine);
            assert_ne!(expected, pictures);
            for device in devices() {
                let found = end(&*device);
                let off = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
                match norm {
                    // Four steps, each along a gradient that is right to 1e-4 of its largest number.
                    Norm::L2 => assert!(off.fold(0.0, f32::max) < 1e-4 * 4.0 * step_size),
                    // A gradient near zero may have either sign: those pixels differ, and are few.
                    Norm::Linf => {
                        let differ = off.filter(|off| *off > 1e-5).count();
                        assert!(differ < expected.len() / 200, "{differ}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_error_ends_a_walk_on_a_device() {
        let (pictures, labels) = some();
        let slope = |n: usize, logits: &mut [f32]| Loss::Margin.slope(logits, labels[n]);
        let walk = Walk { norm: Norm::L2, epsilon: 0.5, step_size: 0.1, steps: 4 };
        let asked = std::cell::Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            match asked.get() {
                3 => Err(crate::Error::invalid("", "", "")),
                _ => Ok(()),
            }
        };
        let hill = Hill::Logits(&slope);
        let end = devices()[0].ascend(walk, &pictures, pictures.clone(), hill, &stop);
        assert!(end.is_err() && asked.get() == 3);
    }
}
