//! A 3×3 convolution as sweeps, and its weights in the order the sweeps read them.

use super::block::Block;
use super::conv::{Sweep, Tap};
use super::simd::{Isa, LANES};

/// A 3×3 convolution with a border of one zero pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conv {
    pub inputs: usize,
    pub outputs: usize,
    pub stride: usize,
    /// The size of the image that comes in.
    pub height: usize,
    pub width: usize,
    /// How wide the blocks of the image that comes in are: a picture's few channels fill narrow ones.
    pub lanes: usize,
}

impl Conv {
    /// The image that comes in.
    pub fn input(&self) -> Block {
        let block = Block::bordered(self.inputs, self.height, self.width);
        Block { lanes: self.lanes, ..block }
    }

    /// The image that goes out.
    pub fn output(&self) -> Block {
        let size = |n: usize| (n - 1) / self.stride + 1;
        Block::bordered(self.outputs, size(self.height), size(self.width))
    }

    /// The sweep of the forward pass, from a bordered image to `output`.
    pub fn forward(&self, isa: Isa, output: Block) -> Sweep {
        let input = self.input();
        let taps = (0..9).map(|tap| Tap { input: offset(input, tap / 3, tap % 3), weights: tap });
        Sweep {
            taps: taps.collect(),
            input,
            lanes: self.inputs.min(input.lanes),
            stride: self.stride,
            output,
            first: (0, 0),
            step: 1,
            height: output.height,
            width: output.width,
            group: isa.group(output.blocks()),
        }
    }

    /// The sweeps of the gradient with respect to the input, which goes to `gradient`.
    ///
    /// Input pixel `i` met output `o` through the window's row `k` when `i + 1 = stride · o + k`: with
    /// stride 1 that is the convolution with the window turned around, and with stride 2 the input's
    /// even and odd rows and columns each have their own few taps.
    pub fn backward(&self, isa: Isa, gradient: Block) -> Vec<Sweep> {
        let input = self.output();
        let starts = (0..self.stride).flat_map(|y| (0..self.stride).map(move |x| (y, x)));
        starts
            .map(|first| Sweep {
                taps: self.transposed_taps(input, first),
                input,
                lanes: LANES,
                stride: 1,
                output: gradient,
                first,
                step: self.stride,
                height: (gradient.height - first.0).div_ceil(self.stride),
                width: (gradient.width - first.1).div_ceil(self.stride),
                group: isa.group(gradient.blocks()),
            })
            .collect()
    }

    fn transposed_taps(&self, input: Block, first: (usize, usize)) -> Vec<Tap> {
        let meets = |start: usize, k: usize| {
            let distance = (start + 1) as isize - k as isize;
            let stride = self.stride as isize;
            (distance.rem_euclid(stride) == 0).then(|| distance.div_euclid(stride))
        };
        let mut taps = Vec::new();
        for tap in 0..9 {
            if let (Some(y), Some(x)) = (meets(first.0, tap / 3), meets(first.1, tap % 3)) {
                let input = y * input.row() as isize + x * input.lanes as isize;
                taps.push(Tap { input, weights: tap });
            }
        }
        taps
    }

    /// Weights `(outputs, inputs, 3, 3)` in the forward sweep's order:
    /// `[group of output blocks][input block][tap][input lane][output lane]`, zero where padded.
    pub fn pack_forward(&self, isa: Isa, weights: &[f32]) -> Vec<f32> {
        let lanes = self.inputs.min(self.input().lanes);
        let group = isa.group(self.output().blocks());
        pack(group, (self.outputs, self.inputs, lanes), |output, input, tap| {
            weights[(output * self.inputs + input) * 9 + tap]
        })
    }

    /// The same weights in the backward sweeps' order, where outputs come in and inputs go out.
    pub fn pack_backward(&self, isa: Isa, weights: &[f32]) -> Vec<f32> {
        let group = isa.group(self.inputs.div_ceil(LANES));
        pack(group, (self.inputs, self.outputs, LANES), |input, output, tap| {
            weights[(output * self.inputs + input) * 9 + tap]
        })
    }
}

/// Where window place `(ky, kx)` lies, seen from the pixel its centre is on.
fn offset(block: Block, ky: usize, kx: usize) -> isize {
    (ky as isize - 1) * block.row() as isize + (kx as isize - 1) * block.lanes as isize
}

fn pack(
    group: usize,
    (to, from, lanes): (usize, usize, usize),
    weight: impl Fn(usize, usize, usize) -> f32,
) -> Vec<f32> {
    let (to_blocks, from_blocks) = (to.div_ceil(LANES), from.div_ceil(lanes));
    let width = group * LANES;
    let mut packed = vec![0.0; to_blocks * LANES * from_blocks * lanes * 9];
    for t in 0..to {
        let (t_group, t_lane) = (t / width, t % width);
        for f in 0..from {
            let (f_block, f_lane) = (f / lanes, f % lanes);
            for tap in 0..9 {
                let row = ((t_group * from_blocks + f_block) * 9 + tap) * lanes + f_lane;
                packed[row * width + t_lane] = weight(t, f, tap);
            }
        }
    }
    packed
}
