//! A net as the engine runs it: a chain of convolutions, some of which add an earlier activation.

use super::head::Head;
use super::pack::Conv;
use super::picture::Normalisation;
use super::simd::LANES;

/// Every number of a net, in PyTorch's orders.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    pub normalisation: Normalisation,
    pub units: Vec<Unit>,
    pub head: Head,
}

/// `max(batch_norm(conv(x)), 0)`, and then perhaps the addition of an earlier unit's output.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unit {
    pub conv: Conv,
    /// The unit whose output is added at the end.
    pub residual: Option<usize>,
    /// `(outputs, inputs, 3, 3)`.
    pub weight: Vec<f32>,
    pub norm: Norm,
}

/// A batch norm's parameters and running statistics, `(outputs,)` each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Norm {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub running_mean: Vec<f32>,
    pub running_var: Vec<f32>,
    pub batches: u64,
}

/// What PyTorch adds to a variance before it takes the root.
pub(crate) const NORM_EPSILON: f32 = 1e-5;

/// How much of a batch's statistics goes into the running ones.
pub(crate) const NORM_MOMENTUM: f32 = 0.1;

impl Norm {
    /// `(scale, shift)` of the batch norm with its running statistics.
    pub fn fold(&self) -> (Vec<f32>, Vec<f32>) {
        let scale: Vec<f32> = (self.weight.iter().zip(&self.running_var))
            .map(|(weight, var)| weight / (var + NORM_EPSILON).sqrt())
            .collect();
        let shift = (self.bias.iter().zip(&self.running_mean).zip(&scale))
            .map(|((bias, mean), scale)| bias - mean * scale)
            .collect();
        (scale, shift)
    }
}

impl Weights {
    /// How many floats a picture has.
    pub fn picture(&self) -> usize {
        let Conv { inputs, height, width, .. } = self.units[0].conv;
        inputs * height * width
    }

    /// The unit that adds the output of `unit`, if one does.
    pub fn adder(&self, unit: usize) -> Option<usize> {
        self.units.iter().position(|u| u.residual == Some(unit))
    }

    /// The trainable parameters in their fixed order: each unit's convolution, scale and shift, then
    /// the linear layer's weight and bias.
    pub fn parameters(&self) -> Vec<&[f32]> {
        let units = self.units.iter().flat_map(|u| [&u.weight[..], &u.norm.weight, &u.norm.bias]);
        units.chain([&self.head.weight[..], &self.head.bias]).collect()
    }

    /// The same, to be changed.
    pub fn parameters_mut(&mut self) -> Vec<&mut [f32]> {
        let units = self
            .units
            .iter_mut()
            .flat_map(|u| [&mut u.weight[..], &mut u.norm.weight[..], &mut u.norm.bias[..]]);
        units.chain([&mut self.head.weight[..], &mut self.head.bias[..]]).collect()
    }
}

/// `values`, padded with zeros to whole vectors.
pub(crate) fn padded(values: &[f32]) -> Vec<f32> {
    let mut padded = values.to_vec();
    padded.resize(values.len().next_multiple_of(LANES), 0.0);
    padded
}
