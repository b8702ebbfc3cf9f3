//! Theorem 3: how well the gradient of what was learned points from one class to the other.

use ndarray::Array1;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::{Gaussian, check_samples};
use crate::{Error, Result};

impl Gaussian {
    /// The cosine of the angle between the gradient `Σ⁻¹ μ` and the mean `μ`, in (0, 1].
    ///
    /// # Errors
    /// If the mean is 0, which has no direction.
    pub fn cosine(&self) -> Result<f64> {
        let (mean, gradient) = (self.mean(), self.gradient());
        let lengths = (mean.dot(mean) * gradient.dot(&gradient)).sqrt();
        if lengths > 0.0 {
            return Ok(mean.dot(&gradient) / lengths);
        }
        Err(Error::invalid("a mean that is not 0", "0", "Two classes at one place have no angle."))
    }

    /// The least that [`Gaussian::cosine`] can be with this covariance, whatever the mean:
    /// `2√κ / (1 + κ)`. Paper: Theorem 3, by Lemma 8.
    pub fn worst_cosine(&self) -> f64 {
        let condition = self.condition();
        2.0 * condition.sqrt() / (1.0 + condition)
    }

    /// The smallest cosine among `means` random means with this covariance, all directions alike.
    ///
    /// # Errors
    /// If there are no means.
    pub fn least_cosine(&self, means: usize, seed: u64) -> Result<f64> {
        check_samples(means, 1)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut least = 1.0_f64;
        for _ in 0..means {
            let normal = || rng.sample::<f64, _>(StandardNormal);
            let mean = Array1::from_shape_simple_fn(self.dimension(), normal);
            least = least.min(self.with_mean(mean)?.cosine()?);
        }
        Ok(least)
    }

    /// The same covariance with a mean for which the cosine is the least, of length 1.
    ///
    /// # Errors
    /// Never; the numbers are those of a good Gaussian.
    pub fn with_worst_mean(&self) -> Result<Self> {
        let values = self.eigenvalues();
        let last = values.len() - 1;
        let mut along = Array1::<f64>::zeros(values.len());
        along[0] = values[0].sqrt();
        along[last] = values[last].sqrt();
        let length = along.dot(&along).sqrt();
        self.with_mean(self.spectrum.vectors.dot(&(along / length)))
    }

    /// The same covariance with another mean.
    ///
    /// # Errors
    /// If it has another dimension.
    pub fn with_mean(&self, mean: Array1<f64>) -> Result<Self> {
        Self::with(mean, self.spectrum.clone())
    }
}
