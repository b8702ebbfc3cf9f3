//! Where an attack wants the net to go: away from a class or toward one.

use super::{Loss, Ready};
use crate::Result;

/// What an attack makes larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// This loss, with the given classes as the right ones.
    Away(Loss),
    /// Minus the cross-entropy to the given classes.
    Toward,
}

impl Goal {
    /// How far each image has come: its own share of the goal.
    pub fn reached(self, net: &dyn Ready, pictures: &[f32], classes: &[usize]) -> Result<Vec<f32>> {
        let logits = net.logits(pictures)?;
        let rows = logits.chunks(logits.len() / classes.len().max(1));
        Ok(rows.zip(classes).map(|(row, &class)| self.height(row, class)).collect())
    }

    /// The goal of an image with these logits.
    pub fn height(self, logits: &[f32], class: usize) -> f32 {
        match self {
            Goal::Away(loss) => loss.value(logits, class),
            Goal::Toward => -Loss::CrossEntropy.value(logits, class),
        }
    }

    /// Turns an image's logits into the goal's gradient with respect to them.
    pub fn slope(self, logits: &mut [f32], class: usize) {
        match self {
            Goal::Away(loss) => loss.slope(logits, class),
            Goal::Toward => {
                Loss::CrossEntropy.slope(logits, class);
                logits.iter_mut().for_each(|slope| *slope = -*slope);
            }
        }
    }
}
