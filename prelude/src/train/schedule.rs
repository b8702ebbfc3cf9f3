//! How the learning rate moves while a net trains.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

crate::show::shows_as_text!(Schedule);

/// The learning rate's share of its given value, over training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// It stays as it is.
    Constant,
    /// It is multiplied by `factor` every `every` epochs.
    Step {
        /// Epochs between two drops.
        every: usize,
        /// What a drop multiplies by.
        factor: f32,
    },
    /// It rises in a straight line over the first `warm_up` share of all steps, then falls to 0.
    OneCycle {
        /// The share of steps that rise, in (0, 1).
        warm_up: f32,
    },
}

impl Schedule {
    /// Whether every number is in its range.
    pub(crate) fn check(self) -> Result<()> {
        let (expected, found) = match self {
            Schedule::Step { every: 0, .. } => ("one epoch or more between two drops", "0".into()),
            Schedule::Step { factor, .. } if !(factor > 0.0 && factor.is_finite()) => {
                ("a factor above 0 for each drop", factor.to_string())
            }
            Schedule::OneCycle { warm_up } if !(warm_up > 0.0 && warm_up < 1.0) => {
                ("a warm-up above 0 and below 1, a share of all steps", warm_up.to_string())
            }
            _ => return Ok(()),
        };
        Err(Error::invalid(expected, found, "Change the recipe's schedule."))
    }

    /// The schedule of a training of `epochs` epochs for one of `others`: its drops come at the same shares of
    /// the way, to the nearest epoch, and at least one epoch apart.
    pub(crate) fn stretched(self, epochs: usize, others: usize) -> Self {
        let scaled = |every: usize| (every * others + epochs / 2) / epochs.max(1);
        match self {
            Schedule::Step { every, factor } => {
                Schedule::Step { every: scaled(every).max(1), factor }
            }
            // They know no epochs.
            Schedule::Constant | Schedule::OneCycle { .. } => self,
        }
    }

    /// The share of the learning rate at `step` of `steps`, in epoch `epoch` (from 0).
    pub fn share(self, step: usize, steps: usize, epoch: usize) -> f32 {
        match self {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => factor.powi((epoch / every.max(1)) as i32),
            Schedule::OneCycle { warm_up } => {
                let (at, peak) = ((step + 1) as f32, (warm_up * steps as f32).max(1.0));
                let fall = (steps as f32 - at) / (steps as f32 - peak).max(1.0);
                (at / peak).min(fall.max(0.0)).min(1.0)
            }
        }
    }
}

/// `one cycle with its peak after 25 % of all steps`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant => write!(f, "constant"),
            Schedule::Step { every, factor } => write!(f, "times {factor} every {every} epochs"),
            Schedule::OneCycle { warm_up } => {
                write!(f, "one cycle with its peak after {} % of all steps", 100.0 * warm_up)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_schedule_drops_after_every_so_many_epochs() {
        let schedule = Schedule::Step { every: 50, factor: 0.1 };
        let shares = [0, 49, 50, 100].map(|epoch| schedule.share(0, 1, epoch));
        assert_eq!(shares[..2], [1.0, 1.0]);
        assert!((shares[2] - 0.1).abs() < 1e-7 && (shares[3] - 0.01).abs() < 1e-8);
    }

    #[test]
    fn a_shorter_training_drops_at_the_same_shares_of_its_way() {
        let every = |epochs, others| match (Schedule::Step { every: 50, factor: 0.1 }
            .stretched(epochs, others))
        {
            Schedule::Step { every, factor: 0.1 } => every,
            other => panic!("{other}"),
        };
        let found = [150, 30, 20, 2, 1].map(|others| every(150, others));
        assert_eq!(found, [50, 10, 7, 1, 1]);
        let cycle = Schedule::OneCycle { warm_up: 0.25 };
        assert_eq!(cycle.stretched(150, 30), cycle);
    }

    #[test]
    fn one_cycle_rises_peaks_at_one_and_ends_at_zero() {
        let schedule = Schedule::OneCycle { warm_up: 0.25 };
        let shares: Vec<f32> = (0..100).map(|step| schedule.share(step, 100, 0)).collect();
        assert!(shares[..25].is_sorted() && shares[0] < 0.05);
        assert_eq!(shares[24], 1.0);
        assert!(shares[25..].is_sorted_by(|a, b| a > b));
        assert_eq!(shares[99], 0.0);
    }
}
