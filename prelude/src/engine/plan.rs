//! A net as the engine knows it: what is computed from what, and every number.

use super::block::{Block, INPUT_LANES};
use super::head::Head;
use super::pack::Conv;
use super::picture::Normalisation;
use super::simd::LANES;

/// Every number of a net, in PyTorch's orders, and how they belong together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    pub normalisation: Normalisation,
    /// In an order in which each comes after what goes into it. The first is the picture, the last goes
    /// to the head.
    pub nodes: Vec<Node>,
    /// The share of features that a training step leaves out.
    pub dropout: f32,
    pub head: Head,
}

/// One operation on images.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// What its numbers are called in a state dict: `features.0.0`.
    pub name: String,
    pub kind: Kind,
    /// The nodes that go in.
    pub inputs: Vec<usize>,
    /// Channels, height and width of what comes out.
    pub shape: [usize; 3],
}

/// What a node does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Picture,
    Conv(Convolution),
    Norm(Norm),
    Relu,
    /// The largest number of each window.
    Max(Window),
    /// The mean of each window, of the zeros around the image too.
    Mean(Window),
    /// The sum of two.
    Sum,
    /// Channels after channels.
    Concat,
}

/// A convolution's numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Convolution {
    pub window: Window,
    /// `(outputs, inputs, kernel)`.
    pub weight: Vec<f32>,
    pub bias: Option<Vec<f32>>,
}

/// What a window covers and how it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub kernel: [usize; 2],
    /// How many pixels it moves at once, down and to the right.
    pub stride: usize,
    /// On how many zero pixels it may stand, above and below the image, and at both sides.
    pub padding: [usize; 2],
}

impl Window {
    /// A square of `size` pixels that moves by `stride` and stays inside the image.
    pub fn square(size: usize, stride: usize) -> Self {
        Self { kernel: [size; 2], stride, padding: [0; 2] }
    }

    /// The same with zeros around the image, half as many as the window is large: with a stride of 1 and
    /// an odd size the image keeps its size.
    pub fn padded(self) -> Self {
        Self { padding: self.kernel.map(|size| size / 2), ..self }
    }

    /// Height and width of what comes out, if the window fits into an image.
    pub(crate) fn output(self, image: [usize; 2]) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let room = image[axis] + 2 * self.padding[axis];
            Some(room.checked_sub(self.kernel[axis])?.checked_div(self.stride)? + 1)
        };
        Some([along(0)?, along(1)?])
    }
}

/// A batch norm's parameters and running statistics, `(outputs,)` each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Norm {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub running_mean: Vec<f32>,
    pub running_var: Vec<f32>,
    pub batches: u64,
    /// What is added to a variance before its root is taken.
    pub epsilon: f32,
}

/// How much of a batch's statistics goes into the running ones.
pub(crate) const NORM_MOMENTUM: f32 = 0.1;

impl Norm {
    /// `(scale, shift)` of the batch norm with its running statistics.
    pub fn fold(&self) -> (Vec<f32>, Vec<f32>) {
        let scale: Vec<f32> = (self.weight.iter().zip(&self.running_var))
            .map(|(weight, var)| weight / (var + self.epsilon).sqrt())
            .collect();
        let shift = (self.bias.iter().zip(&self.running_mean).zip(&scale))
            .map(|((bias, mean), scale)| bias - mean * scale)
            .collect();
        (scale, shift)
    }
}

impl Node {
    /// The node's trainable numbers, in their order.
    fn parameters(&self) -> Vec<&[f32]> {
        match &self.kind {
            Kind::Conv(conv) => [Some(&conv.weight), conv.bias.as_ref()]
                .into_iter()
                .flatten()
                .map(Vec::as_slice)
                .collect(),
            Kind::Norm(norm) => vec![&norm.weight, &norm.bias],
            _ => Vec::new(),
        }
    }

    fn parameters_mut(&mut self) -> Vec<&mut [f32]> {
        match &mut self.kind {
            Kind::Conv(conv) => [Some(&mut conv.weight), conv.bias.as_mut()]
                .into_iter()
                .flatten()
                .map(Vec::as_mut_slice)
                .collect(),
            Kind::Norm(norm) => vec![&mut norm.weight, &mut norm.bias],
            _ => Vec::new(),
        }
    }
}

impl Weights {
    /// How many floats a picture has.
    pub fn picture(&self) -> usize {
        self.nodes[0].shape.iter().product()
    }

    /// The trainable parameters in their fixed order: node after node, then the linear layer's weight
    /// and bias.
    pub fn parameters(&self) -> Vec<&[f32]> {
        let nodes = self.nodes.iter().flat_map(Node::parameters);
        nodes.chain([&self.head.weight[..], &self.head.bias]).collect()
    }

    /// The same, to be changed.
    pub fn parameters_mut(&mut self) -> Vec<&mut [f32]> {
        let nodes = self.nodes.iter_mut().flat_map(Node::parameters_mut);
        nodes.chain([&mut self.head.weight[..], &mut self.head.bias[..]]).collect()
    }

    /// Where the gradients of each node's parameters begin among those of all.
    pub fn parameter_places(&self) -> Vec<usize> {
        let counts = self.nodes.iter().map(|node| node.parameters().len());
        counts.scan(0, |next, count| Some(std::mem::replace(next, *next + count))).collect()
    }

    /// The batch norms, in their order.
    pub fn norms(&self) -> impl Iterator<Item = &Norm> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Norm(norm) => Some(norm),
            _ => None,
        })
    }

    /// The same, to be changed.
    pub fn norms_mut(&mut self) -> impl Iterator<Item = &mut Norm> {
        self.nodes.iter_mut().filter_map(|node| match &mut node.kind {
            Kind::Norm(norm) => Some(norm),
            _ => None,
        })
    }

    /// The convolution of a node.
    pub fn convolution(&self, node: usize) -> &Convolution {
        match &self.nodes[node].kind {
            Kind::Conv(conv) => conv,
            other => unreachable!("node {node} is no convolution but {other:?}"),
        }
    }

    /// The batch norm of a node.
    pub fn norm(&self, node: usize) -> &Norm {
        match &self.nodes[node].kind {
            Kind::Norm(norm) => norm,
            other => unreachable!("node {node} is no batch norm but {other:?}"),
        }
    }

    /// The same, to be changed.
    pub fn norm_mut(&mut self, node: usize) -> &mut Norm {
        match &mut self.nodes[node].kind {
            Kind::Norm(norm) => norm,
            other => unreachable!("node {node} is no batch norm but {other:?}"),
        }
    }
}

/// The geometry of a window on images of so many places for channels.
pub(crate) fn geometry(window: Window, from: Block, outputs: usize) -> Conv {
    let Window { kernel, stride, padding } = window;
    let Block { channels, height, width, lanes, .. } = from;
    Conv { inputs: channels, outputs, kernel, stride, padding, height, width, lanes }
}

/// How a picture lies.
pub(crate) fn picture(shape: [usize; 3]) -> Block {
    let [channels, height, width] = shape;
    let lanes = if channels <= INPUT_LANES { INPUT_LANES } else { LANES };
    Block { lanes, ..Block::flat(channels, height, width) }
}

/// `values`, padded with zeros to whole vectors.
pub(crate) fn padded(values: &[f32]) -> Vec<f32> {
    let mut padded = values.to_vec();
    padded.resize(values.len().next_multiple_of(LANES), 0.0);
    padded
}
