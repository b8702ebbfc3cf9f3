//! Attacks: small changes to pictures that change what a net sees in them. Paper: sections 2 and C.

mod descend;
mod goal;
mod gradient;
mod norm;
mod pgd;

pub use gradient::gradient;
pub use norm::Norm;
pub use pgd::{Pgd, fgsm};

pub(crate) use goal::Goal;

#[cfg(test)]
mod tests;
