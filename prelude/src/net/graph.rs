//! A net as dfdx operations: on any device, differentiated by dfdx's tape, and the engine's reference.

use super::Net;
use crate::Result;
use crate::engine::{NORM_EPSILON, Norm, Weights};
use crate::net::{Architecture, Layer};
use crate::ops::{Matrix, Row, batch_norm, batch_norm_frozen, conv3x3, mean_over_pixels};
use dfdx::prelude::*;

/// Whose statistics a batch norm uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The batch's own, as in training.
    Training,
    /// The running ones, as in evaluation.
    Evaluation,
}

/// A net's parameters on a device, and the layers that join them.
#[derive(Clone, Debug)]
pub struct Graph<D: Device<f32>> {
    architecture: Architecture,
    device: D,
    convs: Vec<GraphConv<D>>,
    head_weight: Matrix<D>,
    head_bias: Row<D>,
    scale: Row<D>,
    shift: Row<D>,
}

#[derive(Clone, Debug)]
struct GraphConv<D: Device<f32>> {
    weight: Matrix<D>,
    norm_weight: Row<D>,
    norm_bias: Row<D>,
    frozen_scale: Row<D>,
    frozen_shift: Row<D>,
}

/// Images on their way through: `(C·H·W, B)`, and `(C, H, W)`.
struct Images<D: Device<f32>> {
    values: Matrix<D, OwnedTape<f32, D>>,
    size: (usize, usize, usize),
}

impl Net {
    /// The net as dfdx operations on `device`.
    ///
    /// # Errors
    /// If the architecture does not fit together.
    pub fn graph<D>(&self, device: &D) -> Result<Graph<D>>
    where
        D: Device<f32> + TensorFromVec<f32>,
    {
        self.architecture.chain()?;
        let Weights { normalisation, units, head } = &self.weights;
        let row = |values: Vec<f32>| device.tensor_from_vec(values.clone(), (values.len(),));
        let pixels = self.architecture.image[1] * self.architecture.image[2];
        let each = |f: &dyn Fn(f32, f32) -> f32| {
            (normalisation.mean.iter().zip(&normalisation.deviation))
                .flat_map(|(mean, deviation)| vec![f(*mean, *deviation); pixels])
                .collect::<Vec<f32>>()
        };
        let conv = |weight: &Vec<f32>, norm: &Norm| {
            let (scale, shift) = norm.fold();
            let outputs = norm.bias.len();
            let shape = (outputs, weight.len() / outputs);
            GraphConv {
                weight: device.tensor_from_vec(weight.clone(), shape),
                norm_weight: row(norm.weight.clone()),
                norm_bias: row(norm.bias.clone()),
                frozen_scale: row(scale),
                frozen_shift: row(shift),
            }
        };
        Ok(Graph {
            architecture: self.architecture.clone(),
            device: device.clone(),
            convs: units.iter().map(|unit| conv(&unit.weight, &unit.norm)).collect(),
            head_weight: device
                .tensor_from_vec(head.weight.clone(), (head.classes(), head.features())),
            head_bias: row(head.bias.clone()),
            scale: row(each(&|_, deviation| 1.0 / deviation)),
            shift: row(each(&|mean, deviation| -mean / deviation)),
        })
    }
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
        let [channels, height, width] = self.architecture.image;
        let batch = pictures.shape().0;
        let columns = transposed(pictures); // (C·H·W, B)
        let values = batch_norm_frozen(columns, self.scale.clone(), self.shift.clone());
        let images = Images { values, size: (channels, height, width) };
        let mut convs = self.convs.iter();
        let images = self.run(&self.architecture.layers, images, &mut convs, mode);
        let (channels, height, width) = images.size;
        let flat = images.values.reshape_like(&(channels, height * width * batch));
        let features = mean_over_pixels(flat, batch); // (C, B)
        let weight = self.head_weight.retaped::<OwnedTape<f32, D>>();
        let logits = weight.matmul(features); // (classes, B)
        let shape = *logits.shape();
        let bias = self
            .head_bias
            .retaped::<OwnedTape<f32, D>>()
            .broadcast_like::<(usize, usize), Axis<1>>(&shape);
        transposed(logits + bias) // (B, classes)
    }

    /// The parameters whose gradients a backward pass leaves, in the order of a state dict, flat.
    pub fn gradients(&self, gradients: &Gradients<f32, D>) -> Vec<Vec<f32>> {
        let mut all = Vec::new();
        for conv in &self.convs {
            all.push(gradients.get(&conv.weight).as_vec());
            all.push(gradients.get(&conv.norm_weight).as_vec());
            all.push(gradients.get(&conv.norm_bias).as_vec());
        }
        all.push(gradients.get(&self.head_weight).as_vec());
        all.push(gradients.get(&self.head_bias).as_vec());
        all
    }

    /// The device the parameters are on.
    pub fn device(&self) -> &D {
        &self.device
    }

    fn run(
        &self,
        layers: &[Layer],
        images: Images<D>,
        convs: &mut std::slice::Iter<GraphConv<D>>,
        mode: Mode,
    ) -> Images<D> {
        layers.iter().fold(images, |images, layer| match layer {
            Layer::Conv { stride, .. } => {
                let conv = convs.next().expect("a convolution's weights for each convolution");
                conv.run(images, *stride, mode)
            }
            Layer::Residual(layers) => {
                let Images { values, size } = images;
                let (kept, tape) = values.split_tape();
                let inside = Images { values: kept.clone().put_tape(tape), size };
                let out = self.run(layers, inside, convs, mode);
                Images { values: out.values + kept, size }
            }
        })
    }
}

/// The transposed matrix, laid out anew: dfdx 0.13 gives wrong gradients behind a matrix whose rows
/// and columns are only exchanged in its strides.
fn transposed<D: Device<f32>>(x: Matrix<D, OwnedTape<f32, D>>) -> Matrix<D, OwnedTape<f32, D>> {
    let x = x.permute::<(usize, usize), Axes2<1, 0>>();
    let shape = *x.shape();
    x.reshape_like(&shape)
}

impl<D> GraphConv<D>
where
    D: Device<f32> + TensorFromVec<usize> + TensorFromVec<f32>,
{
    fn run(&self, images: Images<D>, stride: usize, mode: Mode) -> Images<D> {
        let (_, height, width) = images.size;
        let batch = images.values.shape().1;
        let z = conv3x3(images.values, self.weight.clone(), images.size, stride); // (O, H'·W'·B)
        let normal = match mode {
            Mode::Training => {
                let (weight, bias) = (self.norm_weight.clone(), self.norm_bias.clone());
                batch_norm(z, weight, bias, NORM_EPSILON)
            }
            Mode::Evaluation => {
                batch_norm_frozen(z, self.frozen_scale.clone(), self.frozen_shift.clone())
            }
        };
        let outputs = normal.shape().0;
        let size = (outputs, (height - 1) / stride + 1, (width - 1) / stride + 1);
        let values = normal.relu().reshape_like(&(size.0 * size.1 * size.2, batch));
        Images { values, size }
    }
}
