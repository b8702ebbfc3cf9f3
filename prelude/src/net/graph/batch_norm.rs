//! A batch norm on a device, and how its running statistics learn.

use super::{Mode, Taped, row};
use crate::engine::{NORM_MOMENTUM, Norm};
use crate::ops::{Moments, Row, batch_norm, batch_norm_frozen, moments};
use dfdx::prelude::*;

/// A batch norm's parameters and running statistics, `(C,)` each.
#[derive(Clone, Debug)]
pub(super) struct BatchNorm<D: Device<f32>> {
    pub weight: Row<D>,
    pub bias: Row<D>,
    pub running_mean: Row<D>,
    pub running_var: Row<D>,
    epsilon: f32,
}

/// What the batch norm of a step saw of a batch in training.
#[derive(Clone, Debug)]
pub(crate) struct Noted<D: Device<f32>> {
    pub step: usize,
    pub moments: Moments<D>,
}

impl<D: Device<f32>> BatchNorm<D> {
    pub fn new(device: &D, norm: &Norm) -> Self {
        Self {
            weight: row(device, &norm.weight),
            bias: row(device, &norm.bias),
            running_mean: row(device, &norm.running_mean),
            running_var: row(device, &norm.running_var),
            epsilon: norm.epsilon,
        }
    }

    /// What comes out of `x`, `(C, H·W·B)`, and what was seen of it in training.
    pub fn run(&self, x: Taped<D>, mode: Mode) -> (Taped<D>, Option<Moments<D>>) {
        match mode {
            Mode::Training => {
                let (x, tape) = x.split_tape();
                let seen = moments(x.clone());
                let (weight, bias) = (self.weight.clone(), self.bias.clone());
                (batch_norm(x.put_tape(tape), weight, bias, self.epsilon), Some(seen))
            }
            Mode::Evaluation => {
                let deviation = (self.running_var.clone() + self.epsilon).sqrt();
                let scale = self.weight.clone() / deviation;
                let shift = self.bias.clone() - self.running_mean.clone() * scale.clone();
                (batch_norm_frozen(x, scale, shift), None)
            }
        }
    }

    /// The running statistics learn from those of a batch.
    pub fn learn(&mut self, seen: Moments<D>) {
        let Moments { mean, var, count } = seen;
        // PyTorch keeps the unbiased estimate.
        let var = var * (count / (count - 1.0).max(1.0));
        let mix =
            |old: &Row<D>, now: Row<D>| old.clone() * (1.0 - NORM_MOMENTUM) + now * NORM_MOMENTUM;
        self.running_mean = mix(&self.running_mean, mean);
        self.running_var = mix(&self.running_var, var);
    }
}
