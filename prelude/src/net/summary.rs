//! What a net says of itself: its layers, its size, its work.

use super::{Architecture, Layer, Net};
use crate::engine::Kind;
use crate::show::shows_as_text;
use std::fmt;

shows_as_text!(Net, Architecture);

impl Net {
    /// How many trainable numbers the net has.
    pub fn parameters(&self) -> usize {
        self.weights.parameters().iter().map(|p| p.len()).sum()
    }

    /// The multiply-adds of one image's forward pass, in convolutions and the linear layer.
    pub fn multiply_adds(&self) -> usize {
        let convs = self.weights.nodes.iter().map(|node| match &node.kind {
            Kind::Conv(conv) => conv.weight.len() * node.shape[1] * node.shape[2],
            _ => 0,
        });
        convs.sum::<usize>() + self.weights.head.weight.len()
    }
}

/// How many convolutions a text lists; of more it tells the number.
const MOST_LISTED: usize = 12;

/// `conv 16`, `conv 32 /2` with a stride of 2, `conv 8 1×7` with another window than 3×3, `norm`, `relu`,
/// `sum [as it is | conv 32, norm, relu]`.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layer::Conv { outputs, window, .. } => {
                write!(f, "conv {outputs}")?;
                match window.kernel {
                    [3, 3] => {}
                    [height, width] => write!(f, " {height}×{width}")?,
                }
                if window.stride > 1 { write!(f, " /{}", window.stride) } else { Ok(()) }
            }
            Layer::Norm { .. } => f.write_str("norm"),
            Layer::Relu => f.write_str("relu"),
            Layer::MaxPool(window) => write!(f, "max of {}×{}", window.kernel[0], window.kernel[1]),
            Layer::MeanPool(window) => {
                write!(f, "mean of {}×{}", window.kernel[0], window.kernel[1])
            }
            Layer::Sum(ways) => write!(f, "sum [{}]", ways_listed(ways)),
            Layer::Concat(ways) => write!(f, "concat [{}]", ways_listed(ways)),
            Layer::Within { layers, .. } => f.write_str(&listed(layers)),
        }
    }
}

/// Its name, the images and classes it is for, and its layers, in one line.
impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, image: [channels, height, width], layers, classes, .. } = self;
        write!(f, "{name}: images of {channels}×{height}×{width}, {classes} classes; ")?;
        let convs: usize = layers.iter().map(convolutions).sum();
        match convs {
            0..=MOST_LISTED => write!(f, "{}", listed(layers))?,
            _ => write!(f, "{convs} convolutions")?,
        }
        write!(f, ", mean over pixels, linear {classes}")
    }
}

/// How many convolutions a layer has.
fn convolutions(layer: &Layer) -> usize {
    let of_ways = |ways: &[Vec<Layer>]| ways.iter().flatten().map(convolutions).sum();
    match layer {
        Layer::Conv { .. } => 1,
        Layer::Sum(ways) => of_ways(ways),
        Layer::Concat(ways) => of_ways(ways),
        Layer::Within { layers, .. } => layers.iter().map(convolutions).sum(),
        _ => 0,
    }
}

fn ways_listed(ways: &[Vec<Layer>]) -> String {
    let listed = |way: &Vec<Layer>| match way.is_empty() {
        true => "as it is".to_owned(),
        false => listed(way),
    };
    ways.iter().map(listed).collect::<Vec<_>>().join(" | ")
}

/// The architecture, and how large the net is.
impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parameters, millions) = (self.parameters(), self.multiply_adds() as f64 / 1e6);
        write!(f, "{}\n{} parameters, ", self.architecture, grouped(parameters))?;
        write!(f, "{millions:.1} million multiply-adds an image")
    }
}

fn listed(layers: &[Layer]) -> String {
    layers.iter().map(Layer::to_string).collect::<Vec<_>>().join(", ")
}

/// `115,498`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
