//! DenseNet-121 (Huang et al., 2016, arXiv:1608.06993).

use super::{share, window};
use crate::Result;
use crate::engine::Window;
use crate::net::{Architecture, Layer};

/// How many layers each dense block has.
const BLOCKS: [usize; 4] = [6, 12, 24, 16];

impl Architecture {
    /// DenseNet-121: every layer of a block sees the outputs of all before it. `width`: 64 in the published
    /// net, whose layers add 32 channels each and which has 7 million parameters for 10 classes.
    ///
    /// # Errors
    /// If `width` is 0, `classes` is below 2, or an image has fewer than 8 pixels a side.
    pub fn densenet121(width: usize, image: [usize; 3], classes: usize) -> Result<Self> {
        let (mut channels, growth) = (share(64, width), share(32, width));
        let stem = Layer::conv("conv0", channels, window(3, 1));
        let mut layers = vec![stem, Layer::norm("norm0"), Layer::Relu];
        for (index, count) in BLOCKS.into_iter().enumerate() {
            let dense = (1..=count).map(|layer| {
                let name = format!("denselayer{layer}");
                Layer::within(&name, [Layer::Concat(vec![vec![], dense_layer(growth)])])
            });
            layers.push(Layer::within(&format!("denseblock{}", index + 1), dense));
            channels += count * growth;
            if index + 1 < BLOCKS.len() {
                channels /= 2;
                let name = format!("transition{}", index + 1);
                let conv = Layer::conv("conv", channels, window(1, 1));
                let mean = Layer::MeanPool(Window::square(2, 2));
                layers.push(Layer::within(&name, [Layer::norm("norm"), Layer::Relu, conv, mean]));
            }
        }
        layers.extend([Layer::norm("norm5"), Layer::Relu]);
        let name = format!("DenseNet-121 of width {width}");
        let net = Self::new(&name, image, vec![Layer::within("features", layers)], classes);
        Self { head: "classifier".into(), ..net }.checked()
    }
}

/// What a layer adds: a narrow convolution of all that is there, and one that sees 3×3 pixels.
fn dense_layer(growth: usize) -> Vec<Layer> {
    vec![
        Layer::norm("norm1"),
        Layer::Relu,
        Layer::conv("conv1", 4 * growth, window(1, 1)),
        Layer::norm("norm2"),
        Layer::Relu,
        Layer::conv("conv2", growth, window(3, 1)),
    ]
}
