//! What a net says of itself: its layers, its size, its work.

use super::{Architecture, Layer, Net};
use crate::engine::Unit;
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
        let conv = |unit: &Unit| {
            let output = unit.conv.output();
            9 * unit.conv.inputs * output.channels * output.height * output.width
        };
        self.weights.units.iter().map(conv).sum::<usize>() + self.weights.head.weight.len()
    }
}

/// `conv 16`, `conv 32 /2` with a stride of 2, `residual [conv 32, conv 32]`.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layer::Conv { outputs, stride: 1 } => write!(f, "conv {outputs}"),
            Layer::Conv { outputs, stride } => write!(f, "conv {outputs} /{stride}"),
            Layer::Residual(layers) => write!(f, "residual [{}]", listed(layers)),
        }
    }
}

/// Its name, the images and classes it is for, and its layers, in one line.
impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, image: [channels, height, width], layers, classes } = self;
        write!(f, "{name}: images of {channels}×{height}×{width}, {classes} classes; ")?;
        write!(f, "{}, mean over pixels, linear {classes}", listed(layers))
    }
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
