//! Batch norm over the second axis of `(C, H·W·B)`.

use super::{Matrix, Row};
use dfdx::prelude::*;

/// `weight · (x − mean) / √(var + epsilon) + bias` with the batch's own statistics.
///
/// `x`: `(C, N)`; `weight`, `bias`: `(C,)`. The variance is the biased one, as in training everywhere.
pub fn batch_norm<D: Device<f32>>(
    x: Matrix<D, OwnedTape<f32, D>>,
    weight: Row<D>,
    bias: Row<D>,
    epsilon: f32,
) -> Matrix<D, OwnedTape<f32, D>> {
    let shape = *x.shape();
    let normal = x.normalize::<Axis<1>>(epsilon); // (C, N)
    let weight =
        weight.retaped::<OwnedTape<f32, D>>().broadcast_like::<(usize, usize), Axis<1>>(&shape); // (C, N)
    let bias =
        bias.retaped::<OwnedTape<f32, D>>().broadcast_like::<(usize, usize), Axis<1>>(&shape); // (C, N)
    normal * weight + bias
}

/// `scale · x + shift`: a batch norm whose statistics are fixed. `x`: `(C, N)`, the rest `(C,)`.
pub fn batch_norm_frozen<D: Device<f32>>(
    x: Matrix<D, OwnedTape<f32, D>>,
    scale: Row<D>,
    shift: Row<D>,
) -> Matrix<D, OwnedTape<f32, D>> {
    let shape = *x.shape();
    let scale =
        scale.retaped::<OwnedTape<f32, D>>().broadcast_like::<(usize, usize), Axis<1>>(&shape);
    let shift =
        shift.retaped::<OwnedTape<f32, D>>().broadcast_like::<(usize, usize), Axis<1>>(&shape);
    x * scale + shift
}

/// The mean and the biased variance of each row, and of how many numbers they are.
#[derive(Clone, Debug)]
pub struct Moments<D: Device<f32>> {
    /// `(C,)`.
    pub mean: Row<D>,
    /// `(C,)`.
    pub var: Row<D>,
    /// How many numbers a row has.
    pub count: f32,
}

/// What a batch norm in training uses of `x`, `(C, N)`.
pub fn moments<D: Device<f32>>(x: Matrix<D>) -> Moments<D> {
    let count = x.shape().1 as f32;
    let mean = x.clone().mean::<(usize,), Axis<1>>();
    Moments { mean, var: x.var::<(usize,), Axis<1>>(), count }
}
