//! A batch norm's statistics: learned on the way there, used on the way back.

use crate::engine::batch_norm::{Scaling, Slopes};
use crate::engine::plan::{NORM_MOMENTUM, Norm, Parts};

/// The sums of a value over a batch, for each place of a channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    pub sum: Vec<f64>,
    pub squares: Vec<f64>,
}

/// Mean and deviation of each channel of a batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Statistics {
    mean: Vec<f64>,
    deviation_inverse: Vec<f64>,
    count: f64,
}

impl Statistics {
    /// From the sums over a batch, of `count` pixels; the norm's running statistics learn from them too.
    pub fn learn(norm: &mut Norm, parts: &Parts, moments: &Moments, count: f64) -> Self {
        let (mut means, mut deviations) = (Vec::new(), Vec::new());
        for (channel, place) in parts.each().enumerate() {
            let mean = moments.sum[place] / count;
            let var = (moments.squares[place] / count - mean * mean).max(0.0);
            means.push(mean);
            deviations.push(1.0 / (var + f64::from(norm.epsilon)).sqrt());
            let momentum = f64::from(NORM_MOMENTUM);
            let learn = |running: &mut f32, now: f64| {
                *running = (f64::from(*running) * (1.0 - momentum) + now * momentum) as f32;
            };
            learn(&mut norm.running_mean[channel], mean);
            // PyTorch keeps the unbiased estimate.
            learn(&mut norm.running_var[channel], var * count / (count - 1.0).max(1.0));
        }
        norm.batches += 1;
        Self { mean: means, deviation_inverse: deviations, count }
    }

    /// What the norm does with these statistics.
    pub fn scaling(&self, norm: &Norm, parts: &Parts, relu: bool) -> Scaling {
        let scale: Vec<f32> = (norm.weight.iter().zip(&self.deviation_inverse))
            .map(|(weight, inverse)| (f64::from(*weight) * inverse) as f32)
            .collect();
        let shift: Vec<f32> = (norm.bias.iter().zip(&self.mean).zip(&scale))
            .map(|((bias, mean), scale)| bias - *mean as f32 * scale)
            .collect();
        let minus_mean: Vec<f32> = self.mean.iter().map(|mean| -(*mean as f32)).collect();
        Scaling {
            scale: parts.spread(&scale),
            shift: parts.spread(&shift),
            minus_mean: parts.spread(&minus_mean),
            relu,
        }
    }

    /// The gradients of the norm's parameters, and how its input's gradient follows from the rest, with
    /// the sums of a stage: all Σ g, then all Σ g·(z − mean).
    pub fn slopes(&self, norm: &Norm, parts: &Parts, sums: &[f64]) -> (Vec<f32>, Vec<f32>, Slopes) {
        let (shifts, scales) = sums.split_at(parts.places());
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        let (mut of_gradient, mut of_z, mut constant) = (Vec::new(), Vec::new(), Vec::new());
        for (channel, place) in parts.each().enumerate() {
            let inverse = self.deviation_inverse[channel];
            let (shift, scale) = (shifts[place], scales[place] * inverse);
            weight.push(scale as f32);
            bias.push(shift as f32);
            let slope = f64::from(norm.weight[channel]) * inverse;
            let by_z = -slope * scale / self.count * inverse;
            of_gradient.push(slope as f32);
            of_z.push(by_z as f32);
            constant.push((-slope * shift / self.count - by_z * self.mean[channel]) as f32);
        }
        let slopes = Slopes {
            of_gradient: parts.spread(&of_gradient),
            of_z: parts.spread(&of_z),
            constant: parts.spread(&constant),
        };
        (weight, bias, slopes)
    }
}
