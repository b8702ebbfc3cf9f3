//! A net made ready to be asked and attacked: the same questions, whatever it runs on.

mod engine;
mod on_device;

pub(crate) use on_device::OnDevice;

use super::Norm;
use crate::Result;

/// A net in evaluation mode with fixed weights.
pub(crate) trait Ready {
    /// Logits `(n, classes)` of pictures `(n, pixels)` in [0, 1].
    fn logits(&self, pictures: &[f32]) -> Vec<f32>;

    /// The representations `(n, features)` of pictures `(n, pixels)`: what the linear layer reads.
    fn representations(&self, pictures: &[f32]) -> Vec<f32>;

    /// The values under a hill, a row a picture, and the hill's gradient with respect to the pictures,
    /// `(n, pixels)`.
    fn look(&self, pictures: &[f32], hill: Hill) -> (Vec<f32>, Vec<f32>);

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
}

/// What shall rise: a sum over pictures of a function of what the net says of each. It is given by its
/// slope, which turns the values of picture number `n` into its gradient with respect to them.
#[derive(Clone, Copy)]
pub(crate) enum Hill<'a> {
    /// Of a picture's logits.
    Logits(&'a Slope<'a>),
    /// Of a picture's representation. The last ReLU is taken as open everywhere on the way back: a
    /// feature that an image does not have at all would else have no gradient, and could never come
    /// into it.
    Representation(&'a Slope<'a>),
}

/// See [`Hill`].
pub(crate) type Slope<'a> = dyn Fn(usize, &mut [f32]) + Sync + 'a;

/// The ball in which a search stays, and how it walks: every number in pixel units of [0, 1].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub norm: Norm,
    pub epsilon: f32,
    pub step_size: f32,
    pub steps: usize,
}
