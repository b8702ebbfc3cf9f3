//! VGG-16 (Simonyan and Zisserman, 2014, arXiv:1409.1556) with batch norm.

use super::{share, window};
use crate::Result;
use crate::engine::Window;
use crate::net::{Architecture, Layer};

/// The channels of each convolution, pool after pool.
const GROUPS: [&[usize]; 5] =
    [&[64, 64], &[128, 128], &[256, 256, 256], &[512, 512, 512], &[512, 512, 512]];

impl Architecture {
    /// VGG-16 with batch norm: thirteen convolutions, and, as in the authors' library, one linear layer instead
    /// of three. `width`: 64 in the published net, which has 14.7 million parameters for 10 classes.
    ///
    /// # Errors
    /// If `width` is 0, `classes` is below 2, or an image has fewer than 32 pixels a side.
    pub fn vgg16(width: usize, image: [usize; 3], classes: usize) -> Result<Self> {
        let mut layers = Vec::new();
        // Torchvision numbers ReLUs and pools too.
        let mut index = 0;
        for group in GROUPS {
            for channels in group {
                let (name, outputs) = (index.to_string(), share(*channels, width));
                layers.push(Layer::Conv { name, outputs, window: window(3, 1), bias: true });
                layers.extend([Layer::norm(&(index + 1).to_string()), Layer::Relu]);
                index += 3;
            }
            layers.push(Layer::MaxPool(Window::square(2, 2)));
            index += 1;
        }
        let name = format!("VGG-16 of width {width}");
        let net = Self::new(&name, image, vec![Layer::within("features", layers)], classes);
        Self { head: "classifier".into(), ..net }.checked()
    }
}
