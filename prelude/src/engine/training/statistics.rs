//! A batch norm's statistics: learned on the way there, used on the way back.

use crate::engine::batch_norm::Slopes;
use crate::engine::block::Block;
use crate::engine::plan::{NORM_EPSILON, NORM_MOMENTUM, Unit, Weights, padded};
use crate::engine::simd::LANES;

/// Means and deviations of a unit's convolution over a batch, padded.
#[derive(Clone, Default)]
pub(super) struct Statistics {
    mean: Vec<f32>,
    deviation_inverse: Vec<f32>,
}

impl Statistics {
    /// From the sums over a batch; the unit's running statistics learn from them too.
    pub fn learn(unit: &mut Unit, sums: &[f64], images: usize) -> Self {
        let output = unit.conv.output();
        let count = (images * output.height * output.width) as f64;
        let channels = output.blocks() * LANES;
        let mut statistics = Self::default();
        for channel in 0..channels {
            let mean = sums[channel] / count;
            let var = (sums[channels + channel] / count - mean * mean).max(0.0);
            statistics.mean.push(mean as f32);
            statistics
                .deviation_inverse
                .push((1.0 / (var + f64::from(NORM_EPSILON)).sqrt()) as f32);
            if channel < output.channels {
                let momentum = f64::from(NORM_MOMENTUM);
                let learn = |running: &mut f32, now: f64| {
                    *running = (f64::from(*running) * (1.0 - momentum) + now * momentum) as f32;
                };
                learn(&mut unit.norm.running_mean[channel], mean);
                // PyTorch keeps the unbiased estimate.
                let unbiased = var * count / (count - 1.0).max(1.0);
                learn(&mut unit.norm.running_var[channel], unbiased);
            }
        }
        unit.norm.batches += 1;
        statistics
    }

    /// The gradients of a batch norm's parameters, and how its input's gradient follows from the rest.
    pub fn slopes(&self, unit: &Unit, sums: &[f64], images: usize) -> (Vec<f32>, Vec<f32>, Slopes) {
        let output = unit.conv.output();
        let count = (images * output.height * output.width) as f64;
        let channels = output.blocks() * LANES;
        let zeros = || vec![0.0; channels];
        let mut slopes = Slopes { of_gradient: zeros(), of_z: zeros(), constant: zeros() };
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for channel in 0..output.channels {
            let mean = f64::from(self.mean[channel]);
            let inverse = f64::from(self.deviation_inverse[channel]);
            let (shift, scale) = (sums[channel], sums[channels + channel] * inverse);
            weight.push(scale as f32);
            bias.push(shift as f32);
            let slope = f64::from(unit.norm.weight[channel]) * inverse;
            let of_z = -slope * scale / count * inverse;
            slopes.of_gradient[channel] = slope as f32;
            slopes.of_z[channel] = of_z as f32;
            slopes.constant[channel] = (-slope * shift / count - of_z * mean) as f32;
        }
        (weight, bias, slopes)
    }
}

/// What turns a unit's convolution into its activation.
pub(super) struct Scaling {
    pub index: usize,
    pub residual: Option<usize>,
    pub layout: Block,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    /// What centres the convolution's output.
    pub minus_mean: Vec<f32>,
}

impl Scaling {
    /// For unit `index` with its statistics.
    pub fn new(weights: &Weights, index: usize, statistics: &Statistics) -> Self {
        let unit = &weights.units[index];
        let scale: Vec<f32> = (unit.norm.weight.iter().zip(&statistics.deviation_inverse))
            .map(|(weight, inverse)| weight * inverse)
            .collect();
        let shift: Vec<f32> = (unit.norm.bias.iter().zip(&statistics.mean).zip(&scale))
            .map(|((bias, mean), scale)| bias - mean * scale)
            .collect();
        Self {
            index,
            residual: unit.residual,
            layout: unit.conv.output().flat(),
            scale: padded(&scale),
            shift: padded(&shift),
            minus_mean: statistics.mean.iter().map(|mean| -mean).collect(),
        }
    }

    /// The layout of what the unit hands on.
    pub fn bordered(&self) -> Block {
        Block { border: 1, ..self.layout }
    }

    /// Where the two sums of a batch norm start, each channel's, padded.
    pub fn no_sums(&self) -> Vec<f32> {
        vec![0.0; 2 * self.layout.blocks() * LANES]
    }
}
