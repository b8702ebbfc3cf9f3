//! What people see of a training under way.

use super::curve::Curve;
use super::tally::Tally;
use super::{Epoch, Recipe};
use crate::data::Dataset;
use crate::show::Progress;

/// How far a training is, and its loss.
pub(super) struct Watch {
    pub progress: Progress,
    curve: Curve,
    /// Of an epoch.
    images: usize,
}

impl Watch {
    /// Of a training of which the epochs in `log` are done, and `tally` of the next one.
    pub fn start(set: &Dataset, recipe: &Recipe, log: &[Epoch], tally: &Tally) -> Self {
        let (images, steps) = (set.len(), recipe.epochs * set.len().div_ceil(recipe.batch));
        let progress =
            Progress::start(&format!("training on {}", set.name), "images", recipe.epochs * images);
        progress.skip(log.len() * images + tally.images);
        let curve = Curve::start(&format!("Training on {}", set.name), steps, log);
        Self { progress, curve, images }
    }

    /// Tells of a step in `epoch` (from 0) that learned so many images.
    pub fn step(&mut self, epoch: usize, tally: &Tally, images: usize, loss: f32) {
        self.progress.advance(images);
        let mean = tally.loss / tally.images as f64;
        self.progress.note(format!("epoch {}, loss {mean:.2}", epoch + 1));
        self.curve.step(epoch as f64 + tally.images as f64 / self.images as f64, loss);
    }
}
