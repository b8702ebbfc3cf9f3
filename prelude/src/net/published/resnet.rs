//! ResNet-18 and ResNet-50 (He et al., 2015, arXiv:1512.03385), for small images and for photographs.

use super::{normed, share, window};
use crate::Result;
use crate::data::PHOTOGRAPH;
use crate::net::{Architecture, Layer};

/// A block's layers: for so many channels, of which the block makes `expansion` times as many, with a stride.
struct Block {
    expansion: usize,
    layers: fn(usize, usize) -> Vec<Layer>,
}

impl Architecture {
    /// ResNet-18: eight blocks of two convolutions. `width`: 64 in the published net, which has 11.2 million
    /// parameters for 10 classes.
    ///
    /// Images of 64 pixels a side and more get the published first layers, whose 7×7 pixels and max pool
    /// make the image four times smaller before the first block; smaller images those of the authors'
    /// library, which keep their size.
    ///
    /// # Errors
    /// If `width` is 0 or `classes` is below 2.
    pub fn resnet18(width: usize, image: [usize; 3], classes: usize) -> Result<Self> {
        let basic = |channels, stride| {
            let first = normed("conv1", "bn1", channels, window(3, stride));
            let second = normed("conv2", "bn2", channels, window(3, 1));
            [&first[..], &[Layer::Relu], &second].concat()
        };
        residual(
            "ResNet-18",
            width,
            image,
            classes,
            [2, 2, 2, 2],
            Block { expansion: 1, layers: basic },
        )
    }

    /// ResNet-50: sixteen blocks that narrow and widen again, the paper's own net. `width`: 64 in the
    /// published net, which has 23.5 million parameters for 10 classes. Its first layers are those of
    /// [`Architecture::resnet18`], for small images or for photographs.
    ///
    /// # Errors
    /// If `width` is 0 or `classes` is below 2.
    pub fn resnet50(width: usize, image: [usize; 3], classes: usize) -> Result<Self> {
        let bottleneck = |channels, stride| {
            let first = normed("conv1", "bn1", channels, window(1, 1));
            let second = normed("conv2", "bn2", channels, window(3, stride));
            let third = normed("conv3", "bn3", 4 * channels, window(1, 1));
            [&first[..], &[Layer::Relu], &second, &[Layer::Relu], &third].concat()
        };
        let block = Block { expansion: 4, layers: bottleneck };
        residual("ResNet-50", width, image, classes, [3, 4, 6, 3], block)
    }
}

/// Four groups of blocks; each but the first halves the image and doubles the channels.
fn residual(
    name: &str,
    width: usize,
    image: [usize; 3],
    classes: usize,
    blocks: [usize; 4],
    block: Block,
) -> Result<Architecture> {
    let stem = share(64, width);
    let mut layers = first_layers(stem, image);
    let mut inputs = stem;
    for (group, count) in blocks.into_iter().enumerate() {
        for index in 0..count {
            let stride = if index == 0 && group > 0 { 2 } else { 1 };
            let (channels, outputs) = (stem << group, (stem << group) * block.expansion);
            let shortcut = match (stride, inputs == outputs) {
                (1, true) => Vec::new(),
                _ => normed("downsample.0", "downsample.1", outputs, window(1, stride)).to_vec(),
            };
            let sum = Layer::Sum([(block.layers)(channels, stride), shortcut]);
            layers.push(Layer::within(&format!("layer{}.{index}", group + 1), [sum, Layer::Relu]));
            inputs = outputs;
        }
    }
    let name = format!("{name} of width {width}");
    Architecture { head: "fc".into(), ..Architecture::new(&name, image, layers, classes) }.checked()
}

/// What comes before the first block.
fn first_layers(channels: usize, [_, height, width]: [usize; 3]) -> Vec<Layer> {
    let is_photograph = height.min(width) >= PHOTOGRAPH;
    let conv = if is_photograph { window(7, 2) } else { window(3, 1) };
    let mut layers = normed("conv1", "bn1", channels, conv).to_vec();
    layers.push(Layer::Relu);
    if is_photograph {
        layers.push(Layer::MaxPool(window(3, 2)));
    }
    layers
}
