//! On the CPU, by the engine.

use super::{Descend, Seen};
use crate::Result;
use crate::attack::Ready;
use crate::engine::{self, Frozen, Isa, Learner, Training, Weights};
use crate::train::sgd::{Sgd, Step};
use dfdx::prelude::{AsArray, Backward, PutTape, SplitTape, Trace};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A net on its way down: its weights, the velocity of each, and the buffers that steps reuse.
pub(crate) struct Descent {
    learner: Arc<Mutex<Learner>>,
    sgd: Sgd,
    isa: Isa,
}

impl Descent {
    /// A descent that goes on from `weights` with the velocities of `sgd`.
    pub fn resume(weights: Weights, sgd: Sgd, isa: Isa) -> Self {
        let learner = Learner { weights, training: Training::new(isa) };
        Self { learner: Arc::new(Mutex::new(learner)), sgd, isa }
    }

    fn step_in_the_pool(&mut self, pictures: Vec<f32>, labels: &[usize], step: Step) -> Seen {
        let parameters = engine::parameters(&self.learner().weights);
        let x = engine::batch(pictures, labels.len());
        let logits = engine::training(&self.learner, &parameters, x.leaky_traced(), None);
        let (logits, tape) = logits.split_tape();
        let kept = engine::values(&logits);
        let loss = engine::cross_entropy(logits.put_tape(tape), labels);
        let seen = Seen { logits: kept, loss: loss.array() };
        let gradients = loss.backward();
        let mut learner = self.learner.lock().unwrap_or_else(PoisonError::into_inner);
        let values = learner.weights.parameters_mut().into_iter();
        for (index, (value, parameter)) in values.zip(&parameters).enumerate() {
            let gradient = engine::values(&gradients.get(parameter));
            self.sgd.step(step, index, value, &gradient);
        }
        seen
    }

    fn learner(&self) -> MutexGuard<'_, Learner> {
        self.learner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Descend for Descent {
    fn step(&mut self, pictures: Vec<f32>, labels: &[usize], step: Step) -> Result<Seen> {
        // A step has dozens of parallel regions. Begun on a thread of the pool they need no other one to
        // wake up, and none to sleep until they are done.
        Ok(rayon::scope(|_| self.step_in_the_pool(pictures, labels, step)))
    }

    fn weights(&self) -> Result<Weights> {
        Ok(self.learner().weights.clone())
    }

    fn sgd(&self) -> Result<Sgd> {
        Ok(self.sgd.clone())
    }

    fn ready(&self) -> Result<Box<dyn Ready>> {
        Ok(Box::new(Frozen::new(&self.learner().weights, self.isa)))
    }
}
