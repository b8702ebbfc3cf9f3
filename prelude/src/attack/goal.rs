//! Where an attack wants the net to go: away from a class or toward one.

use crate::engine::Frozen;

/// What an attack makes larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The cross-entropy to the given classes.
    Away,
    /// Minus the cross-entropy to the given classes.
    Toward,
}

impl Goal {
    /// The gradient of each image's goal with respect to it; pictures `(n, pixels)`.
    pub fn gradient(self, net: &Frozen, pictures: &[f32], classes: &[usize]) -> Vec<f32> {
        net.gradient(pictures, |image, logits| self.slope(logits, classes[image]))
    }

    /// Turns an image's logits into the goal's gradient with respect to them: what is missing to
    /// certainty, upside down where the goal is to get away.
    fn slope(self, logits: &mut [f32], class: usize) {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        logits.iter_mut().for_each(|logit| *logit = (*logit - most).exp());
        let scale = match self {
            Goal::Away => 1.0,
            Goal::Toward => -1.0,
        };
        let total: f32 = logits.iter().sum();
        logits.iter_mut().for_each(|share| *share *= scale / total);
        logits[class] -= scale;
    }

    /// How far each image has come: its own share of the goal.
    pub fn reached(self, net: &Frozen, pictures: &[f32], classes: &[usize]) -> Vec<f32> {
        let logits = net.logits(pictures);
        let rows = logits.chunks(logits.len() / classes.len().max(1));
        rows.zip(classes)
            .map(|(row, &class)| {
                let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let total: f32 = row.iter().map(|logit| (logit - most).exp()).sum();
                let loss = total.ln() + most - row[class];
                match self {
                    Goal::Away => loss,
                    Goal::Toward => -loss,
                }
            })
            .collect()
    }
}
