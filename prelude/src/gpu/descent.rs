//! A net on its way down: weights, velocities and running statistics stay on the machine.

use super::fixed::{Fixed, transposed};
use super::forward::{Passage, Purpose};
use super::machine::{Grid, launch};
use super::memory::{Hands, Memory};
use super::model::Model;
use crate::Result;
use crate::attack::Ready;
use crate::engine::{Kind, NORM_MOMENTUM, Weights};
use crate::train::{Descend, Seen, Sgd, Step};

/// A net on its way down, on a machine.
pub(crate) struct Descent {
    model: Model,
    /// Of each parameter, as they lie in the model.
    velocity: Memory,
    steps: u64,
}

impl Descent {
    /// A descent that goes on from `weights` with the velocities of `sgd`.
    pub fn resume(hands: &Hands, weights: &Weights, sgd: &Sgd) -> Result<Self> {
        let velocity = hands.upload(&sgd.velocity.concat())?;
        Ok(Self { model: Model::new(hands, weights)?, velocity, steps: 0 })
    }

    /// The running statistics learn from what the batch norms saw.
    fn learn(&self, passage: &Passage) -> Result<()> {
        let nodes = self.model.start.nodes.iter().zip(&self.model.statistics);
        for ((node, running), seen) in nodes.zip(&passage.moments) {
            let (Kind::Norm(norm), Some(running), Some(seen)) = (&node.kind, running, seen) else {
                continue;
            };
            let (channels, count) =
                (norm.weight.len(), node.shape[1] * node.shape[2] * passage.batch);
            let unbiased = count as f32 / (count as f32 - 1.0).max(1.0);
            launch!(
                self.model.hands,
                learn_moments,
                Grid::Each(channels),
                &running.mean,
                &running.var,
                &seen.mean,
                &seen.var,
                channels,
                NORM_MOMENTUM,
                unbiased,
            )?;
        }
        Ok(())
    }
}

impl Descend for Descent {
    fn step(&mut self, pictures: Vec<f32>, labels: &[usize], step: Step) -> Result<Seen> {
        let (model, hands, batch) = (&self.model, &self.model.hands, labels.len());
        let classes = model.classes(labels)?;
        let passage = model.forward(&hands.upload(&pictures)?, Purpose::Training)?;
        let slopes = hands.reserve(passage.logits.len())?;
        let losses = model.cross_entropy(&passage, &classes, &slopes, 1.0 / batch as f32)?;
        let gradient = model.back_to_parameters(&passage, &slopes)?;
        let Step { rate, momentum, weight_decay } = step;
        let (parameters, count) = (&model.parameters, model.parameters.len());
        launch!(
            hands,
            descend,
            Grid::Each(count),
            parameters,
            &self.velocity,
            &gradient,
            count,
            rate,
            momentum,
            weight_decay,
        )?;
        self.learn(&passage)?;
        self.steps += 1;
        let logits = hands.read(&passage.logits)?;
        let loss = hands.read(&losses)?.iter().sum::<f32>() / batch as f32;
        Ok(Seen { logits: transposed(&logits, logits.len() / batch), loss })
    }

    fn weights(&self) -> Result<Weights> {
        self.model.weights(self.steps)
    }

    fn sgd(&self) -> Result<Sgd> {
        Ok(Sgd { velocity: self.model.of_each(&self.velocity)? })
    }

    fn ready(&self) -> Result<Box<dyn Ready>> {
        Ok(Box::new(Fixed::of(self.model.copy()?)))
    }
}
