//! On any device of dfdx's: weights and velocities stay there, pictures go there once.

use super::{Descend, Seen};
use crate::Result;
use crate::attack::{self, Ready};
use crate::engine::{self, Weights};
use crate::net::{Graph, Mode, Net};
use crate::ops::Row;
use crate::train::sgd::{Sgd, Step};
use dfdx::prelude::*;

/// A net on its way down, as a graph on a device.
pub(super) struct OnDevice<D: Device<f32>> {
    graph: Graph<D>,
    velocity: Vec<Row<D>>,
    /// The net at its start: all that a descent does not change.
    start: Weights,
    steps: u64,
}

impl<D> OnDevice<D>
where
    D: Device<f32>,
{
    /// A descent of `net` that goes on with the velocities of `sgd`.
    pub fn resume(net: &Net, sgd: &Sgd, device: &D) -> Result<Self> {
        let row = |values: &Vec<f32>| device.tensor_from_vec(values.clone(), (values.len(),));
        let velocity = sgd.velocity.iter().map(row).collect();
        Ok(Self { graph: net.graph(device)?, velocity, start: net.weights.clone(), steps: 0 })
    }

    /// [`Sgd::step`] of every parameter, there.
    fn descend(&mut self, gradients: &Gradients<f32, D>, step: Step) {
        for (parameter, velocity) in self.graph.parameters_mut().into_iter().zip(&mut self.velocity)
        {
            let pull = gradients.get(parameter) + parameter.clone() * step.weight_decay;
            *velocity = velocity.clone() * step.momentum + pull;
            *parameter = parameter.clone() - velocity.clone() * step.rate;
        }
    }
}

impl<D> Descend for OnDevice<D>
where
    D: Device<f32>,
{
    fn step(&mut self, pictures: Vec<f32>, labels: &[usize], step: Step) -> Result<Seen> {
        let device = self.graph.device().clone();
        let x = device.tensor_from_vec(pictures, (labels.len(), self.graph.pixels()));
        let (logits, noted) = self.graph.noting(x.leaky_traced(), Mode::Training);
        let (logits, tape) = logits.split_tape();
        let shape = *logits.shape();
        let kept = logits.as_vec();
        let targets = device.tensor_from_vec(engine::one_hot(labels, shape.1), shape);
        let loss = cross_entropy_with_logits_loss(logits.put_tape(tape), targets);
        let value = loss.as_vec()[0];
        self.descend(&loss.backward(), step);
        self.graph.learn(noted);
        self.steps += 1;
        Ok(Seen { logits: kept, loss: value })
    }

    fn weights(&self) -> Result<Weights> {
        let mut weights = self.start.clone();
        for (value, parameter) in weights.parameters_mut().into_iter().zip(self.graph.parameters())
        {
            value.copy_from_slice(&parameter.as_vec());
        }
        for (norm, [mean, var]) in weights.norms_mut().zip(self.graph.statistics()) {
            norm.running_mean = mean;
            norm.running_var = var;
            norm.batches += self.steps;
        }
        Ok(weights)
    }

    fn sgd(&self) -> Result<Sgd> {
        Ok(Sgd { velocity: self.velocity.iter().map(|velocity| velocity.as_vec()).collect() })
    }

    fn ready(&self) -> Result<Box<dyn Ready>> {
        Ok(Box::new(attack::OnDevice::new(self.graph.clone())))
    }
}
