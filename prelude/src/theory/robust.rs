//! What maximum likelihood learns against an adversary: Theorem 2, and two ways to check it.

use ndarray::{Array1, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::minmax::best_variances;
use super::{Gaussian, check_epsilon, check_samples};
use crate::Result;

crate::show::shows_as_text!(Robust);

/// What is learned against an adversary. The means stay as they are (Theorem 2).
#[derive(Clone, Debug, PartialEq)]
pub struct Robust {
    /// `Θ_r = (μ*, Σ_r)`.
    pub gaussian: Gaussian,
    /// The multiplier of the adversary's bound; infinite for ε = 0.
    pub lambda: f64,
}

/// What was learned, and λ.
impl std::fmt::Display for Robust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, λ = {:.4}", self.gaussian, self.lambda)
    }
}

/// Theorem 2: `Σ_r = ½ Σ* + I/λ + √(Σ*/λ + ¼ Σ*²)`, with the one λ for which the adversary's mean
/// square move is `epsilon²`.
///
/// The adversary is the relaxed one of appendix E.3: it moves the point `x` by `M (x − μ)`, one matrix
/// for all points. The paper proves it below some ε₀; the formula has a λ for every ε.
///
/// # Errors
/// If `epsilon` is negative or not finite.
pub fn closed_form(truth: &Gaussian, epsilon: f64) -> Result<Robust> {
    check_epsilon(epsilon)?;
    if epsilon == 0.0 {
        return Ok(Robust { gaussian: truth.clone(), lambda: f64::INFINITY });
    }
    let lambda = multiplier(truth.eigenvalues(), epsilon);
    // Σ_r = Σ* (I + M)² with M = (λΣ_r − I)⁻¹ is the theorem's formula, without its rounding.
    let values =
        truth.eigenvalues().mapv(|value| value * (1.0 + 1.0 / excess(lambda * value)).powi(2));
    Ok(Robust { gaussian: truth.with_eigenvalues(&values)?, lambda })
}

/// The same problem without the theorem: the adversary's best matrix and the learner's best variances
/// in turns, until neither changes. The two agree to six digits and more.
///
/// # Errors
/// If `epsilon` is negative or not finite.
pub fn by_steps(truth: &Gaussian, epsilon: f64) -> Result<Gaussian> {
    check_epsilon(epsilon)?;
    if epsilon == 0.0 {
        return Ok(truth.clone());
    }
    let squares = truth.eigenvalues().clone().insert_axis(Axis(0));
    truth.with_eigenvalues(&best_variances(&squares, epsilon)?)
}

/// What the paper means before it relaxes anything: the adversary moves every single point by its own
/// best `δ` with `‖δ‖ = epsilon` (Lemma 1). By Monte Carlo, with `samples` points and this `seed`;
/// for one dimension `σ_r = σ + 2ε√(2σ/π) + ε²`.
///
/// # Errors
/// If `epsilon` is negative or not finite, or there are no samples.
pub fn against_every_point(
    truth: &Gaussian,
    epsilon: f64,
    samples: usize,
    seed: u64,
) -> Result<Gaussian> {
    check_epsilon(epsilon)?;
    check_samples(samples, 1)?;
    if epsilon == 0.0 {
        return Ok(truth.clone());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let squares = truth.deviations(samples, &mut rng).mapv(|v| v * v);
    truth.with_eigenvalues(&best_variances(&squares, epsilon)?)
}

/// λ Σ_r − 1, from λ Σ*.
fn excess(scaled: f64) -> f64 {
    0.5 * scaled + (scaled + 0.25 * scaled * scaled).sqrt()
}

/// The λ for which `Σᵢ σᵢ / (λ σ_r,i − 1)² = ε²`. The sum falls from infinity to 0.
fn multiplier(values: &Array1<f64>, epsilon: f64) -> f64 {
    let moved = |lambda: f64| -> f64 {
        values.iter().map(|value| value / excess(lambda * value).powi(2)).sum()
    };
    // No part of the sum is more than ε², and one is at least ε²/n. With t for λσ_r − 1, λσ = t²/(1+t).
    let at = |value: f64, count: f64| {
        let t = (value * count).sqrt() / epsilon;
        t * t / (1.0 + t) / value
    };
    let most =
        |count: f64| values.iter().map(|value| at(*value, count).ln()).fold(f64::MIN, f64::max);
    let (mut low, mut high) = (most(1.0) - 1e-9, most(values.len() as f64) + 1e-9);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if moved(middle.exp()) > epsilon * epsilon {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high).exp()
}
