//! The loop: batches, the loss on dfdx's tape, a step down, and once an epoch a look at the rest.

use super::checkpoint::Checkpoint;
use super::descent::{Descent, Seen};
use super::sgd::Step;
use super::{Epoch, Log, Recipe, batches};
use crate::data::Dataset;
use crate::engine::Isa;
use crate::net::Net;
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
        set.check()?;
        for set in watched {
            set.check()?;
            self.check(&set.images, Some(&set.labels))?;
        }
        self.check(&set.images, Some(&set.labels))?;
        recipe.check(set.len())?;
        let (held_out, set) = match recipe.validation {
            0 => (None, set.clone()),
            count => {
                let (rest, held_out) = set.split(count, recipe.seed)?;
                (Some(held_out), rest)
            }
        };
        let mut trainer = Trainer::new(self, recipe);
        let mut checkpoint = Checkpoint::open(self, &set, recipe)?;
        trainer.resume(&mut checkpoint)?;
        trainer.epochs(&set, held_out.as_ref(), watched, &mut checkpoint)?;
        let (net, epochs) = (trainer.net(), trainer.log);
        *self = net;
        let watched = watched.iter().map(|set| set.name.clone()).collect();
        Ok(Log { set: set.name.clone(), recipe: recipe.clone(), watched, epochs })
    }
}

/// A training under way.
struct Trainer<'a> {
    start: &'a Net,
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
    fn new(net: &'a Net, recipe: &'a Recipe) -> Self {
        let descent = Descent::new(net.weights.clone(), Isa::detect());
        Self { start: net, recipe, descent, log: Vec::new() }
    }

    fn net(&self) -> Net {
        Net { architecture: self.start.architecture.clone(), weights: self.descent.weights() }
    }

    fn resume(&mut self, checkpoint: &mut Option<Checkpoint>) -> Result<()> {
        if let Some(state) = checkpoint.as_mut().and_then(Checkpoint::take) {
            self.descent.resume(state.net.weights, state.sgd);
            self.log = state.log;
        }
        Ok(())
    }

    fn epochs(
        &mut self,
        set: &Dataset,
        held_out: Option<&Dataset>,
        watched: &[&Dataset],
        checkpoint: &mut Option<Checkpoint>,
    ) -> Result<()> {
        let label = format!("training on {}", set.name);
        let progress = Progress::start(&label, "images", self.recipe.epochs * set.len());
        progress.advance(self.log.len() * set.len());
        for epoch in self.log.len()..self.recipe.epochs {
            let start = Instant::now();
            let tally = self.epoch(set, epoch, &progress)?;
            let seconds = start.elapsed().as_secs_f64();
            let net = self.net();
            let look = |set: &Dataset| judge::accuracy(&net, set);
            let validation = held_out.map(look).transpose()?;
            let watched = watched.iter().map(|set| look(set)).collect::<Result<_>>()?;
            self.log.push(Epoch {
                loss: tally.loss / tally.images as f64,
                accuracy: tally.right as f64 / tally.images as f64,
                validation,
                watched,
                seconds,
            });
            if let Some(checkpoint) = checkpoint {
                checkpoint.save(&net, &self.descent.sgd, &self.log)?;
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
                return Err(Error::invalid(
                    "a finite loss",
                    format!("{} in epoch {}, step {}", tally.loss, epoch + 1, step + 1),
                    "The training has diverged and the net is as it was: lower the learning rate.",
                ));
            }
            progress.advance(indices.len());
            let loss = tally.loss / tally.images as f64;
            progress.note(format!("epoch {}, loss {loss:.2}", epoch + 1));
        }
        Ok(tally)
    }
}

impl Tally {
    fn count(&mut self, seen: &Seen, labels: &[usize]) {
        self.images += labels.len();
        self.loss += f64::from(seen.loss) * labels.len() as f64;
        let classes = seen.logits.len() / labels.len();
        for (row, label) in seen.logits.chunks(classes).zip(labels) {
            let highest = row.iter().all(|logit| *logit <= row[*label]);
            self.right += usize::from(highest);
        }
    }
}
