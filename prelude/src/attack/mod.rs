//! Attacks: small changes to pictures that change what a net sees in them. Paper: sections 2 and C.

mod apgd;
mod goal;
mod gradient;
mod loss;
mod norm;
mod pgd;
mod ready;
mod trial;

pub use apgd::Apgd;
pub use gradient::gradient;
pub use loss::Loss;
pub use norm::Norm;
pub use pgd::{Pgd, fgsm};

pub(crate) use goal::Goal;
#[cfg(any(feature = "cuda", test))]
pub(crate) use loss::SMALL;
#[cfg(any(feature = "cuda", test))]
pub(crate) use ready::Decide;
pub(crate) use ready::{Hill, Move, OnDevice, Ready, Search, Step, Walk};

use crate::Result;
use crate::data::Images;
use crate::net::Net;
use std::fmt;

/// Something that moves pictures away from their classes within a ball; it names its numbers.
pub trait Attack: fmt::Display {
    /// The norm of the ball.
    fn norm(&self) -> Norm;

    /// The radius of the ball, in pixel units of [0, 1].
    fn epsilon(&self) -> f32;

    /// Moves each image away from its class in `labels`; `(n, 3, height, width)` in [0, 1], as floats.
    ///
    /// # Errors
    /// If a number of the attack is out of range, if images, labels and net do not fit together, or if
    /// the user interrupts it.
    fn perturb(&self, net: &Net, images: &Images, labels: &[usize]) -> Result<Images>;
}

#[cfg(test)]
mod tests;
