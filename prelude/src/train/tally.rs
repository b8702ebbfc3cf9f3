//! What an epoch adds up while it is under way.

use super::descent::Seen;
use super::{Epoch, Interruption};
use crate::judge;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The sums over the batches that an epoch has learned so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// How many images they held.
    pub images: usize,
    /// How many of them the net saw rightly.
    right: usize,
    /// Their cross-entropies.
    pub loss: f64,
    seconds: f64,
}

impl Tally {
    /// Adds a batch that took so long.
    pub fn count(&mut self, seen: &Seen, labels: &[usize], took: Duration) {
        self.images += labels.len();
        self.loss += f64::from(seen.loss) * labels.len() as f64;
        self.seconds += took.as_secs_f64();
        let classes = seen.logits.len() / labels.len();
        for (row, label) in seen.logits.chunks(classes).zip(labels) {
            self.right += usize::from(judge::highest(row.iter().copied()) == *label);
        }
    }

    /// The line of the log, without what is looked at after the epoch.
    pub fn row(&self) -> Epoch {
        Epoch {
            loss: self.loss / self.images as f64,
            accuracy: self.right as f64 / self.images as f64,
            validation: None,
            robust: None,
            watched: Vec::new(),
            seconds: self.seconds,
        }
    }

    /// What an interrupt here says, behind `epochs` whole ones of so many images.
    pub fn interruption(&self, epochs: usize, images: usize) -> Interruption {
        Interruption {
            epochs: epochs as f64 + self.images as f64 / images as f64,
            unfinished: (self.images > 0).then(|| self.row()),
        }
    }
}
