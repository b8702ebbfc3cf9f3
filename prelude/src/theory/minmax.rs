//! Maximum likelihood against an adversary, solved by steps: the adversary answers exactly, then the
//! variances take a Newton step.
//!
//! Along the axes of Σ, with the precisions `p = 1 / σ` for unknowns, one minimises
//!
//! `−½ Σᵢ ln pᵢ + ½ mean over v of max_δ Σᵢ pᵢ (vᵢ + δᵢ)²`, with `‖δ‖ = ε`.
//!
//! A maximum of linear functions of `p` is convex, so there is one minimum, and Newton's method with
//! a line search finds it. Steps that only set every variance to what the adversary left of it go
//! round in circles where ε is large.

use nalgebra::{Cholesky, DMatrix, DVector};
use ndarray::{Array1, Array2, Axis, Zip};

use crate::{Error, Result};

/// More steps than any problem was seen to need (about 40).
const STEPS: usize = 300;
/// It has arrived where a step promises less than this, in nats.
const ARRIVED: f64 = 1e-22;
/// Rounding can hide an improvement of less than this.
const HIDDEN: f64 = 1e-9;
/// Halvings of an interval of logarithms, enough for the last bit of a double.
const HALVINGS: usize = 80;

/// The variances along the axes that are best against the adversary.
///
/// `squares`: one row for each deviation `v`, `vᵢ²` along the axes. The relaxed problem has one row,
/// the true variances; the problem with a bound for every point has one row a point.
///
/// # Errors
/// If it does not arrive, which no problem was seen to do.
pub fn best_variances(squares: &Array2<f64>, epsilon: f64) -> Result<Array1<f64>> {
    let mean = squares.mean_axis(Axis(0)).expect("there is a row");
    let start = mean.mapv(|value| 1.0 / (value + epsilon * epsilon / mean.len() as f64));
    let mut here = Position::at(start, squares, epsilon);
    let mut before = f64::INFINITY;
    for _ in 0..STEPS {
        let Some((step, promise)) = here.newton(squares) else { break };
        // Near the end a promise is the square of the one before, until it is rounding and nothing else.
        let is_rounding = promise < HIDDEN && promise > 0.5 * before;
        if promise < ARRIVED || is_rounding {
            return Ok(here.precisions.recip());
        }
        before = promise;
        match here.along(&step, promise, squares, epsilon) {
            Some(next) => here = next,
            None if promise < HIDDEN => return Ok(here.precisions.recip()),
            None => break,
        }
    }
    Err(Error::invalid(
        format!("variances that settle within {STEPS} steps"),
        "none",
        "Please report the numbers; `closed_form` has no steps.",
    ))
}

/// Where the adversary moves deviations (`n × d`, along the axes of these variances).
#[cfg(test)]
pub fn moved(variances: &Array1<f64>, deviations: &Array2<f64>, epsilon: f64) -> Array2<f64> {
    let precisions = variances.recip();
    let mut moved = deviations.clone();
    for mut row in moved.rows_mut() {
        let squares: Vec<f64> = row.iter().map(|v| v * v).collect();
        let gaps = answer(&precisions, &squares, epsilon);
        row.iter_mut().zip(&precisions).zip(gaps).for_each(|((v, p), gap)| *v *= 1.0 + p / gap);
    }
    moved
}

/// Precisions, what the adversary answers, and what it costs.
struct Position {
    precisions: Array1<f64>,
    /// For each row: its λ less each precision, above 0.
    above: Array2<f64>,
    cost: f64,
}

impl Position {
    fn at(precisions: Array1<f64>, squares: &Array2<f64>, epsilon: f64) -> Self {
        let mut above = Array2::zeros(squares.dim());
        let mut stretched = 0.0;
        Zip::from(squares.rows()).and(above.rows_mut()).for_each(|squares, mut above| {
            let squares: Vec<f64> = squares.to_vec();
            let gaps = answer(&precisions, &squares, epsilon);
            for (i, gap) in gaps.iter().enumerate() {
                above[i] = *gap;
                stretched += precisions[i] * squares[i] * (1.0 + precisions[i] / gap).powi(2);
            }
        });
        let cost = 0.5 * (stretched / squares.nrows() as f64 - precisions.mapv(f64::ln).sum());
        Self { precisions, above, cost }
    }

    /// The Newton step in the logarithms of the precisions, and how much the cost falls along it at
    /// first.
    fn newton(&self, squares: &Array2<f64>) -> Option<(Array1<f64>, f64)> {
        let d = self.precisions.len();
        let share = 1.0 / squares.nrows() as f64;
        let mut slope = DVector::from_element(d, -0.5);
        let mut curvature = DMatrix::from_diagonal_element(d, d, 0.5);
        let mut pull = DVector::zeros(d);
        for (squares, above) in squares.rows().into_iter().zip(self.above.rows()) {
            let mut held = 0.0;
            for i in 0..d {
                let (p, square, gap) = (self.precisions[i], squares[i], above[i]);
                let (lambda, moved) = (p + gap, p / gap);
                slope[i] += share * 0.5 * p * square * (1.0 + moved).powi(2);
                curvature[(i, i)] += share * p * p * square * lambda * lambda / gap.powi(3);
                pull[i] = p * square * moved * lambda / (gap * gap);
                held += square * moved * moved / gap;
            }
            // λ gives way when a precision changes.
            curvature.ger(-share / held, &pull, &pull, 1.0);
        }
        let step = -Cholesky::new(curvature)?.solve(&slope);
        let promise = -slope.dot(&step);
        Some((step.iter().copied().collect(), promise))
    }

    /// Goes along a step as far as the cost falls as it should.
    fn along(
        &self,
        step: &Array1<f64>,
        promise: f64,
        squares: &Array2<f64>,
        epsilon: f64,
    ) -> Option<Self> {
        let rounding = 1e-13 * self.cost.abs();
        let lengths = std::iter::successors(Some(1.0), |length| Some(length / 2.0)).take(40);
        lengths.map(|length| (length, &self.precisions * &(step * length).mapv(f64::exp))).find_map(
            |(length, precisions)| {
                let next = Self::at(precisions, squares, epsilon);
                let enough = self.cost - 1e-4 * length * promise + rounding;
                (next.cost <= enough).then_some(next)
            },
        )
    }
}

/// The adversary's best answer to one deviation: it moves along each axis by `p / (λ − p)` of the
/// deviation, with the λ that makes the move `epsilon` long. Gives `λ − p` for each axis. Paper:
/// Lemmas 1 and 2, `δ = (λΣ − I)⁻¹ v`.
fn answer(precisions: &Array1<f64>, squares: &[f64], epsilon: f64) -> Vec<f64> {
    let most = precisions.iter().copied().fold(0.0, f64::max);
    let weights: Vec<f64> =
        squares.iter().zip(precisions).map(|(square, p)| square * (p / most).powi(2)).collect();
    let gaps: Vec<f64> = precisions.iter().map(|p| (most - p) / most).collect();
    let all: f64 = weights.iter().sum();
    let steepest = weights.iter().zip(&gaps).filter(|(_, gap)| **gap == 0.0);
    let top: f64 = steepest.map(|(weight, _)| weight).sum();
    // A deviation of 0 along the steepest axis leaves λ free; any tiny one decides it.
    let mut low = (top.max(f64::MIN_POSITIVE).sqrt() / epsilon).ln() - 1e-9;
    let mut high = (all.max(f64::MIN_POSITIVE).sqrt() / epsilon).ln() + 1e-9;
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        let beyond = middle.exp();
        let moved = |(weight, gap): (&f64, &f64)| weight / (gap + beyond).powi(2);
        let length: f64 = weights.iter().zip(&gaps).map(moved).sum();
        if length > epsilon * epsilon {
            low = middle;
        } else {
            high = middle;
        }
    }
    let beyond = f64::midpoint(low, high).exp();
    gaps.iter().map(|gap| most * (gap + beyond)).collect()
}
