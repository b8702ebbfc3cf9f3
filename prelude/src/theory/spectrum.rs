//! The eigenvalues and eigenvectors of a covariance matrix.

use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::{Array1, Array2, Axis};

use crate::{Error, Result};

/// How far from its mirror image a matrix may be, in units of its largest entry.
const ALMOST: f64 = 1e-9;

/// A symmetric positive definite matrix as what it does along its axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Ascending, all above 0.
    pub values: Array1<f64>,
    /// One column for each value, orthonormal.
    pub vectors: Array2<f64>,
}

impl Spectrum {
    /// Of a covariance matrix.
    ///
    /// # Errors
    /// If it is not square, not symmetric, not finite or not positive definite.
    pub fn of(covariance: &Array2<f64>) -> Result<Self> {
        let (rows, columns) = covariance.dim();
        let refuse = |found: String| {
            let expected = "a symmetric positive definite covariance matrix";
            Err(Error::invalid(expected, found, "Variances lie on its diagonal, all above 0."))
        };
        if rows != columns || rows == 0 {
            return refuse(format!("{rows} rows and {columns} columns"));
        }
        let largest = covariance.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        if covariance.iter().any(|value| !value.is_finite()) || largest > 1e100 {
            return refuse("an entry that is no finite number below 10¹⁰⁰".to_owned());
        }
        let apart = |(row, column)| f64::abs(covariance[[row, column]] - covariance[[column, row]]);
        let skew = |place: &(usize, usize)| apart(*place) > ALMOST * largest;
        if let Some((row, column)) = ndarray::indices((rows, rows)).into_iter().find(skew) {
            return refuse(format!("other entries at ({row}, {column}) than at ({column}, {row})"));
        }
        let matrix = DMatrix::from_fn(rows, rows, |row, column| covariance[[row, column]]);
        let eigen = SymmetricEigen::new(matrix);
        let least = eigen.eigenvalues.min();
        if least <= 0.0 {
            return refuse(format!("an eigenvalue of {least:.3e}"));
        }
        let vectors = Array2::from_shape_fn((rows, rows), |place| eigen.eigenvectors[place]);
        Ok(sorted(eigen.eigenvalues.iter().copied().collect(), &vectors))
    }

    /// Of a diagonal matrix, exactly.
    pub fn of_diagonal(variances: &[f64]) -> Result<Self> {
        Self { values: variances.to_vec().into(), vectors: Array2::eye(variances.len()) }
            .with(&variances.to_vec().into())
    }

    /// With other values along the same axes.
    ///
    /// # Errors
    /// If one is not above 0.
    pub fn with(&self, values: &Array1<f64>) -> Result<Self> {
        if values.is_empty() || !values.iter().all(|value| *value > 0.0 && *value < 1e100) {
            let found = format!("{values:.3e}");
            return Err(Error::invalid("variances above 0", found, "Give one for each dimension."));
        }
        Ok(sorted(values.clone(), &self.vectors))
    }

    /// The matrix with other values along the same axes.
    pub fn matrix(&self, values: &Array1<f64>) -> Array2<f64> {
        (&self.vectors * values).dot(&self.vectors.t())
    }

    /// What a matrix with other values along the same axes makes of a vector.
    pub fn apply(&self, values: &Array1<f64>, vector: &Array1<f64>) -> Array1<f64> {
        self.vectors.dot(&(values * &self.vectors.t().dot(vector)))
    }
}

/// The same in ascending order.
fn sorted(values: Array1<f64>, vectors: &Array2<f64>) -> Spectrum {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    Spectrum { values: values.select(Axis(0), &order), vectors: vectors.select(Axis(1), &order) }
}
