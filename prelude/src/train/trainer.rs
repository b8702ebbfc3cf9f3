//! The loop: batches, the loss on dfdx's tape, a step down, and once an epoch a look at the rest.

use super::checkpoint::{Checkpoint, State};
use super::sets::Sets;
use super::sgd::{Sgd, Step};
use super::{Epoch, Log, Recipe, batches};
use crate::data::Dataset;
use crate::engine::{self, Isa, Learner, Training};
use crate::net::{Architecture, Net};
use crate::show::Progress;
use crate::{Error, Result, judge};
use dfdx::prelude::{AsArray, Backward, PutTape, SplitTape, Trace};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

impl Net {
    /// Trains the net on a set by a recipe; the log shows itself as a chart.
    ///
    /// The same net, set and recipe give the same weights, bit for bit, on the same processor type.
    /// With a checkpoint in the recipe, a training that was broken off goes on after its last epoch.
    ///
    /// # Errors
    /// If a number of the recipe is out of range, if the set is empty, inconsistent or does not fit the
    /// net, if the loss stops being finite (the net then stays as it was), or if a checkpoint
    /// cannot be written or belongs to another training.
    pub fn train(&mut self, set: &Dataset, recipe: &Recipe) -> Result<Log> {
        self.train_watching(set, recipe, &[])
    }

    /// [`Net::train`] that also notes the accuracy on the `watched` sets after every epoch.
    ///
    /// Watching changes nothing: the net that comes out is that of the last epoch. Paper: Fig. 10.
    ///
    /// # Errors
    /// As for [`Net::train`], and if a watched set does not fit the net.
    pub fn train_watching(
        &mut self,
        set: &Dataset,
        recipe: &Recipe,
        watched: &[&Dataset],
    ) -> Result<Log> {
        let sets = Sets::new(self, set, recipe, watched)?;
        let state = State::new(self);
        let (checkpoint, state) = match &recipe.checkpoint {
            None => (None, state),
            Some(path) => {
                let (checkpoint, state) = Checkpoint::open(path, state, &sets, recipe)?;
                (Some(checkpoint), state)
            }
        };
        let mut trainer = Trainer::new(state, recipe);
        trainer.epochs(&sets, checkpoint.as_ref(), recipe.epochs)?;
        let State { net, log: epochs, .. } = trainer.state();
        *self = net;
        let watched = watched.iter().map(|set| set.name.clone()).collect();
        Ok(Log { set: set.name.clone(), recipe: recipe.clone(), watched, epochs })
    }
}

/// A training under way.
struct Trainer<'a> {
    architecture: Architecture,
    recipe: &'a Recipe,
    learner: Arc<Mutex<Learner>>,
    sgd: Sgd,
    log: Vec<Epoch>,
}

/// What an epoch adds up.
#[derive(Default)]
struct Tally {
    images: usize,
    right: usize,
    loss: f64,
}

impl<'a> Trainer<'a> {
    fn new(state: State, recipe: &'a Recipe) -> Self {
        let State { net: Net { architecture, weights }, sgd, log } = state;
        let learner = Learner { weights, training: Training::new(Isa::detect()) };
        Self { architecture, recipe, learner: Arc::new(Mutex::new(learner)), sgd, log }
    }

    fn learner(&self) -> MutexGuard<'_, Learner> {
        self.learner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn net(&self) -> Net {
        let weights = self.learner().weights.clone();
        Net { architecture: self.architecture.clone(), weights }
    }

    fn state(&self) -> State {
        State { net: self.net(), sgd: self.sgd.clone(), log: self.log.clone() }
    }

    /// Goes on until `end` epochs are done.
    fn epochs(&mut self, sets: &Sets, checkpoint: Option<&Checkpoint>, end: usize) -> Result<()> {
        let set = sets.learned.as_ref();
        let label = format!("training on {}", set.name);
        let progress = Progress::start(&label, "images", self.recipe.epochs * set.len());
        progress.advance(self.log.len() * set.len());
        for epoch in self.log.len()..end {
            let start = Instant::now();
            let tally = self.epoch(set, epoch, &progress)?;
            let seconds = start.elapsed().as_secs_f64();
            let (validation, watched) = sets.look(&self.net())?;
            self.log.push(Epoch {
                loss: tally.loss / tally.images as f64,
                accuracy: tally.right as f64 / tally.images as f64,
                validation,
                watched,
                seconds,
            });
            if let Some(checkpoint) = checkpoint {
                checkpoint.save(&self.state())?;
            }
        }
        Ok(())
    }

    fn epoch(&mut self, set: &Dataset, epoch: usize, progress: &Progress) -> Result<Tally> {
        let order = batches::order(self.recipe, epoch, set.len());
        let steps = set.len().div_ceil(self.recipe.batch);
        let mut tally = Tally::default();
        for (step, indices) in order.chunks(self.recipe.batch).enumerate() {
            let (pictures, labels) = batches::batch(self.recipe, set, epoch, indices)?;
            let share =
                self.recipe.schedule.share(epoch * steps + step, self.recipe.epochs * steps, epoch);
            self.step(pictures, &labels, self.recipe.learning_rate * share, &mut tally)?;
            if !tally.loss.is_finite() {
                let found = format!("{} in epoch {}, step {}", tally.loss, epoch + 1, step + 1);
                return Err(diverged("a finite loss", found));
            }
            progress.advance(indices.len());
            let loss = tally.loss / tally.images as f64;
            progress.note(format!("epoch {}, loss {loss:.2}", epoch + 1));
        }
        // The last step may break the weights after the last loss was still finite.
        let learner = self.learner();
        match learner.weights.parameters().into_iter().flatten().find(|p| !p.is_finite()) {
            Some(p) => Err(diverged("finite weights", format!("{p} after epoch {}", epoch + 1))),
            None => Ok(tally),
        }
    }

    fn step(
        &mut self,
        pictures: Vec<f32>,
        labels: &[usize],
        rate: f32,
        tally: &mut Tally,
    ) -> Result<()> {
        let parameters = engine::parameters(&self.learner().weights);
        let x = engine::batch(pictures, labels.len());
        let logits = engine::training(&self.learner, &parameters, x.leaky_traced());
        let (logits, tape) = logits.split_tape();
        tally.count(&engine::values(&logits), labels);
        let loss = engine::cross_entropy(logits.put_tape(tape), labels);
        tally.loss += f64::from(loss.array()) * labels.len() as f64;
        let gradients = loss.backward();
        let Recipe { momentum, weight_decay, .. } = *self.recipe;
        let step = Step { rate, momentum, weight_decay };
        // Not by `learner()`, which would borrow the optimizer as well.
        let mut learner = self.learner.lock().unwrap_or_else(PoisonError::into_inner);
        let values = learner.weights.parameters_mut().into_iter();
        for (index, (value, parameter)) in values.zip(&parameters).enumerate() {
            let gradient = engine::values(&gradients.get(parameter));
            self.sgd.step(step, index, value, &gradient);
        }
        Ok(())
    }
}

fn diverged(expected: &str, found: String) -> Error {
    let remedy = "The training has diverged and the net is as it was: lower the learning rate.";
    Error::invalid(expected, found, remedy)
}

impl Tally {
    fn count(&mut self, logits: &[f32], labels: &[usize]) {
        self.images += labels.len();
        for (row, label) in logits.chunks(logits.len() / labels.len()).zip(labels) {
            self.right += usize::from(judge::highest(row.iter().copied()) == *label);
        }
    }
}

/// A training that ends after some of its epochs, as an interrupted one does.
#[cfg(test)]
pub(super) fn broken_off(net: &Net, set: &Dataset, recipe: &Recipe, after: usize) {
    let sets = Sets::new(net, set, recipe, &[]).expect("they fit");
    let path = recipe.checkpoint.as_ref().expect("it has a checkpoint");
    let opened = Checkpoint::open(path, State::new(net), &sets, recipe);
    let (checkpoint, state) = opened.expect("it can be written");
    let mut trainer = Trainer::new(state, recipe);
    trainer.epochs(&sets, Some(&checkpoint), after).expect("it trains");
}
