//! What a net is made of: a tree of layers, which the graph and the engine both run.

use crate::engine::{Convolution, Kind, Node, Norm, Window};
use crate::{Error, Result};
use std::collections::HashSet;

/// One layer of a net, or several.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A convolution.
    Conv {
        /// What its numbers are called in a state dict.
        name: String,
        /// Channels that go out.
        outputs: usize,
        /// What it sees at once, and how it moves; by 1 or 2 pixels.
        window: Window,
        /// Whether a number a channel is added; a batch norm behind it makes that needless.
        bias: bool,
    },
    /// A batch norm.
    Norm {
        /// What its numbers are called in a state dict.
        name: String,
        /// What is added to a variance before its root is taken.
        epsilon: f32,
    },
    /// `max(x, 0)`.
    Relu,
    /// The largest number of each window, channel by channel.
    MaxPool(Window),
    /// The mean of each window, channel by channel; zeros around the image count.
    MeanPool(Window),
    /// The sum of two ways through layers. One of them may be empty: `x + layers(x)`.
    Sum([Vec<Layer>; 2]),
    /// The channels of several ways through layers, one behind the other. One of them may be empty.
    Concat(Vec<Vec<Layer>>),
    /// Layers whose names begin with `name` and a point.
    Within {
        /// What the names begin with.
        name: String,
        /// The layers.
        layers: Vec<Layer>,
    },
}

/// What PyTorch adds to a variance before it takes the root, unless told otherwise.
const NORM_EPSILON: f32 = 1e-5;

impl Layer {
    /// A convolution without a bias.
    pub fn conv(name: &str, outputs: usize, window: Window) -> Self {
        Self::Conv { name: name.into(), outputs, window, bias: false }
    }

    /// A batch norm with PyTorch's usual epsilon of 1e-5.
    pub fn norm(name: &str) -> Self {
        Self::Norm { name: name.into(), epsilon: NORM_EPSILON }
    }

    /// Layers whose names begin with `name` and a point.
    pub fn within(name: &str, layers: impl IntoIterator<Item = Layer>) -> Self {
        Self::Within { name: name.into(), layers: layers.into_iter().collect() }
    }

    /// A 3×3 convolution called `name.0`, a batch norm `name.1`, and a ReLU. `stride`: 1 keeps the size of
    /// the image, 2 halves it.
    pub fn unit(name: &str, outputs: usize, stride: usize) -> Self {
        let conv = Self::conv("0", outputs, Window::square(3, stride).padded());
        Self::within(name, [conv, Self::norm("1"), Self::Relu])
    }
}

/// A net's layers: images are normalised, go through `layers`, are averaged over their pixels (the
/// penultimate representation) and end in a linear layer, one logit a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// What it is called: `resnet`.
    pub name: String,
    /// Channels, height and width of an image.
    pub image: [usize; 3],
    /// From the image to the last activation. The first is a convolution.
    pub layers: Vec<Layer>,
    /// The share of the representation that a training step leaves out; 0 in most nets.
    pub dropout: f32,
    /// What the linear layer's numbers are called in a state dict.
    pub head: String,
    /// How many classes there are.
    pub classes: usize,
}

impl Architecture {
    /// Layers for images and classes, with a linear layer called `head` and no dropout.
    pub fn new(name: &str, image: [usize; 3], layers: Vec<Layer>, classes: usize) -> Self {
        let head = "head".into();
        Self { name: name.into(), image, layers, dropout: 0.0, head, classes }
    }

    /// The small residual net of the demo scale: `width` channels at first, four times as many at last.
    ///
    /// Seven convolutions; at width 16 and for 10 classes it has 117 thousand parameters, and an image of 32×32 pixels
    /// costs 12.2 million multiply-adds.
    ///
    /// # Errors
    /// If `width` is 0 or `classes` is below 2.
    pub fn resnet(width: usize, image: [usize; 3], classes: usize) -> Result<Self> {
        let residual = |name: &str, outputs| {
            let units = [Layer::unit("first", outputs, 1), Layer::unit("second", outputs, 1)];
            Layer::within(name, [Layer::Sum([vec![], units.into()])])
        };
        let layers = vec![
            Layer::unit("features.0", width, 1),
            Layer::unit("features.1", 2 * width, 2),
            residual("features.2", 2 * width),
            Layer::unit("features.3", 4 * width, 2),
            residual("features.4", 4 * width),
        ];
        Self::new(&format!("resnet of width {width}"), image, layers, classes).checked()
    }

    /// The same, if its layers fit together.
    pub(super) fn checked(self) -> Result<Self> {
        self.nodes().map(|_| self)
    }

    /// The layers as operations in order, with numbers that change nothing.
    pub(crate) fn nodes(&self) -> Result<Vec<Node>> {
        if self.classes < 2 || self.image.contains(&0) {
            return Err(Error::invalid(
                "at least two classes and an image with pixels",
                format!("{} classes, images of {:?}", self.classes, self.image),
                "Give the net a data set with images and two classes or more.",
            ));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            let found = self.dropout.to_string();
            let remedy = "Choose the share that is left out, such as 0.5.";
            return Err(Error::invalid("a dropout from 0 to below 1", found, remedy));
        }
        let picture = Node {
            name: String::new(),
            kind: Kind::Picture,
            inputs: Vec::new(),
            shape: self.image,
        };
        let mut walk = Walk { nodes: vec![picture], names: HashSet::new() };
        walk.layers(&self.layers, "", 0)?;
        let nodes = walk.nodes;
        let of_picture = nodes.iter().filter(|node| node.inputs.contains(&0)).count();
        match nodes.get(1) {
            Some(Node { kind: Kind::Conv(_), .. }) if of_picture == 1 => {}
            other => {
                let found = other.map_or("no layers", |_| "something else");
                let remedy = "Put a convolution in front, on which all else follows.";
                return Err(Error::invalid("a convolution as the first layer", found, remedy));
            }
        }
        Ok(nodes)
    }
}

/// Layers on their way to operations.
struct Walk {
    nodes: Vec<Node>,
    names: HashSet<String>,
}

impl Walk {
    /// Layers behind node `from`; returns the last node.
    fn layers(&mut self, layers: &[Layer], prefix: &str, from: usize) -> Result<usize> {
        layers.iter().try_fold(from, |from, layer| self.layer(layer, prefix, from))
    }

    fn layer(&mut self, layer: &Layer, prefix: &str, from: usize) -> Result<usize> {
        let shape = self.nodes[from].shape;
        match layer {
            Layer::Within { name, layers } => {
                self.layers(layers, &format!("{prefix}{name}."), from)
            }
            Layer::Conv { name, outputs, window, bias } => {
                let weights = outputs * shape[0] * window.kernel[0] * window.kernel[1];
                let conv = Convolution {
                    window: *window,
                    weight: vec![0.0; weights],
                    bias: bias.then(|| vec![0.0; *outputs]),
                };
                let [height, width] = moved(layer, *window, shape)?;
                let name = self.name(prefix, name)?;
                Ok(self.push(name, Kind::Conv(conv), vec![from], [*outputs, height, width]))
            }
            Layer::Norm { name, epsilon } => {
                let name = self.name(prefix, name)?;
                let norm = norm(shape[0], *epsilon);
                Ok(self.push(name, Kind::Norm(norm), vec![from], shape))
            }
            Layer::Relu => Ok(self.push(String::new(), Kind::Relu, vec![from], shape)),
            Layer::MaxPool(window) => self.pool(layer, Kind::Max(*window), *window, from),
            Layer::MeanPool(window) => self.pool(layer, Kind::Mean(*window), *window, from),
            Layer::Sum(ways) => {
                let ends = self.ways(ways, prefix, from)?;
                let shapes: Vec<[usize; 3]> = ends.iter().map(|e| self.nodes[*e].shape).collect();
                if shapes[0] != shapes[1] {
                    return Err(unequal("images of equal shape to add", &shapes));
                }
                Ok(self.push(String::new(), Kind::Sum, ends, shapes[0]))
            }
            Layer::Concat(ways) => {
                let ends = self.ways(ways, prefix, from)?;
                let shapes: Vec<[usize; 3]> = ends.iter().map(|e| self.nodes[*e].shape).collect();
                if shapes.iter().any(|shape| shape[1..] != shapes[0][1..]) {
                    return Err(unequal("images of equal size to concatenate", &shapes));
                }
                let channels = shapes.iter().map(|shape| shape[0]).sum();
                let shape = [channels, shapes[0][1], shapes[0][2]];
                Ok(self.push(String::new(), Kind::Concat, ends, shape))
            }
        }
    }

    fn pool(&mut self, layer: &Layer, kind: Kind, window: Window, from: usize) -> Result<usize> {
        let shape = self.nodes[from].shape;
        let [height, width] = moved(layer, window, shape)?;
        Ok(self.push(String::new(), kind, vec![from], [shape[0], height, width]))
    }

    /// The ends of several ways from one node.
    fn ways(&mut self, ways: &[Vec<Layer>], prefix: &str, from: usize) -> Result<Vec<usize>> {
        if ways.is_empty() || ways.iter().filter(|way| way.is_empty()).count() > 1 {
            return Err(Error::invalid(
                "ways of which at most one is empty",
                format!("{} ways", ways.len()),
                "Leave one way empty, for the image as it is, and put layers into the others.",
            ));
        }
        ways.iter().map(|way| self.layers(way, prefix, from)).collect()
    }

    fn push(&mut self, name: String, kind: Kind, inputs: Vec<usize>, shape: [usize; 3]) -> usize {
        self.nodes.push(Node { name, kind, inputs, shape });
        self.nodes.len() - 1
    }

    /// A layer's whole name, which no other has.
    fn name(&mut self, prefix: &str, name: &str) -> Result<String> {
        let name = format!("{prefix}{name}");
        match self.names.insert(name.clone()) {
            true => Ok(name),
            false => Err(Error::invalid(
                "a name of its own for each convolution and batch norm",
                format!("{name} twice"),
                "Put the layers of each block within a name of their own.",
            )),
        }
    }
}

/// The size of what comes out of a layer's window.
fn moved(layer: &Layer, window: Window, [_, height, width]: [usize; 3]) -> Result<[usize; 2]> {
    if let Layer::Conv { outputs: 0, .. } = layer {
        let remedy = "Choose a width of 1 or more.";
        return Err(Error::invalid("one output channel or more", "0 output channels", remedy));
    }
    let inside = window.padding.iter().zip(&window.kernel).all(|(padding, size)| padding < size);
    let out = window.output([height, width]).filter(|_| inside);
    match out {
        Some(out) if (1..=2).contains(&window.stride) => Ok(out),
        _ => Err(Error::invalid(
            format!("a window that fits into {height}×{width} pixels and moves by 1 or 2"),
            format!("{window:?}"),
            "Use larger images or fewer strides, and less padding than the window is large.",
        )),
    }
}

fn unequal(expected: &str, shapes: &[[usize; 3]]) -> Error {
    let remedy = "Give each way the strides of the others, and to a sum the same channels.";
    Error::invalid(expected, format!("{shapes:?}"), remedy)
}

/// A batch norm that changes nothing.
fn norm(channels: usize, epsilon: f32) -> Norm {
    Norm {
        weight: vec![1.0; channels],
        bias: vec![0.0; channels],
        running_mean: vec![0.0; channels],
        running_var: vec![1.0; channels],
        batches: 0,
        epsilon,
    }
}
