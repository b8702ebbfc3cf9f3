//! Inception-v3 (Szegedy et al., 2015, arXiv:1512.00567), without its auxiliary head.

use super::share;
use crate::Result;
use crate::engine::Window;
use crate::net::{Architecture, Layer};

/// What the published net adds to a variance.
const EPSILON: f32 = 1e-3;

impl Architecture {
    /// Inception-v3: eleven modules of several ways side by side. `width`: 64 in the published net, which has
    /// 21.8 million parameters for 10 classes. The first convolutions keep the image's size, as in the authors'
    /// library; the modules are the published ones.
    ///
    /// # Errors
    /// If `width` is 0, `classes` is below 2, or an image has fewer than 17 pixels a side.
    pub fn inception_v3(width: usize, image: [usize; 3], classes: usize) -> Result<Self> {
        let to = Ways { width };
        let layers = vec![
            to.unit("Conv2d_1a_3x3", 32, [3, 3], 1),
            to.unit("Conv2d_2a_3x3", 32, [3, 3], 1),
            to.unit("Conv2d_2b_3x3", 64, [3, 3], 1),
            to.unit("Conv2d_3b_1x1", 80, [1, 1], 1),
            to.inside("Conv2d_4a_3x3", 192, 1),
            to.wide("Mixed_5b", 32),
            to.wide("Mixed_5c", 64),
            to.wide("Mixed_5d", 64),
            to.first_reduction("Mixed_6a"),
            to.long("Mixed_6b", 128),
            to.long("Mixed_6c", 160),
            to.long("Mixed_6d", 160),
            to.long("Mixed_6e", 192),
            to.second_reduction("Mixed_7a"),
            to.fanned("Mixed_7b"),
            to.fanned("Mixed_7c"),
        ];
        let name = format!("Inception-v3 of width {width}");
        let net = Self::new(&name, image, layers, classes);
        Self { head: "fc".into(), dropout: 0.5, ..net }.checked()
    }
}

/// The modules of a net of a width; channels are the published ones, windows height by width.
struct Ways {
    width: usize,
}

impl Ways {
    /// A convolution, its batch norm and a ReLU; with stride 1 the image keeps its size.
    fn unit(&self, name: &str, channels: usize, kernel: [usize; 2], stride: usize) -> Layer {
        let window = Window { kernel, stride, padding: [0, 0] };
        self.through(name, channels, window.padded())
    }

    /// The same with a window of 3×3 that stays inside the image.
    fn inside(&self, name: &str, channels: usize, stride: usize) -> Layer {
        self.through(name, channels, Window::square(3, stride))
    }

    fn through(&self, name: &str, channels: usize, window: Window) -> Layer {
        let conv = Layer::conv("conv", share(channels, self.width), window);
        let norm = Layer::Norm { name: "bn".into(), epsilon: EPSILON };
        Layer::within(name, [conv, norm, Layer::Relu])
    }

    /// The mean over 3×3 pixels, and a convolution.
    fn pooled(&self, channels: usize) -> Vec<Layer> {
        let mean = Layer::MeanPool(Window::square(3, 1).padded());
        vec![mean, self.unit("branch_pool", channels, [1, 1], 1)]
    }

    /// One, two and three convolutions side by side.
    fn wide(&self, name: &str, pooled: usize) -> Layer {
        let ways = vec![
            vec![self.unit("branch1x1", 64, [1, 1], 1)],
            vec![self.unit("branch5x5_1", 48, [1, 1], 1), self.unit("branch5x5_2", 64, [5, 5], 1)],
            vec![
                self.unit("branch3x3dbl_1", 64, [1, 1], 1),
                self.unit("branch3x3dbl_2", 96, [3, 3], 1),
                self.unit("branch3x3dbl_3", 96, [3, 3], 1),
            ],
            self.pooled(pooled),
        ];
        Layer::within(name, [Layer::Concat(ways)])
    }

    /// Halves the image.
    fn first_reduction(&self, name: &str) -> Layer {
        let ways = vec![
            vec![self.inside("branch3x3", 384, 2)],
            vec![
                self.unit("branch3x3dbl_1", 64, [1, 1], 1),
                self.unit("branch3x3dbl_2", 96, [3, 3], 1),
                self.inside("branch3x3dbl_3", 96, 2),
            ],
            vec![Layer::MaxPool(Window::square(3, 2))],
        ];
        Layer::within(name, [Layer::Concat(ways)])
    }

    /// Windows of 7×7 as rows and columns.
    fn long(&self, name: &str, narrow: usize) -> Layer {
        let (row, column) = ([1, 7], [7, 1]);
        let ways = vec![
            vec![self.unit("branch1x1", 192, [1, 1], 1)],
            vec![
                self.unit("branch7x7_1", narrow, [1, 1], 1),
                self.unit("branch7x7_2", narrow, row, 1),
                self.unit("branch7x7_3", 192, column, 1),
            ],
            vec![
                self.unit("branch7x7dbl_1", narrow, [1, 1], 1),
                self.unit("branch7x7dbl_2", narrow, column, 1),
                self.unit("branch7x7dbl_3", narrow, row, 1),
                self.unit("branch7x7dbl_4", narrow, column, 1),
                self.unit("branch7x7dbl_5", 192, row, 1),
            ],
            self.pooled(192),
        ];
        Layer::within(name, [Layer::Concat(ways)])
    }

    /// Halves the image again.
    fn second_reduction(&self, name: &str) -> Layer {
        let ways = vec![
            vec![self.unit("branch3x3_1", 192, [1, 1], 1), self.inside("branch3x3_2", 320, 2)],
            vec![
                self.unit("branch7x7x3_1", 192, [1, 1], 1),
                self.unit("branch7x7x3_2", 192, [1, 7], 1),
                self.unit("branch7x7x3_3", 192, [7, 1], 1),
                self.inside("branch7x7x3_4", 192, 2),
            ],
            vec![Layer::MaxPool(Window::square(3, 2))],
        ];
        Layer::within(name, [Layer::Concat(ways)])
    }

    /// Ways that part once more at their end.
    fn fanned(&self, name: &str) -> Layer {
        let fan = |row: &str, column: &str| {
            let ways =
                vec![vec![self.unit(row, 384, [1, 3], 1)], vec![self.unit(column, 384, [3, 1], 1)]];
            Layer::Concat(ways)
        };
        let ways = vec![
            vec![self.unit("branch1x1", 320, [1, 1], 1)],
            vec![self.unit("branch3x3_1", 384, [1, 1], 1), fan("branch3x3_2a", "branch3x3_2b")],
            vec![
                self.unit("branch3x3dbl_1", 448, [1, 1], 1),
                self.unit("branch3x3dbl_2", 384, [3, 3], 1),
                fan("branch3x3dbl_3a", "branch3x3dbl_3b"),
            ],
            self.pooled(192),
        ];
        Layer::within(name, [Layer::Concat(ways)])
    }
}
