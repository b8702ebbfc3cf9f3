//! What an attack can make larger in order to get away from a class.

use crate::{Error, Result};

/// A number that says how wrong logits are, given the right class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The cross-entropy, as in training. Paper: C.3.
    CrossEntropy,
    /// The highest logit of a wrong class minus that of the right one, as Carlini and Wagner have it.
    /// Unlike the cross-entropy it keeps its slope where the net is sure. Paper: D.2.
    Margin,
    /// The difference of logits ratio: the margin over the distance from the highest logit to the
    /// third, so that the scale of the logits does not matter (Croce and Hein, 2020). For three classes
    /// or more.
    Dlr,
}

/// Keeps the ratio finite where all logits are equal.
pub(crate) const SMALL: f32 = 1e-12;

impl Loss {
    /// `cross-entropy`, `margin` or `DLR`.
    pub fn name(self) -> &'static str {
        match self {
            Loss::CrossEntropy => "cross-entropy",
            Loss::Margin => "margin",
            Loss::Dlr => "DLR",
        }
    }

    /// The loss of logits whose right class is `class`.
    pub(crate) fn value(self, logits: &[f32], class: usize) -> f32 {
        match self {
            Loss::CrossEntropy => {
                let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let total: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
                total.ln() + most - logits[class]
            }
            Loss::Margin => logits[best_other(logits, class)] - logits[class],
            Loss::Dlr => {
                let [first, third] = first_and_third(logits);
                let margin = Loss::Margin.value(logits, class);
                margin / (logits[first] - logits[third] + SMALL)
            }
        }
    }

    /// Turns logits into the loss's gradient with respect to them.
    pub(crate) fn slope(self, logits: &mut [f32], class: usize) {
        match self {
            Loss::CrossEntropy => {
                // What is missing to certainty.
                let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                logits.iter_mut().for_each(|logit| *logit = (*logit - most).exp());
                let total: f32 = logits.iter().sum();
                logits.iter_mut().for_each(|share| *share /= total);
                logits[class] -= 1.0;
            }
            Loss::Margin => {
                let other = best_other(logits, class);
                logits.fill(0.0);
                logits[other] += 1.0;
                logits[class] -= 1.0;
            }
            Loss::Dlr => {
                let other = best_other(logits, class);
                let [first, third] = first_and_third(logits);
                let margin = logits[other] - logits[class];
                let distance = logits[first] - logits[third] + SMALL;
                logits.fill(0.0);
                logits[other] += 1.0 / distance;
                logits[class] -= 1.0 / distance;
                logits[first] -= margin / (distance * distance);
                logits[third] += margin / (distance * distance);
            }
        }
    }

    /// Whether there are enough classes for the loss.
    pub(crate) fn check(self, classes: usize) -> Result<()> {
        let least = match self {
            Loss::CrossEntropy => 1,
            Loss::Margin => 2,
            Loss::Dlr => 3,
        };
        if classes >= least {
            return Ok(());
        }
        Err(Error::invalid(
            format!("{least} classes or more for the {} loss", self.name()),
            format!("a net of {classes}"),
            "Take the cross-entropy.",
        ))
    }
}

/// The wrong class with the highest logit.
fn best_other(logits: &[f32], class: usize) -> usize {
    let others = (0..logits.len()).filter(|other| *other != class);
    others.max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap_or(class)
}

/// The classes of the highest and of the third highest logit.
fn first_and_third(logits: &[f32]) -> [usize; 2] {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    [order[0], order[2.min(order.len() - 1)]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::says;

    const LOGITS: [f32; 5] = [0.3, -1.2, 2.0, 0.9, -0.4];

    #[test]
    fn the_losses_are_what_their_papers_say() {
        // log Σ exp z - 0.9, computed in double precision.
        assert!((Loss::CrossEntropy.value(&LOGITS, 3) - 1.598_977).abs() < 1e-6);
        assert!((Loss::Margin.value(&LOGITS, 3) - 1.1).abs() < 1e-6);
        assert!((Loss::Margin.value(&LOGITS, 2) + 1.1).abs() < 1e-6);
        // The highest is 2, the third 0.3.
        assert!((Loss::Dlr.value(&LOGITS, 3) - 1.1 / 1.7).abs() < 1e-6);
        assert!((Loss::Dlr.value(&LOGITS, 2) + 1.1 / 1.7).abs() < 1e-6);
    }

    #[test]
    fn a_slope_is_how_the_loss_changes() {
        for loss in [Loss::CrossEntropy, Loss::Margin, Loss::Dlr] {
            for class in 0..LOGITS.len() {
                let mut slope = LOGITS;
                loss.slope(&mut slope, class);
                for (place, slope) in slope.iter().enumerate() {
                    let at = |by: f32| {
                        let mut moved = LOGITS;
                        moved[place] += by;
                        loss.value(&moved, class)
                    };
                    // The step 1e-2 leaves an error of its square; rounding 1e-7 over it.
                    let found = (at(1e-2) - at(-1e-2)) / 2e-2;
                    assert!(
                        (found - slope).abs() < 1e-3,
                        "{loss:?} {class} {place}: {found} {slope}"
                    );
                }
            }
        }
    }

    #[test]
    fn too_few_classes_are_an_error() {
        assert!(Loss::Dlr.check(3).is_ok() && Loss::Margin.check(2).is_ok());
        says(Loss::Dlr.check(2), &["3 classes or more for the DLR loss", "net of 2"]);
    }
}
