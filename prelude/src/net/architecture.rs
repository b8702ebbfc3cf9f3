//! What a net is made of: one list of layers, which the graph and the engine both run.

use crate::{Error, Result};

/// One layer of a net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A 3×3 convolution without bias, batch norm, ReLU.
    Conv {
        /// Channels that go out.
        outputs: usize,
        /// 1 keeps the size of the image, 2 halves it.
        stride: usize,
    },
    /// `x + layers(x)`; the layers are one to four convolutions that keep `x`'s shape.
    Residual(Vec<Layer>),
}

/// A net's layers: images are normalised, go through `layers`, are averaged over their pixels (the
/// penultimate representation) and end in a linear layer, one logit a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// What it is called: `resnet`.
    pub name: String,
    /// Channels, height and width of an image.
    pub image: [usize; 3],
    /// From the image to the last activation.
    pub layers: Vec<Layer>,
    /// How many classes there are.
    pub classes: usize,
}

impl Architecture {
    /// The small residual net of the demo scale: `width` channels at first, four times as many at last.
    ///
    /// Seven convolutions; at width 16 and for 10 classes it has 117 thousand parameters, and an image of 32×32 pixels
    /// costs 12.2 million multiply-adds.
    ///
    /// # Errors
    /// If `width` is 0 or `classes` is below 2.
    pub fn resnet(width: usize, image: [usize; 3], classes: usize) -> Result<Self> {
        let conv = |outputs, stride| Layer::Conv { outputs, stride };
        let residual = |outputs| Layer::Residual(vec![conv(outputs, 1), conv(outputs, 1)]);
        let layers = vec![
            conv(width, 1),
            conv(2 * width, 2),
            residual(2 * width),
            conv(4 * width, 2),
            residual(4 * width),
        ];
        let net = Self { name: format!("resnet of width {width}"), image, layers, classes };
        net.chain().map(|_| net)
    }

    /// The layers as a chain of convolutions with their names, for the engine and for files.
    pub(crate) fn chain(&self) -> Result<Vec<Link>> {
        if self.classes < 2 || self.image.contains(&0) {
            return Err(Error::invalid(
                "at least two classes and an image with pixels",
                format!("{} classes, images of {:?}", self.classes, self.image),
                "Give the net a data set with images and two classes or more.",
            ));
        }
        let mut links: Vec<Link> = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let name = format!("features.{index}");
            match layer {
                Layer::Conv { outputs, stride } => links.push(Link::new(name, *outputs, *stride)?),
                Layer::Residual(layers) => links.extend(block(&name, layers, &links)?),
            }
        }
        match links.is_empty() {
            true => Err(Error::invalid("at least one convolution", "none", "Add a layer.")),
            false => Ok(links),
        }
    }
}

/// The links of a residual block called `name` behind the links `before`.
fn block(name: &str, layers: &[Layer], before: &[Link]) -> Result<Vec<Link>> {
    const NAMES: [&str; 4] = ["first", "second", "third", "fourth"];
    let Some(start) = before.last() else {
        let remedy = "Put a convolution before the residual block.";
        return Err(Error::invalid("a convolution first", "a residual block", remedy));
    };
    if !(1..=NAMES.len()).contains(&layers.len()) {
        return Err(Error::invalid(
            format!("1 to {} convolutions in a residual block", NAMES.len()),
            layers.len().to_string(),
            "Split a long block into several, and leave an empty one out.",
        ));
    }
    let kept = Layer::Conv { outputs: start.outputs, stride: 1 };
    if let Some(layer) = layers.iter().find(|layer| **layer != kept) {
        return Err(Error::invalid(
            format!("{kept:?} inside the residual block"),
            format!("{layer:?}"),
            "A block can be added to its input only if it keeps its shape.",
        ));
    }
    let links = NAMES.iter().take(layers.len());
    let mut links = links
        .map(|part| Link::new(format!("{name}.{part}"), start.outputs, 1))
        .collect::<Result<Vec<Link>>>()?;
    links.last_mut().expect("the block is not empty").residual = Some(before.len() - 1);
    Ok(links)
}

/// One convolution of the chain.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Its name in a state dict: `features.0`.
    pub name: String,
    pub outputs: usize,
    pub stride: usize,
    /// The link whose output is added to this one's.
    pub residual: Option<usize>,
}

impl Link {
    fn new(name: String, outputs: usize, stride: usize) -> Result<Self> {
        if outputs == 0 || !(1..=2).contains(&stride) {
            return Err(Error::invalid(
                "one output channel or more, and stride 1 or 2",
                format!("{outputs} output channels, stride {stride}"),
                "Choose a width of 1 or more.",
            ));
        }
        Ok(Self { name, outputs, stride, residual: None })
    }
}
