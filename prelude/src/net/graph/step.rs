//! One operation of a graph.

use super::batch_norm::BatchNorm;
use super::{Mode, Taped, row};
use crate::engine::{Convolution, Kind, Node, Window};
use crate::ops::{Matrix, Moments, Row, Size, conv, max_pool, mean_pool};
use dfdx::prelude::*;

/// One operation, what goes in, and the shape of what comes out.
#[derive(Clone, Debug)]
pub(super) struct Step<D: Device<f32>> {
    pub operation: Operation<D>,
    pub inputs: Vec<usize>,
    pub shape: [usize; 3],
}

#[derive(Clone, Debug)]
pub(super) enum Operation<D: Device<f32>> {
    Picture,
    /// The weight is `(outputs · inputs · kernel,)`.
    Conv {
        weight: Row<D>,
        bias: Option<Row<D>>,
        window: Window,
    },
    Norm(BatchNorm<D>),
    Relu,
    Max(Window),
    Mean(Window),
    Sum,
    Concat,
}

impl<D: Device<f32>> Step<D> {
    pub fn new(device: &D, node: &Node) -> Self {
        let operation = match &node.kind {
            Kind::Picture => Operation::Picture,
            Kind::Conv(Convolution { window, weight, bias }) => {
                let bias = bias.as_ref().map(|bias| row(device, bias));
                Operation::Conv { weight: row(device, weight), bias, window: *window }
            }
            Kind::Norm(norm) => Operation::Norm(BatchNorm::new(device, norm)),
            Kind::Relu => Operation::Relu,
            Kind::Max(window) => Operation::Max(*window),
            Kind::Mean(window) => Operation::Mean(*window),
            Kind::Sum => Operation::Sum,
            Kind::Concat => Operation::Concat,
        };
        Self { operation, inputs: node.inputs.clone(), shape: node.shape }
    }

    /// The parameters in their order.
    pub fn parameters(&self) -> Vec<&Row<D>> {
        match &self.operation {
            Operation::Conv { weight, bias, .. } => std::iter::once(weight).chain(bias).collect(),
            Operation::Norm(norm) => vec![&norm.weight, &norm.bias],
            _ => Vec::new(),
        }
    }

    /// The same, to be changed.
    pub fn parameters_mut(&mut self) -> Vec<&mut Row<D>> {
        match &mut self.operation {
            Operation::Conv { weight, bias, .. } => std::iter::once(weight).chain(bias).collect(),
            Operation::Norm(norm) => vec![&mut norm.weight, &mut norm.bias],
            _ => Vec::new(),
        }
    }
}

impl<D> Step<D>
where
    D: Device<f32>,
{
    /// What comes out, `(C·H·W, B)`, and what a batch norm saw in training.
    pub fn run(
        &self,
        first: Taped<D>,
        size: Size,
        others: impl Iterator<Item = Matrix<D>>,
        mode: Mode,
    ) -> (Taped<D>, Option<Moments<D>>) {
        let batch = first.shape().1;
        let (pixels, channels) = (size.1 * size.2, size.0);
        let mut seen = None;
        let out = match &self.operation {
            Operation::Picture => first,
            Operation::Conv { weight, bias, window } => {
                let weight = matrix(weight, self.shape[0]); // (O, C·kernel)
                let sums = conv(first, weight, size, *window); // (O, H'·W'·B)
                match bias {
                    Some(bias) => plus_rows(sums, bias),
                    None => sums,
                }
            }
            Operation::Norm(norm) => {
                let x = first.reshape_like(&(channels, pixels * batch));
                let (out, moments) = norm.run(x, mode);
                seen = moments;
                out
            }
            Operation::Relu => first.relu(),
            Operation::Max(window) => max_pool(first, size, *window),
            Operation::Mean(window) => mean_pool(first, size, *window),
            Operation::Sum => others.fold(first, |sum, other| sum + other),
            Operation::Concat => {
                others.fold(first, |all, other| (all, other).concat_along(Axis::<0>))
            }
        };
        let [channels, height, width] = self.shape;
        (out.reshape_like(&(channels * height * width, batch)), seen)
    }
}

/// A parameter as a matrix of so many rows.
pub(super) fn matrix<D: Device<f32>>(parameter: &Row<D>, rows: usize) -> Taped<D> {
    let columns = parameter.shape().0 / rows;
    parameter.retaped::<OwnedTape<f32, D>>().reshape_like(&(rows, columns))
}

/// `x + bias`, a number a row.
pub(super) fn plus_rows<D: Device<f32>>(x: Taped<D>, bias: &Row<D>) -> Taped<D> {
    let shape = *x.shape();
    let bias =
        bias.retaped::<OwnedTape<f32, D>>().broadcast_like::<(usize, usize), Axis<1>>(&shape);
    x + bias
}
