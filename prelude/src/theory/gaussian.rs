//! Two classes that are Gaussians, mirror images of each other.

use std::f64::consts::{PI, SQRT_2};

use ndarray::{Array1, Array2, ArrayView1, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::check_epsilon;
use super::spectrum::Spectrum;
use crate::{Error, Result};

crate::show::shows_as_text!(Gaussian);

/// `y` is −1 or +1 with equal odds, and `x ~ N(y μ, Σ)`. Paper: section 4, equation (10).
///
/// The same parameters are what one learns, `Θ = (μ, Σ)`, and decide by the sign of `xᵀ Σ⁻¹ μ`.
///
/// ```
/// use erm::theory::Gaussian;
/// let truth = Gaussian::diagonal(&[-10.0, 1.0], &[25.0, 0.5])?;
/// assert_eq!(truth.condition(), 50.0);
/// assert!(truth.accuracy(&truth, 0.0)? > 0.98);
/// # Ok::<(), erm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    mean: Array1<f64>,
    pub(super) spectrum: Spectrum,
}

impl Gaussian {
    /// With the mean of the class +1 (`d` numbers) and the covariance of both (`d × d`).
    ///
    /// # Errors
    /// If the covariance is not symmetric and positive definite, or does not fit the mean.
    pub fn new(mean: Array1<f64>, covariance: Array2<f64>) -> Result<Self> {
        Self::with(mean, Spectrum::of(&covariance)?)
    }

    /// With a diagonal covariance.
    ///
    /// # Errors
    /// If there are not as many variances as means, or one is not above 0.
    pub fn diagonal(mean: &[f64], variances: &[f64]) -> Result<Self> {
        Self::with(mean.to_vec().into(), Spectrum::of_diagonal(variances)?)
    }

    pub(super) fn with(mean: Array1<f64>, spectrum: Spectrum) -> Result<Self> {
        let d = spectrum.values.len();
        if mean.len() != d || mean.iter().any(|value| !value.is_finite()) {
            return Err(Error::invalid(
                format!("a mean of {d} finite numbers, since the covariance is {d} × {d}"),
                format!("{mean:.3}"),
                "Give one number for each dimension.",
            ));
        }
        Ok(Self { mean, spectrum })
    }

    /// The same means, with other variances along the same axes, given in the order of
    /// [`Gaussian::eigenvalues`].
    pub(super) fn with_eigenvalues(&self, values: &Array1<f64>) -> Result<Self> {
        Self::with(self.mean.clone(), self.spectrum.with(values)?)
    }

    /// The maximum likelihood estimate from points (`n × d`) and their classes, −1 or +1.
    ///
    /// # Errors
    /// If classes and points differ in number, a class is another number, or there are too few points
    /// to tell all variances.
    pub fn fit(xs: &Array2<f64>, ys: &[f64]) -> Result<Self> {
        if xs.nrows() != ys.len() || ys.iter().any(|y| y.abs() != 1.0) {
            let found = format!("{} points and {} classes", xs.nrows(), ys.len());
            let remedy = "Take points and classes from `sample`.";
            return Err(Error::invalid("a class of −1 or +1 for each point", found, remedy));
        }
        let d = xs.ncols();
        if ys.len() <= d {
            let remedy = "Draw more, or take fewer dimensions.";
            let expected = format!("more than {d} points, to tell the variances of {d} dimensions");
            return Err(Error::invalid(expected, ys.len().to_string(), remedy));
        }
        let turned = xs * &Array1::from(ys.to_vec()).insert_axis(Axis(1));
        let mean = turned.mean_axis(Axis(0)).expect("there is a point");
        let centred = turned - &mean;
        let covariance = centred.t().dot(&centred) / ys.len() as f64;
        Self::new(mean, covariance)
    }

    /// Draws `n` points (`n × d`) and their classes.
    pub fn sample(&self, n: usize, seed: u64) -> (Array2<f64>, Vec<f64>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let ys: Vec<f64> = (0..n).map(|_| if rng.r#gen() { 1.0 } else { -1.0 }).collect();
        let signs = Array1::from(ys.clone()).insert_axis(Axis(1));
        let along_axes = self.deviations(n, &mut rng);
        (along_axes.dot(&self.spectrum.vectors.t()) + signs * &self.mean, ys)
    }

    /// `n` deviations from the mean, along the axes of the covariance.
    pub(super) fn deviations(&self, n: usize, rng: &mut ChaCha8Rng) -> Array2<f64> {
        let deviations = self.spectrum.values.mapv(f64::sqrt);
        let normal = || rng.sample::<f64, _>(StandardNormal);
        Array2::from_shape_simple_fn((n, self.dimension()), normal) * &deviations
    }

    /// Number `axis` of every point of one class, −1 or +1, for a picture of points from
    /// [`Gaussian::sample`]; none where there is no such number.
    pub fn coordinates(points: &Array2<f64>, classes: &[f64], class: f64, axis: usize) -> Vec<f64> {
        let of_class = points.rows().into_iter().zip(classes).filter(|(_, y)| **y == class);
        of_class.filter_map(|(point, _)| point.get(axis).copied()).collect()
    }

    /// The mean of the class +1.
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// The covariance of either class.
    pub fn covariance(&self) -> Array2<f64> {
        self.spectrum.matrix(&self.spectrum.values)
    }

    /// How many numbers a point has.
    pub fn dimension(&self) -> usize {
        self.mean.len()
    }

    /// The variances along the axes of the covariance, ascending.
    pub fn eigenvalues(&self) -> &Array1<f64> {
        &self.spectrum.values
    }

    /// The product of the variances along the axes, |Σ|.
    pub fn determinant(&self) -> f64 {
        self.spectrum.values.product()
    }

    /// The other class: the same covariance around −μ.
    pub fn mirrored(&self) -> Self {
        Self { mean: -&self.mean, spectrum: self.spectrum.clone() }
    }

    /// κ(Σ): the largest eigenvalue over the smallest.
    pub fn condition(&self) -> f64 {
        let values = &self.spectrum.values;
        values[values.len() - 1] / values[0]
    }

    /// Σ⁻¹ μ: where the score `xᵀ Σ⁻¹ μ` rises fastest, at every point.
    pub fn gradient(&self) -> Array1<f64> {
        self.spectrum.apply(&self.spectrum.values.recip(), &self.mean)
    }

    /// The density of the class +1 at a point.
    ///
    /// # Errors
    /// If the point has another dimension.
    pub fn density(&self, point: &[f64]) -> Result<f64> {
        let point = ArrayView1::from(point);
        if point.len() != self.dimension() {
            let expected = format!("a point of {} numbers", self.dimension());
            return Err(Error::invalid(expected, point.len().to_string(), "Give all of them."));
        }
        let mut exponent = 0.0;
        for (axis, value) in self.spectrum.vectors.columns().into_iter().zip(&self.spectrum.values)
        {
            let apart = point.iter().zip(&self.mean).zip(axis);
            let along: f64 = apart.map(|((x, mean), axis)| (x - mean) * axis).sum();
            exponent += along * along / value + (2.0 * PI * value).ln();
        }
        Ok((-0.5 * exponent).exp())
    }

    /// The share of points of `truth` on which this is right, in [0, 1], when an adversary moves each
    /// by up to `epsilon`. Exact: the decision is a plane.
    ///
    /// # Errors
    /// If the dimensions differ or `epsilon` is negative.
    pub fn accuracy(&self, truth: &Gaussian, epsilon: f64) -> Result<f64> {
        check_epsilon(epsilon)?;
        if truth.dimension() != self.dimension() {
            return Err(Error::invalid(
                format!("a truth of {} dimensions", self.dimension()),
                truth.dimension().to_string(),
                "Judge it on data of the kind that it has learned.",
            ));
        }
        let gradient = self.gradient();
        let spread = truth.spectrum.apply(&truth.spectrum.values, &gradient).dot(&gradient).sqrt();
        let margin = gradient.dot(&truth.mean) - epsilon * gradient.dot(&gradient).sqrt();
        Ok(0.5 * libm::erfc(-margin / spread / SQRT_2))
    }
}

/// The mean and the variances.
impl std::fmt::Display for Gaussian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "N(±μ, Σ) with μ = {:.4} and Σ = {:.4}, condition {:.4}",
            self.mean,
            self.covariance(),
            self.condition()
        )
    }
}
