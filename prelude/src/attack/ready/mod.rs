//! A net made ready to be asked and attacked: the same questions, whatever it runs on.

mod engine;
mod on_device;
mod search;
#[cfg(test)]
mod tests;

pub(crate) use on_device::OnDevice;
pub(crate) use search::{Decide, Move, Search, Step};

use super::{Goal, Norm};
use crate::Result;

/// A net in evaluation mode with fixed weights. What goes wrong is a GPU's: too little memory, say.
pub(crate) trait Ready {
    /// Logits `(n, classes)` of pictures `(n, pixels)` in [0, 1].
    fn logits(&self, pictures: &[f32]) -> Result<Vec<f32>>;

    /// The representations `(n, features)` of pictures `(n, pixels)`: what the linear layer reads.
    fn representations(&self, pictures: &[f32]) -> Result<Vec<f32>>;

    /// The values under a hill, a row a picture, and the hill's gradient with respect to the pictures,
    /// `(n, pixels)`.
    fn look(&self, pictures: &[f32], hill: Hill) -> Result<(Vec<f32>, Vec<f32>)>;

    /// Projected gradient ascent from `x` up a hill, within the ball around `center` and within [0, 1]:
    /// the one loop behind attacks, adversarial training and feature inversion. `center`, `x`:
    /// `(n, pixels)`. An error of `go_on`, which is asked before every step, ends it.
    fn ascend(
        &self,
        walk: Walk,
        center: &[f32],
        x: Vec<f32>,
        hill: Hill,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<f32>>;

    /// A search in which each picture is told after every look what it does next: Auto-PGD. Where each
    /// ends, `(n, pixels)`; an error of `decide` ends all.
    fn search(&self, search: &Search, decide: &mut Decide) -> Result<Vec<f32>> {
        search::search(self, search, decide)
    }
}

/// What shall rise: a sum over pictures of a function of what the net says of each.
#[derive(Clone, Copy)]
pub(crate) enum Hill<'a> {
    /// A goal, given the class of each picture.
    Goal(Goal, &'a [usize]),
    /// Minus half the squared distance of each picture's representation to its aim, `(n, features)`.
    ///
    /// The last ReLU is taken as open everywhere on the way back: a feature that an image does not have at
    /// all would else have no gradient, and could never come into it.
    Toward(&'a [f32]),
}

/// The ball in which a search stays, and how it walks: every number in pixel units of [0, 1].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub norm: Norm,
    pub epsilon: f32,
    pub step_size: f32,
    pub steps: usize,
}

impl Hill<'_> {
    /// Turns the values of picture number `n` into the hill's gradient with respect to them.
    pub fn slope(self, n: usize, values: &mut [f32]) {
        match self {
            Hill::Goal(goal, classes) => goal.slope(values, classes[n]),
            Hill::Toward(aims) => {
                let aim = &aims[n * values.len()..][..values.len()];
                for (value, aim) in values.iter_mut().zip(aim) {
                    *value = aim - *value;
                }
            }
        }
    }
}
