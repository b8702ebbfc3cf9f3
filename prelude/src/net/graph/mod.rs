//! A net as dfdx operations: on any device, differentiated by dfdx's tape, and the engine's reference.

mod batch_norm;
mod step;

use super::Net;
use crate::Result;
use crate::engine::{Dropout, Weights};
use crate::net::Architecture;
use crate::ops::{Matrix, Row, batch_norm_frozen, mean_over_pixels};
use batch_norm::Noted;
use dfdx::prelude::*;
use step::{Operation, Step, matrix, plus_rows};

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
    /// `(classes · features,)`.
    head_weight: Row<D>,
    head_bias: Row<D>,
    scale: Row<D>,
    shift: Row<D>,
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
        D: Device<f32>,
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
            steps: nodes.iter().map(|node| Step::new(device, node)).collect(),
            head_weight: row(device, &head.weight),
            head_bias: row(device, &head.bias),
            scale: row(device, &each(&|_, deviation| 1.0 / deviation)),
            shift: row(device, &each(&|mean, deviation| -mean / deviation)),
        })
    }
}

fn row<D: Device<f32>>(device: &D, values: &[f32]) -> Row<D> {
    device.tensor_from_vec(values.to_vec(), (values.len(),))
}

impl<D> Graph<D>
where
    D: Device<f32>,
{
    /// Logits `(n, classes)` of pictures `(n, pixels)` in [0, 1].
    pub fn logits(
        &self,
        pictures: Matrix<D, OwnedTape<f32, D>>,
        mode: Mode,
    ) -> Matrix<D, OwnedTape<f32, D>> {
        self.noting(pictures, mode).0
    }

    /// The same, with what the batch norms saw of the batch in training.
    pub(crate) fn noting(&self, pictures: Taped<D>, mode: Mode) -> (Taped<D>, Vec<Noted<D>>) {
        let batch = pictures.shape().0;
        let mut noted = Vec::new();
        let last = self.run(pictures, mode, self.steps.len(), &mut noted);
        let features = self.features(last, batch);
        let features = match mode {
            Mode::Training if self.architecture.dropout > 0.0 => features * self.dropout(batch),
            _ => features,
        };
        let weight = matrix(&self.head_weight, self.architecture.classes);
        let logits = plus_rows(weight.matmul(features), &self.head_bias); // (classes, B)
        (transposed(logits), noted) // (B, classes)
    }

    /// The representations `(n, features)` of pictures `(n, pixels)` in evaluation mode.
    ///
    /// On the way back the last ReLU is taken as open everywhere, as in the engine: a feature that an image does
    /// not have at all would else have no gradient.
    pub(crate) fn representations(&self, pictures: Taped<D>) -> Taped<D> {
        let batch = pictures.shape().0;
        let end = self.steps.len();
        let ends_in_relu = matches!(self.steps[end - 1].operation, Operation::Relu);
        let last = match ends_in_relu {
            false => self.run(pictures, Mode::Evaluation, end, &mut Vec::new()),
            true => {
                let before = self.run(pictures, Mode::Evaluation, end - 1, &mut Vec::new());
                let (before, tape) = before.split_tape();
                let cut = before.clone().relu() - before.clone();
                before.put_tape(tape) + cut
            }
        };
        transposed(self.features(last, batch))
    }

    /// The parameters whose gradients a backward pass leaves, in the order of a state dict, flat.
    pub fn gradients(&self, gradients: &Gradients<f32, D>) -> Vec<Vec<f32>> {
        self.parameters().iter().map(|parameter| gradients.get(*parameter).as_vec()).collect()
    }

    /// The parameters in the order of a state dict, flat.
    pub(crate) fn parameters(&self) -> Vec<&Row<D>> {
        let steps = self.steps.iter().flat_map(Step::parameters);
        steps.chain([&self.head_weight, &self.head_bias]).collect()
    }

    /// The same, to be changed.
    pub(crate) fn parameters_mut(&mut self) -> Vec<&mut Row<D>> {
        let steps = self.steps.iter_mut().flat_map(Step::parameters_mut);
        steps.chain([&mut self.head_weight, &mut self.head_bias]).collect()
    }

    /// The batch norms' running statistics learn from what they saw of a batch.
    pub(crate) fn learn(&mut self, noted: Vec<Noted<D>>) {
        for Noted { step, moments } in noted {
            if let Operation::Norm(norm) = &mut self.steps[step].operation {
                norm.learn(moments);
            }
        }
    }

    /// The batch norms' running means and variances, norm after norm.
    pub(crate) fn statistics(&self) -> Vec<[Vec<f32>; 2]> {
        let norms = self.steps.iter().filter_map(|step| match &step.operation {
            Operation::Norm(norm) => Some([norm.running_mean.as_vec(), norm.running_var.as_vec()]),
            _ => None,
        });
        norms.collect()
    }

    /// How many numbers a picture has.
    pub(crate) fn pixels(&self) -> usize {
        self.architecture.image.iter().product()
    }

    /// The device the parameters are on.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// The mean over the pixels of the last activation `(C·H·W, B)`: `(C, B)`.
    fn features(&self, last: Taped<D>, batch: usize) -> Taped<D> {
        let [channels, height, width] = self.steps.last().expect("a net has layers").shape;
        mean_over_pixels(last.reshape_like(&(channels, height * width * batch)), batch)
    }

    /// What a training step multiplies the representations of its batch by: `(C, B)`.
    fn dropout(&self, batch: usize) -> Matrix<D> {
        let dropout = Dropout::new(self.architecture.dropout, &self.head_bias.as_vec());
        let channels = self.head_weight.shape().0 / self.architecture.classes;
        self.device.tensor_from_vec(dropout.of_batch(channels, batch), (channels, batch))
    }

    /// From pictures `(B, C·H·W)` to what the first `end` steps make of them, `(C·H·W, B)`.
    ///
    /// The one tape goes from operation to operation; it knows each tensor by its name.
    fn run(
        &self,
        pictures: Taped<D>,
        mode: Mode,
        end: usize,
        noted: &mut Vec<Noted<D>>,
    ) -> Taped<D> {
        let columns = transposed(pictures); // (C·H·W, B)
        let picture = batch_norm_frozen(columns, self.scale.clone(), self.shift.clone());
        let (picture, mut tape) = picture.split_tape();
        let mut images: Vec<Matrix<D>> = vec![picture];
        for (number, step) in self.steps[..end].iter().enumerate().skip(1) {
            let of = |input: usize| {
                let [channels, height, width] = self.steps[step.inputs[input]].shape;
                (images[step.inputs[input]].clone(), (channels, height, width))
            };
            let (first, size) = of(0);
            let others = (1..step.inputs.len()).map(|input| of(input).0);
            let (out, seen) = step.run(first.put_tape(tape), size, others, mode);
            noted.extend(seen.map(|moments| Noted { step: number, moments }));
            let (image, left) = out.split_tape();
            images.push(image);
            tape = left;
        }
        images.pop().expect("there is the picture at least").put_tape(tape)
    }
}

/// The transposed matrix, laid out anew: dfdx 0.13 gives wrong gradients behind a matrix whose rows
/// and columns are only exchanged in its strides.
fn transposed<D: Device<f32>>(x: Taped<D>) -> Taped<D> {
    let x = x.permute::<(usize, usize), Axes2<1, 0>>();
    let shape = *x.shape();
    x.reshape_like(&shape)
}
