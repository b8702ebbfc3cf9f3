//! The three pieces of work that the bench command times, each as a closure over a prepared net.

use super::{Frozen, Isa, Learner, Training, batch, cross_entropy, parameters, training};
use crate::Result;
use crate::attack::{Goal, Pgd};
use crate::net::{Architecture, Net};
use dfdx::prelude::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::{Arc, Mutex};

/// A net, pictures and labels to time work on: random numbers, as speed does not depend on them.
pub struct Bench {
    net: Net,
    isa: Isa,
    frozen: Arc<Frozen>,
    learner: Arc<Mutex<Learner>>,
    pictures: Vec<f32>,
    labels: Vec<usize>,
}

impl Bench {
    /// The `resnet` of a width on a batch of pictures of 3×32×32.
    ///
    /// # Errors
    /// If `width` is 0.
    pub fn new(width: usize, batch: usize, isa: Isa) -> Result<Self> {
        let architecture = Architecture::resnet(width, [3, 32, 32], 10)?;
        let net = Net::new(architecture, vec![0.5; 3], vec![0.25; 3], 0)?;
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let weights = net.weights.clone();
        Ok(Self {
            isa,
            frozen: Arc::new(Frozen::new(&weights, isa)),
            learner: Arc::new(Mutex::new(Learner { weights, training: Training::new(isa) })),
            pictures: (0..batch * 3072).map(|_| rng.gen_range(0.0..1.0)).collect(),
            labels: (0..batch).map(|_| rng.gen_range(0..10)).collect(),
            net,
        })
    }

    /// Which instruction set runs.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The multiply-adds of one image's forward pass.
    pub fn multiply_adds(&self) -> usize {
        let conv = |unit: &super::Unit| {
            let output = unit.conv.output();
            9 * unit.conv.inputs * output.channels * output.height * output.width
        };
        self.net.weights.units.iter().map(conv).sum::<usize>() + self.net.weights.head.weight.len()
    }

    /// Logits in evaluation mode.
    pub fn forward(&self) {
        std::hint::black_box(self.frozen.logits(&self.pictures));
    }

    /// The loss's gradient with respect to the pictures, an ℓ2 step, projection, clamp.
    pub fn pgd_step(&self) {
        std::hint::black_box(Pgd::l2(0.5).steps(1).step_size(0.1).batch(
            &self.frozen,
            &self.pictures,
            &self.labels,
            Goal::Away,
            0,
        ));
    }

    /// Forward, backward and the optimizer's step in training mode.
    pub fn training_step(&self) {
        let mut learner = self.learner.lock().expect("no step has failed");
        let names = parameters(&learner.weights);
        drop(learner);
        let x = batch(self.pictures.clone(), self.labels.len());
        let logits = training(&self.learner, &names, x.leaky_traced());
        let gradients = cross_entropy(logits, &self.labels).backward();
        learner = self.learner.lock().expect("no step has failed");
        for (p, name) in learner.weights.parameters_mut().into_iter().zip(&names) {
            let g = gradients.get(name).as_vec();
            for (p, g) in p.iter_mut().zip(g) {
                *p -= 0.01 * g;
            }
        }
    }
}
