//! A net as dfdx operations: on any device, differentiated by dfdx's tape, and the engine's reference.

use super::Net;
use crate::Result;
use crate::engine::{Convolution, Kind, Node, Norm, Weights, Window};
use crate::net::Architecture;
use crate::ops::{
    Matrix, Row, Size, batch_norm, batch_norm_frozen, conv, max_pool, mean_over_pixels, mean_pool,
};
use dfdx::prelude::*;

/// Whose statistics a batch norm uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The batch's own, as in training.
    Training,
    /// The running ones, as in evaluation.
    Evaluation,
}

/// A net's parameters on a device, and the operations that join them.
#[derive(Clone, Debug)]
pub struct Graph<D: Device<f32>> {
    architecture: Architecture,
    device: D,
    steps: Vec<Step<D>>,
    head_weight: Matrix<D>,
    head_bias: Row<D>,
    scale: Row<D>,
    shift: Row<D>,
}

/// One operation, what goes in, and the shape of what comes out.
#[derive(Clone, Debug)]
struct Step<D: Device<f32>> {
    operation: Operation<D>,
    inputs: Vec<usize>,
    shape: [usize; 3],
}

#[derive(Clone, Debug)]
enum Operation<D: Device<f32>> {
    Picture,
    Conv { weight: Matrix<D>, bias: Option<Row<D>>, window: Window },
    Norm { weight: Row<D>, bias: Row<D>, epsilon: f32, scale: Row<D>, shift: Row<D> },
    Relu,
    Max(Window),
    Mean(Window),
    Sum,
    Concat,
}

/// A tensor that hands its tape on.
type Taped<D> = Matrix<D, OwnedTape<f32, D>>;

impl Net {
    /// The net as dfdx operations on `device`.
    ///
    /// # Errors
    /// If the architecture does not fit together.
    pub fn graph<D>(&self, device: &D) -> Result<Graph<D>>
    where
        D: Device<f32> + TensorFromVec<f32>,
    {
        self.architecture.nodes()?;
        let Weights { normalisation, nodes, head, .. } = &self.weights;
        let pixels = self.architecture.image[1] * self.architecture.image[2];
        let each = |f: &dyn Fn(f32, f32) -> f32| {
            (normalisation.mean.iter().zip(&normalisation.deviation))
                .flat_map(|(mean, deviation)| vec![f(*mean, *deviation); pixels])
                .collect::<Vec<f32>>()
        };
        Ok(Graph {
            architecture: self.architecture.clone(),
            device: device.clone(),
            steps: nodes.iter().map(|node| step(device, node)).collect(),
            head_weight: device
                .tensor_from_vec(head.weight.clone(), (head.classes(), head.features())),
            head_bias: row(device, &head.bias),
            scale: row(device, &each(&|_, deviation| 1.0 / deviation)),
            shift: row(device, &each(&|mean, deviation| -mean / deviation)),
        })
    }
}

fn row<D: Device<f32> + TensorFromVec<f32>>(device: &D, values: &[f32]) -> Row<D> {
    device.tensor_from_vec(values.to_vec(), (values.len(),))
}

fn step<D: Device<f32> + TensorFromVec<f32>>(device: &D, node: &Node) -> Step<D> {
    let operation = match &node.kind {
        Kind::Picture => Operation::Picture,
        Kind::Conv(Convolution { window, weight, bias }) => {
            let outputs = node.shape[0];
            let shape = (outputs, weight.len() / outputs);
            Operation::Conv {
                weight: device.tensor_from_vec(weight.clone(), shape),
                bias: bias.as_ref().map(|bias| row(device, bias)),
                window: *window,
            }
        }
        Kind::Norm(norm) => {
            let (scale, shift) = norm.fold();
            let Norm { weight, bias, epsilon, .. } = norm;
            Operation::Norm {
                weight: row(device, weight),
                bias: row(device, bias),
                epsilon: *epsilon,
                scale: row(device, &scale),
                shift: row(device, &shift),
            }
        }
        Kind::Relu => Operation::Relu,
        Kind::Max(window) => Operation::Max(*window),
        Kind::Mean(window) => Operation::Mean(*window),
        Kind::Sum => Operation::Sum,
        Kind::Concat => Operation::Concat,
    };
    Step { operation, inputs: node.inputs.clone(), shape: node.shape }
}

impl<D> Graph<D>
where
    D: Device<f32> + TensorFromVec<usize> + TensorFromVec<f32>,
{
    /// Logits `(n, classes)` of pictures `(n, pixels)` in [0, 1].
    pub fn logits(
        &self,
        pictures: Matrix<D, OwnedTape<f32, D>>,
        mode: Mode,
    ) -> Matrix<D, OwnedTape<f32, D>> {
        let batch = pictures.shape().0;
        let columns = transposed(pictures); // (C·H·W, B)
        let picture = batch_norm_frozen(columns, self.scale.clone(), self.shift.clone());
        let [channels, height, width] = self.steps.last().expect("a net has layers").shape;
        let flat = self.run(picture, mode).reshape_like(&(channels, height * width * batch));
        let features = mean_over_pixels(flat, batch); // (C, B)
        let features = match mode {
            Mode::Training if self.architecture.dropout > 0.0 => {
                features.dropout(self.architecture.dropout)
            }
            _ => features,
        };
        let weight = self.head_weight.retaped::<OwnedTape<f32, D>>();
        let logits = plus_rows(weight.matmul(features), &self.head_bias); // (classes, B)
        transposed(logits) // (B, classes)
    }

    /// The parameters whose gradients a backward pass leaves, in the order of a state dict, flat.
    pub fn gradients(&self, gradients: &Gradients<f32, D>) -> Vec<Vec<f32>> {
        let mut all = Vec::new();
        for step in &self.steps {
            match &step.operation {
                Operation::Conv { weight, bias, .. } => {
                    all.push(gradients.get(weight).as_vec());
                    all.extend(bias.as_ref().map(|bias| gradients.get(bias).as_vec()));
                }
                Operation::Norm { weight, bias, .. } => {
                    all.push(gradients.get(weight).as_vec());
                    all.push(gradients.get(bias).as_vec());
                }
                _ => {}
            }
        }
        all.push(gradients.get(&self.head_weight).as_vec());
        all.push(gradients.get(&self.head_bias).as_vec());
        all
    }

    /// The device the parameters are on.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// From normalised pictures `(C·H·W, B)` to the last activation, likewise.
    ///
    /// The one tape goes from operation to operation; it knows each tensor by its name.
    fn run(&self, picture: Taped<D>, mode: Mode) -> Taped<D> {
        let (picture, mut tape) = picture.split_tape();
        let mut images: Vec<Matrix<D>> = vec![picture];
        for step in &self.steps[1..] {
            let of = |input: usize| {
                let [channels, height, width] = self.steps[step.inputs[input]].shape;
                (images[step.inputs[input]].clone(), (channels, height, width))
            };
            let (first, size) = of(0);
            let others = (1..step.inputs.len()).map(|input| of(input).0);
            let out = step.run(first.put_tape(tape), size, others, mode);
            let (image, left) = out.split_tape();
            images.push(image);
            tape = left;
        }
        images.pop().expect("there is the picture at least").put_tape(tape)
    }
}

impl<D> Step<D>
where
    D: Device<f32> + TensorFromVec<usize> + TensorFromVec<f32>,
{
    fn run(
        &self,
        first: Taped<D>,
        size: Size,
        others: impl Iterator<Item = Matrix<D>>,
        mode: Mode,
    ) -> Taped<D> {
        let batch = first.shape().1;
        let (pixels, channels) = (size.1 * size.2, size.0);
        let out = match &self.operation {
            Operation::Picture => first,
            Operation::Conv { weight, bias, window } => {
                let sums = conv(first, weight.clone(), size, *window); // (O, H'·W'·B)
                match bias {
                    Some(bias) => plus_rows(sums, bias),
                    None => sums,
                }
            }
            Operation::Norm { weight, bias, epsilon, scale, shift } => {
                let x = first.reshape_like(&(channels, pixels * batch));
                match mode {
                    Mode::Training => batch_norm(x, weight.clone(), bias.clone(), *epsilon),
                    Mode::Evaluation => batch_norm_frozen(x, scale.clone(), shift.clone()),
                }
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
        out.reshape_like(&(channels * height * width, batch))
    }
}

/// `x + bias`, a number a row.
fn plus_rows<D: Device<f32>>(x: Taped<D>, bias: &Row<D>) -> Taped<D> {
    let shape = *x.shape();
    let bias =
        bias.retaped::<OwnedTape<f32, D>>().broadcast_like::<(usize, usize), Axis<1>>(&shape);
    x + bias
}

/// The transposed matrix, laid out anew: dfdx 0.13 gives wrong gradients behind a matrix whose rows
/// and columns are only exchanged in its strides.
fn transposed<D: Device<f32>>(x: Taped<D>) -> Taped<D> {
    let x = x.permute::<(usize, usize), Axes2<1, 0>>();
    let shape = *x.shape();
    x.reshape_like(&shape)
}
