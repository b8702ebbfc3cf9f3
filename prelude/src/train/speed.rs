//! How long a training will take, before it starts.

use super::checkpoint::State;
use super::trainer::Trainer;
use super::{Recipe, batches};
use crate::data::Dataset;
use crate::net::Net;
use crate::show::Progress;
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// For how long steps are timed, at least.
const TIMED: Duration = Duration::from_millis(300);

impl Net {
    /// Images a second that a training by `recipe` learns here, from a few steps of a copy of the net.
    ///
    /// # Errors
    /// If the set is empty, inconsistent or does not fit the net, or if the user interrupts it.
    pub fn training_speed(&self, set: &Dataset, recipe: &Recipe) -> Result<f64> {
        set.check()?;
        self.check(&set.images, Some(&set.labels))?;
        let count = recipe.batch.min(set.len());
        if count == 0 {
            let remedy = "Give the recipe a batch of 1 or more.";
            return Err(Error::invalid("a batch with images", "none", remedy));
        }
        let indices: Vec<usize> = (0..count).collect();
        let mut trainer = Trainer::new(State::new(self), recipe)?;
        let progress = Progress::start_quietly("timing a training", "steps", 1);
        let mut step = || -> Result<()> {
            progress.check_interrupt()?;
            let (pictures, labels) = batches::batch(recipe, set, 0, &indices)?;
            trainer.learn(pictures, &labels, 0, 1, &progress).map(drop)
        };
        step()?; // The first makes the buffers that the others reuse.
        let (start, mut steps) = (Instant::now(), 0);
        while start.elapsed() < TIMED || steps < 2 {
            step()?;
            steps += 1;
        }
        Ok((steps * count) as f64 / start.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{DATA, net, recipe, says};

    #[test]
    fn a_speed_is_measured_on_a_copy() {
        let before = net(3);
        let speed = before.training_speed(&DATA.train, &recipe()).unwrap();
        assert!(speed.is_finite() && speed > 1.0, "{speed}");
        assert_eq!(before, net(3));
    }

    #[test]
    fn nothing_to_train_on_is_an_error() {
        let none = crate::train::Recipe { batch: 0, ..recipe() };
        says(net(3).training_speed(&DATA.train, &none), &["a batch with images"]);
    }
}
