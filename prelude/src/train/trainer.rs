//! The loop: batches, the loss on dfdx's tape, a step down, and once an epoch a look at the rest.

use super::checkpoint::{Checkpoint, State};
use super::descent::{Descent, Seen};
use super::sets::Sets;
use super::sgd::Step;
use super::{Epoch, Log, Recipe, batches};
use crate::data::Dataset;
use crate::engine::Isa;
use crate::net::{Architecture, Net};
use crate::show::Progress;
use crate::{Error, Result, judge};
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
    descent: Descent,
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
        let descent = Descent::resume(weights, sgd, Isa::detect());
        Self { architecture, recipe, descent, log }
    }

    fn net(&self) -> Net {
        Net { architecture: self.architecture.clone(), weights: self.descent.weights() }
    }

    fn state(&self) -> State {
        State { net: self.net(), sgd: self.descent.sgd.clone(), log: self.log.clone() }
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
            let Recipe { momentum, weight_decay, .. } = *self.recipe;
            let rate = self.recipe.learning_rate * share;
            let seen = self.descent.step(pictures, &labels, Step { rate, momentum, weight_decay });
            tally.count(&seen, &labels);
            if !tally.loss.is_finite() {
                let found = format!("{} in epoch {}, step {}", tally.loss, epoch + 1, step + 1);
                return Err(diverged("a finite loss", found));
            }
            progress.advance(indices.len());
            let loss = tally.loss / tally.images as f64;
            progress.note(format!("epoch {}, loss {loss:.2}", epoch + 1));
        }
        // The last step may break the weights after the last loss was still finite.
        match self.descent.weights().parameters().into_iter().flatten().find(|p| !p.is_finite()) {
            Some(p) => Err(diverged("finite weights", format!("{p} after epoch {}", epoch + 1))),
            None => Ok(tally),
        }
    }
}

fn diverged(expected: &str, found: String) -> Error {
    let remedy = "The training has diverged and the net is as it was: lower the learning rate.";
    Error::invalid(expected, found, remedy)
}

impl Tally {
    fn count(&mut self, seen: &Seen, labels: &[usize]) {
        self.images += labels.len();
        self.loss += f64::from(seen.loss) * labels.len() as f64;
        let classes = seen.logits.len() / labels.len();
        for (row, label) in seen.logits.chunks(classes).zip(labels) {
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
