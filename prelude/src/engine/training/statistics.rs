//! A batch norm's statistics: learned on the way there, used on the way back.

use crate::engine::batch_norm::{Scaling, Slopes};
use crate::engine::plan::{NORM_MOMENTUM, Norm, padded};

/// The sums of a value over a batch, channel by channel, perhaps with more behind the last.
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
    pub fn learn(norm: &mut Norm, moments: &Moments, count: f64) -> Self {
        let (mut means, mut deviations) = (Vec::new(), Vec::new());
        for channel in 0..norm.weight.len() {
            let mean = moments.sum[channel] / count;
            let var = (moments.squares[channel] / count - mean * mean).max(0.0);
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
    pub fn scaling(&self, norm: &Norm, relu: bool) -> Scaling {
        let scale: Vec<f32> = (norm.weight.iter().zip(&self.deviation_inverse))
            .map(|(weight, inverse)| (f64::from(*weight) * inverse) as f32)
            .collect();
        let shift: Vec<f32> = (norm.bias.iter().zip(&self.mean).zip(&scale))
            .map(|((bias, mean), scale)| bias - *mean as f32 * scale)
            .collect();
        let minus_mean: Vec<f32> = self.mean.iter().map(|mean| -(*mean as f32)).collect();
        Scaling {
            scale: padded(&scale),
            shift: padded(&shift),
            minus_mean: padded(&minus_mean),
            relu,
        }
    }

    /// The gradients of the norm's parameters, and how its input's gradient follows from the rest, with
    /// the sums of a stage: all Σ g, then all Σ g·(z − mean).
    pub fn slopes(&self, norm: &Norm, sums: &[f64]) -> (Vec<f32>, Vec<f32>, Slopes) {
        let (shifts, scales) = sums.split_at(sums.len() / 2);
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        let (mut of_gradient, mut of_z, mut constant) = (Vec::new(), Vec::new(), Vec::new());
        for (channel, inverse) in self.deviation_inverse.iter().enumerate() {
            let (shift, scale) = (shifts[channel], scales[channel] * inverse);
            weight.push(scale as f32);
            bias.push(shift as f32);
            let slope = f64::from(norm.weight[channel]) * inverse;
            let by_z = -slope * scale / self.count * inverse;
            of_gradient.push(slope as f32);
            of_z.push(by_z as f32);
            constant.push((-slope * shift / self.count - by_z * self.mean[channel]) as f32);
        }
        let slopes = Slopes {
            of_gradient: padded(&of_gradient),
            of_z: padded(&of_z),
            constant: padded(&constant),
        };
        (weight, bias, slopes)
    }
}
