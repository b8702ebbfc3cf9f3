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
    fn step(&mut self, pictures: Vec<f32>, labels: &[usize], step: Step) -> Seen {
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
        Seen { logits: kept, loss: value }
    }

    fn weights(&self) -> Weights {
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
        weights
    }

    fn sgd(&self) -> Sgd {
        Sgd { velocity: self.velocity.iter().map(|velocity| velocity.as_vec()).collect() }
    }

    fn ready(&self) -> Box<dyn Ready> {
        Box::new(attack::OnDevice::new(self.graph.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Isa;
    use crate::fixture::{DATA, net};
    use crate::train::Descent;

    #[test]
    fn a_descent_on_a_device_goes_where_the_engines_goes() {
        goes_where_the_engines_goes(&Cpu::default());
        #[cfg(feature = "cuda")]
        if let Ok(crate::device::Device::Cuda(device)) = crate::device::Device::named("cuda") {
            goes_where_the_engines_goes(&device);
        }
    }

    fn goes_where_the_engines_goes<D>(device: &D)
    where
        D: Device<f32>,
    {
        let start = net(3);
        let sgd = Sgd::new(&start.weights.parameters());
        let mut engine = Descent::resume(start.weights.clone(), sgd.clone(), Isa::detect());
        let mut device = OnDevice::resume(&start, &sgd, device).unwrap();
        let step = Step { rate: 0.05, momentum: 0.9, weight_decay: 5e-4 };
        for batch in [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15, 16]] {
            let pictures = DATA.train.images.batch(&batch).into_raw_vec_and_offset().0;
            let labels = batch.map(|index| DATA.train.labels[index]);
            let [a, b] = [&mut engine as &mut dyn Descend, &mut device]
                .map(|descent| descent.step(pictures.clone(), &labels, step));
            assert!((a.loss - b.loss).abs() < 1e-4 * a.loss, "{} {}", a.loss, b.loss);
        }
        let [engine, device]: [&dyn Descend; 2] = [&engine, &device];
        let moved = |descent: &dyn Descend| {
            let weights = descent.weights();
            let (now, then) = (weights.parameters(), start.weights.parameters());
            let moves = now.into_iter().flatten().zip(then.into_iter().flatten());
            moves.map(|(now, then)| now - then).collect::<Vec<f32>>()
        };
        // Gradients agree to 1e-4 of the largest of a parameter; two steps leave a factor of ten.
        close(&moved(device), &moved(engine), 1e-3);
        close(&device.sgd().velocity.concat(), &engine.sgd().velocity.concat(), 1e-3);
        let (a, b) = (device.weights(), engine.weights());
        for (a, b) in a.norms().zip(b.norms()) {
            close(&a.running_mean, &b.running_mean, 1e-4);
            close(&a.running_var, &b.running_var, 1e-4);
            assert_eq!(a.batches, b.batches);
        }
        let pictures = DATA.test.images.batch(&[0, 1]).into_raw_vec_and_offset().0;
        close(&device.ready().logits(&pictures), &engine.ready().logits(&pictures), 1e-3);
    }

    /// Every number is within a share of the largest one.
    fn close(a: &[f32], b: &[f32], share: f32) {
        assert_eq!(a.len(), b.len());
        let largest = b.iter().fold(0.0_f32, |most, b| most.max(b.abs()));
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() <= share * largest, "{a} instead of {b}, of {largest} at most");
        }
    }
}
