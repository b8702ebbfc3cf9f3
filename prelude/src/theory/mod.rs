//! Section 4 of the paper, where everything can be computed: two classes that are Gaussians, what
//! maximum likelihood learns of them, and what it learns when an adversary moves every point.
//!
//! `y` is −1 or +1 with equal odds, and `x ~ N(y μ*, Σ*)`. Learning gives `(μ, Σ)`, which decides by
//! the sign of `xᵀ Σ⁻¹ μ`. Lengths are in the units of `x`, and every `epsilon` is an ℓ2 radius in them.
//!
//! The appendix bounds what an adversary does by ε in some places and by ε² in others. Here it is
//! always ε²: `E‖δ‖² = ε²` or `‖δ‖ = ε`.

mod alignment;
mod angle;
mod gaussian;
mod minmax;
mod robust;
mod spectrum;
#[cfg(test)]
mod tests;
mod vulnerability;

pub use alignment::alignment;
pub use gaussian::Gaussian;
pub use robust::{Robust, against_every_point, by_steps, closed_form};
pub use vulnerability::{measured_vulnerability, vulnerability};

use crate::{Error, Result};

/// An ℓ2 radius in the units of the data.
fn check_epsilon(epsilon: f64) -> Result<()> {
    // Beyond 10¹⁰⁰ its square is no number any more.
    if (0.0..1e100).contains(&epsilon) {
        return Ok(());
    }
    Err(Error::invalid("an epsilon of at least 0", epsilon.to_string(), "Give a finite ℓ2 radius."))
}

fn check_samples(samples: usize, least: usize) -> Result<()> {
    if samples >= least {
        return Ok(());
    }
    let expected = format!("{least} samples or more");
    Err(Error::invalid(expected, samples.to_string(), "A few thousand give two digits."))
}
