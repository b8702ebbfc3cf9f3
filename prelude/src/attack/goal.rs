//! Where an attack wants the net to go: away from a class or toward one.

use crate::engine::{Batch, CpuTape, Frozen, Loss, batch, frozen, summed_cross_entropy, values};
use dfdx::prelude::*;
use std::sync::Arc;

/// What an attack makes larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The cross-entropy to the given classes.
    Away,
    /// Minus the cross-entropy to the given classes.
    Toward,
}

impl Goal {
    /// The gradient of each image's goal with respect to it; pictures `(n, pixels)`.
    pub fn gradient(self, net: &Arc<Frozen>, pictures: &[f32], classes: &[usize]) -> Vec<f32> {
        let x = batch(pictures.to_vec(), classes.len());
        let logits = frozen(net, x.leaky_trace());
        let gradients = self.value(logits, classes).backward();
        values(&gradients.get(&x))
    }

    /// Summed over the images.
    fn value(self, logits: Batch<CpuTape>, classes: &[usize]) -> Loss {
        let loss = summed_cross_entropy(logits, classes);
        match self {
            Goal::Away => loss,
            Goal::Toward => -loss,
        }
    }

    /// How far each image has come: its own share of the goal.
    pub fn reached(self, net: &Frozen, pictures: &[f32], classes: &[usize]) -> Vec<f32> {
        let logits = net.logits(pictures);
        let rows = logits.chunks(logits.len() / classes.len().max(1));
        rows.zip(classes)
            .map(|(row, &class)| {
                let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let total: f32 = row.iter().map(|logit| (logit - most).exp()).sum();
                let loss = total.ln() + most - row[class];
                match self {
                    Goal::Away => loss,
                    Goal::Toward => -loss,
                }
            })
            .collect()
    }
}
