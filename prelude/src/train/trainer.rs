//! The loop: batches, the loss on dfdx's tape, a step down, and once an epoch a look at the rest.

use super::checkpoint::{self, Checkpoint, State};
use super::descent::{Descend, Seen, resume};
use super::sets::{Looks, Sets};
use super::sgd::Step;
use super::tally::Tally;
use super::watch::Watch;
use super::{Epoch, Interruption, Log, Recipe, batches};
use crate::data::Dataset;
use crate::net::{Architecture, Net};
use crate::show::Progress;
use crate::{Error, Result, cache};
use std::path::Path;
use std::time::{Duration, Instant};

impl Net {
    /// Trains the net on a set by a recipe; the log shows itself as a chart.
    ///
    /// The same net, set and recipe give the same weights, bit for bit, on the same processor type.
    /// With a checkpoint in the recipe, a training that was broken off goes on from there, and ends as if it
    /// had not been: the state is kept after each epoch, every few minutes, and at an interrupt.
    ///
    /// An interrupt stops the training at the next batch. The net then stays half trained and the log
    /// says so; with a checkpoint, the same call goes on with that batch.
    ///
    /// # Errors
    /// If a number of the recipe is out of range, if the set is empty, inconsistent or does not fit the
    /// net, if the loss stops being finite (the net then stays as it was), or if a checkpoint
    /// cannot be written or belongs to another training.
    pub fn train(&mut self, set: &Dataset, recipe: &Recipe) -> Result<Log> {
        self.train_watching(set, recipe, &[])
    }

    /// [`Net::train`] that keeps its state and its end in the cache folder: the same call, in another
    /// notebook too, returns at once, or goes on where it was broken off.
    ///
    /// # Errors
    /// As for [`Net::train`], and if the cache folder cannot be written.
    pub fn train_once(&mut self, set: &Dataset, recipe: &Recipe) -> Result<Log> {
        self.train_kept_in(&cache::folder()?.join("nets"), set, recipe)
    }

    pub(super) fn train_kept_in(
        &mut self,
        folder: &Path,
        set: &Dataset,
        recipe: &Recipe,
    ) -> Result<Log> {
        let key = checkpoint::key(self, &Sets::new(self, set, recipe, &[])?, recipe);
        let (name, version) = (cache::plain(&recipe.name), env!("CARGO_PKG_VERSION"));
        let file = format!("{name}-{version}-{}.safetensors", &key[..16]);
        self.train(set, &recipe.clone().checkpoint(folder.join(file)))
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
        self.train_keeping(set, recipe, watched, cache::KEPT_EVERY)
    }

    /// [`Net::train_watching`] with a checkpoint that is at most so old.
    pub(super) fn train_keeping(
        &mut self,
        set: &Dataset,
        recipe: &Recipe,
        watched: &[&Dataset],
        every: Duration,
    ) -> Result<Log> {
        let sets = Sets::new(self, set, recipe, watched)?;
        let state = State::new(self);
        let (mut checkpoint, state) = match &recipe.checkpoint {
            None => (None, state),
            Some(path) => {
                let (checkpoint, state) = Checkpoint::open(path, every, state, &sets, recipe)?;
                (Some(checkpoint), state)
            }
        };
        let mut trainer = Trainer::new(state, recipe)?;
        let interrupted = trainer.epochs(&sets, checkpoint.as_mut(), recipe.epochs)?;
        let state = trainer.state()?;
        if let (Some(_), Some(checkpoint)) = (&interrupted, &mut checkpoint) {
            checkpoint.leave(&state, &sets, recipe)?;
        }
        let State { net, log: epochs, .. } = state;
        *self = net;
        let watched = watched.iter().map(|set| set.name.clone()).collect();
        Ok(Log { set: set.name.clone(), recipe: recipe.clone(), watched, epochs, interrupted })
    }
}

/// A training under way.
pub(super) struct Trainer<'a> {
    architecture: Architecture,
    recipe: &'a Recipe,
    descent: Box<dyn Descend>,
    log: Vec<Epoch>,
    /// Of the epoch that comes after those in the log.
    tally: Tally,
}

impl<'a> Trainer<'a> {
    pub(super) fn new(state: State, recipe: &'a Recipe) -> Result<Self> {
        let State { net, sgd, log, tally } = state;
        let descent = resume(&net, sgd)?;
        Ok(Self { architecture: net.architecture, recipe, descent, log, tally })
    }

    fn net(&self) -> Result<Net> {
        Ok(Net { architecture: self.architecture.clone(), weights: self.descent.weights()? })
    }

    fn state(&self) -> Result<State> {
        let (log, tally) = (self.log.clone(), self.tally.clone());
        Ok(State { net: self.net()?, sgd: self.descent.sgd()?, log, tally })
    }

    /// Goes on until `end` epochs are done, or until an interrupt.
    fn epochs(
        &mut self,
        sets: &Sets,
        mut checkpoint: Option<&mut Checkpoint>,
        end: usize,
    ) -> Result<Option<Interruption>> {
        let set = sets.learned.as_ref();
        let mut watch = Watch::start(set, self.recipe, &self.log, &self.tally);
        while self.log.len() < end {
            self.epoch(set, &mut watch, checkpoint.as_deref_mut())?;
            // The accuracies of an epoch that was cut short, or that nobody waits for, are not known.
            let looked = match self.tally.images == set.len() {
                true => stopped(sets.look(&self.net()?, self.recipe.adversary.as_ref()))?,
                false => None,
            };
            let Some(looked) = looked else {
                // The judge has told of itself alone, if it was the one to stop.
                let _told = watch.progress.check_interrupt();
                return Ok(Some(self.tally.interruption(self.log.len(), set.len())));
            };
            let Looks { validation, robust, watched } = looked;
            let row = std::mem::take(&mut self.tally).row();
            self.log.push(Epoch { validation, robust, watched, ..row });
            if let Some(checkpoint) = &mut checkpoint {
                checkpoint.save(&self.state()?)?;
            }
        }
        Ok(None)
    }

    /// What is left of an epoch, or as many batches of it as there are before an interrupt. The next batch
    /// is made while the net learns one.
    fn epoch(
        &mut self,
        set: &Dataset,
        watch: &mut Watch,
        mut checkpoint: Option<&mut Checkpoint>,
    ) -> Result<()> {
        let (recipe, epoch, mut clock) = (self.recipe, self.log.len(), Instant::now());
        let order = batches::order(recipe, epoch, set.len());
        let batches: Vec<&[usize]> = order.chunks(recipe.batch).collect();
        let make = |step: usize| {
            batches.get(step).map(|indices| batches::batch(recipe, set, epoch, indices)).transpose()
        };
        let done = self.tally.images.div_ceil(recipe.batch);
        let mut ready = make(done)?;
        for step in done..batches.len() {
            let Some((pictures, labels)) = ready.take() else { break };
            if stopped(watch.progress.check_interrupt())?.is_none() {
                break;
            }
            let number = epoch * batches.len() + step;
            let mut next = Ok(None);
            let seen = rayon::in_place_scope(|scope| {
                scope.spawn(|_| next = make(step + 1));
                self.learn(pictures, &labels, number, batches.len(), &watch.progress)
            });
            let Some(seen) = stopped(seen)? else { break };
            ready = next?;
            self.tally.count(&seen, &labels, clock.elapsed());
            clock = Instant::now();
            if !self.tally.loss.is_finite() {
                let found =
                    format!("{} in epoch {}, step {}", self.tally.loss, epoch + 1, step + 1);
                return Err(diverged("a finite loss", found));
            }
            watch.step(epoch, &self.tally, labels.len(), seen.loss);
            if let Some(checkpoint) = checkpoint.as_mut().filter(|checkpoint| checkpoint.is_due()) {
                checkpoint.save(&self.state()?)?;
            }
        }
        // The last step may break the weights after the last loss was still finite.
        match self.descent.weights()?.parameters().into_iter().flatten().find(|p| !p.is_finite()) {
            Some(p) => Err(diverged("finite weights", format!("{p} after epoch {}", epoch + 1))),
            None => Ok(()),
        }
    }

    /// Step `number` of all, where an epoch has `steps` of them.
    pub(super) fn learn(
        &mut self,
        pictures: Vec<f32>,
        labels: &[usize],
        number: usize,
        steps: usize,
        progress: &Progress,
    ) -> Result<Seen> {
        let Recipe { schedule, learning_rate, momentum, weight_decay, epochs, .. } = self.recipe;
        let pictures = self.attacked(pictures, labels, number, progress)?;
        let rate = learning_rate * schedule.share(number, epochs * steps, number / steps);
        let step = Step { rate, momentum: *momentum, weight_decay: *weight_decay };
        self.descent.step(pictures, labels, step)
    }

    /// The pictures of step `number` as the recipe's adversary leaves them.
    fn attacked(
        &self,
        pictures: Vec<f32>,
        labels: &[usize],
        number: usize,
        progress: &Progress,
    ) -> Result<Vec<f32>> {
        let Some(adversary) = &self.recipe.adversary else { return Ok(pictures) };
        let ready = self.descent.ready()?;
        let (first, go_on) = ((number * self.recipe.batch) as u64, || progress.check_interrupt());
        adversary.batch(&*ready, &pictures, labels, adversary.goal(), first, &go_on)
    }
}

/// `None` where an interrupt has stopped something.
fn stopped<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(Error::Interrupted { .. }) => Ok(None),
        result => result.map(Some),
    }
}

fn diverged(expected: &str, found: String) -> Error {
    let remedy = "The training has diverged and the net is as it was: lower the learning rate.";
    Error::invalid(expected, found, remedy)
}
