//! A convolution as sweeps, and its weights in the order the sweeps read them.

use super::block::Block;
use super::conv::{Sweep, Tap};
use super::simd::{Isa, LANES};

/// A convolution, or another sum over windows, between two images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conv {
    pub inputs: usize,
    pub outputs: usize,
    /// The window's height and width.
    pub kernel: [usize; 2],
    pub stride: usize,
    /// Zero pixels above and below, and at both sides, that the window may stand on.
    pub padding: [usize; 2],
    /// The size of the image that comes in.
    pub height: usize,
    pub width: usize,
    /// How wide the blocks of the image that comes in are: a picture's few channels fill narrow ones.
    pub lanes: usize,
}

impl Conv {
    /// How many places the window has.
    pub fn places(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The image that comes in, with the border that the window needs.
    pub fn input(&self) -> Block {
        let block = Block::flat(self.inputs, self.height, self.width).bordered(self.padding);
        Block { lanes: self.lanes, ..block }
    }

    /// The image that goes out, without a border.
    pub fn output(&self) -> Block {
        let size = |n: usize, axis: usize| {
            (n + 2 * self.padding[axis] - self.kernel[axis]) / self.stride + 1
        };
        Block::flat(self.outputs, size(self.height, 0), size(self.width, 1))
    }

    /// The border that the gradient at the output needs on the way back.
    pub fn reach(&self) -> [usize; 2] {
        let output = self.output();
        let axis = |axis: usize, inputs: usize, outputs: usize| {
            let reach = |input: usize| {
                (0..self.kernel[axis]).filter_map(move |k| self.meets(axis, input, k))
            };
            let most = (0..inputs).flat_map(reach).map(|output| {
                let behind = output - (outputs as isize - 1);
                (-output).max(behind).max(0) as usize
            });
            most.max().unwrap_or(0)
        };
        [axis(0, self.height, output.height), axis(1, self.width, output.width)]
    }

    /// The sweep of the forward pass, from `input`, which is the image that comes in with a border that
    /// is wide enough, to `output`.
    pub fn forward(&self, isa: Isa, input: Block, output: Block) -> Sweep {
        let taps =
            (0..self.places()).map(|tap| Tap { input: self.offset(input, tap), weights: tap });
        Sweep {
            taps: taps.collect(),
            places: self.places(),
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

    /// The sweeps of the gradient with respect to the input, which goes to `gradient`, from that at the
    /// output, `slope`.
    ///
    /// Input pixel `i` met output `o` through the window's row `k` when `i + padding = stride · o + k`:
    /// with stride 1 that is the convolution with the window turned around, and with stride 2 the
    /// input's even and odd rows and columns each have their own few taps.
    pub fn backward(&self, isa: Isa, slope: Block, gradient: Block) -> Vec<Sweep> {
        let starts = (0..self.stride).flat_map(|y| (0..self.stride).map(move |x| (y, x)));
        let starts = starts.filter(|&(y, x)| y < gradient.height && x < gradient.width);
        starts
            .map(|first| Sweep {
                taps: self.transposed_taps(slope, first),
                places: self.places(),
                input: slope,
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

    fn transposed_taps(&self, slope: Block, first: (usize, usize)) -> Vec<Tap> {
        let mut taps = Vec::new();
        for tap in 0..self.places() {
            let (ky, kx) = (tap / self.kernel[1], tap % self.kernel[1]);
            if let (Some(y), Some(x)) = (self.meets(0, first.0, ky), self.meets(1, first.1, kx)) {
                let input = y * slope.row() as isize + x * slope.lanes as isize;
                taps.push(Tap { input, weights: tap });
            }
        }
        taps
    }

    /// The output that input `at` meets through place `k` of the window, along an axis; it may lie
    /// outside.
    fn meets(&self, axis: usize, at: usize, k: usize) -> Option<isize> {
        let distance = (at + self.padding[axis]) as isize - k as isize;
        let stride = self.stride as isize;
        (distance.rem_euclid(stride) == 0).then(|| distance.div_euclid(stride))
    }

    /// Where a place of the window lies in an image, seen from the pixel whose output it counts for,
    /// with stride 1.
    pub fn offset(&self, block: Block, tap: usize) -> isize {
        let (ky, kx) = (tap / self.kernel[1], tap % self.kernel[1]);
        (ky as isize - self.padding[0] as isize) * block.row() as isize
            + (kx as isize - self.padding[1] as isize) * block.lanes as isize
    }

    /// Weights `(outputs, inputs, kernel)` in the forward sweep's order:
    /// `[group of output blocks][input block][tap][input lane][output lane]`, zero where padded.
    pub fn pack_forward(&self, isa: Isa, weights: &[f32]) -> Vec<f32> {
        let lanes = self.inputs.min(self.lanes);
        let group = isa.group(self.output().blocks());
        self.pack(group, (self.outputs, self.inputs, lanes), |output, input, tap| {
            weights[(output * self.inputs + input) * self.places() + tap]
        })
    }

    /// The same weights in the backward sweeps' order, where outputs come in and inputs go out.
    pub fn pack_backward(&self, isa: Isa, weights: &[f32]) -> Vec<f32> {
        let group = isa.group(self.inputs.div_ceil(LANES));
        self.pack(group, (self.inputs, self.outputs, LANES), |input, output, tap| {
            weights[(output * self.inputs + input) * self.places() + tap]
        })
    }

    fn pack(
        &self,
        group: usize,
        (to, from, lanes): (usize, usize, usize),
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> Vec<f32> {
        let places = self.places();
        let (to_blocks, from_blocks) = (to.div_ceil(LANES), from.div_ceil(lanes));
        let width = group * LANES;
        let mut packed = vec![0.0; to_blocks * LANES * from_blocks * lanes * places];
        for t in 0..to {
            let (t_group, t_lane) = (t / width, t % width);
            for f in 0..from {
                let (f_block, f_lane) = (f / lanes, f % lanes);
                for tap in 0..places {
                    let row = ((t_group * from_blocks + f_block) * places + tap) * lanes + f_lane;
                    packed[row * width + t_lane] = weight(t, f, tap);
                }
            }
        }
        packed
    }
}
