//! The border between pictures, channel after channel in [0, 1], and the engine's blocks.

use super::block::{Block, INPUT_LANES};
use super::pack::Conv;
use super::simd::{LANES, Simd, kernel};

/// The colours of a picture, channel by channel: mean and deviation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Normalisation {
    pub mean: Vec<f32>,
    pub deviation: Vec<f32>,
}

impl Normalisation {
    /// Writes `(picture − mean) / deviation` into the interior of `block`.
    pub fn enter(&self, picture: &[f32], layout: Block, block: &mut [f32]) {
        let size = layout.height * layout.width;
        for (channel, plane) in picture.chunks(size).enumerate() {
            let (mean, scale) = (self.mean[channel], 1.0 / self.deviation[channel]);
            let place = channel / layout.lanes * layout.plane() + channel % layout.lanes;
            for (y, row) in plane.chunks(layout.width).enumerate() {
                let start = layout.origin() + place + y * layout.row();
                for (to, &from) in block[start..].iter_mut().step_by(layout.lanes).zip(row) {
                    *to = (from - mean) * scale;
                }
            }
        }
    }
}

/// The first convolution seen from behind: its weights as vectors over output channels.
///
/// A picture has three channels. Written as a convolution with outputs and inputs exchanged, thirteen
/// of sixteen lanes would compute nothing; as a dot product over the output channels none does.
pub(crate) struct PictureGradient {
    conv: Conv,
    /// `[output block][tap][input][lane]`.
    weights: Vec<f32>,
    scale: Vec<f32>,
}

impl PictureGradient {
    /// For the convolution `conv` with `weights (outputs, inputs, 3, 3)` on normalised pictures.
    pub fn new(conv: Conv, weights: &[f32], normalisation: &Normalisation) -> Self {
        let Conv { inputs, outputs, .. } = conv;
        let mut packed = vec![0.0; outputs.div_ceil(LANES) * 9 * inputs * LANES];
        for (place, &weight) in weights.iter().enumerate() {
            let (output, input, tap) = (place / (inputs * 9), place / 9 % inputs, place % 9);
            let row = (output / LANES * 9 + tap) * inputs + input;
            packed[row * LANES + output % LANES] = weight;
        }
        let scale = normalisation.deviation.iter().map(|d| 1.0 / d).collect();
        Self { conv, weights: packed, scale }
    }

    /// The gradient with respect to pixel `(y, x)` in `channel` is `scale[channel]` times this sum.
    fn taps(&self, y: usize, x: usize) -> impl Iterator<Item = (usize, usize)> {
        let (conv, output) = (self.conv, self.conv.output());
        let meets = move |i: usize, k: usize, size: usize| {
            let numerator = (i + 1).checked_sub(k)?;
            let o = numerator / conv.stride;
            (numerator % conv.stride == 0 && o < size).then_some(o)
        };
        (0..9).filter_map(move |tap| {
            let y = meets(y, tap / 3, output.height)?;
            let x = meets(x, tap % 3, output.width)?;
            Some((tap, output.origin() + y * output.row() + x * LANES))
        })
    }
}

kernel! {
    /// Writes the gradient with respect to a picture, `(inputs, height, width)`.
    ///
    /// # Safety
    /// `gradient` must be valid for the bordered image at the first convolution's output, `picture`
    /// for the picture.
    leave = run(job: &PictureGradient, gradient: *const f32, picture: *mut f32)
}

#[inline(always)]
unsafe fn run<S: Simd>(job: &PictureGradient, gradient: *const f32, picture: *mut f32) {
    let Conv { inputs, height, width, .. } = job.conv;
    for channel in (0..inputs).step_by(INPUT_LANES) {
        let channels = (inputs - channel).min(INPUT_LANES);
        for y in 0..height {
            for x in 0..width {
                unsafe {
                    let sums = pixel::<S>(job, gradient, (y, x), channel, channels);
                    for (c, sum) in sums.iter().enumerate().take(channels) {
                        let at = ((channel + c) * height + y) * width + x;
                        *picture.add(at) = S::sum(*sum) * job.scale[channel + c];
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn pixel<S: Simd>(
    job: &PictureGradient,
    gradient: *const f32,
    (y, x): (usize, usize),
    channel: usize,
    channels: usize,
) -> [S::V; INPUT_LANES] {
    unsafe {
        let output = job.conv.output();
        let mut sums = [S::splat(0.0); INPUT_LANES];
        for (tap, at) in job.taps(y, x) {
            for block in 0..output.blocks() {
                let value = S::load(gradient.add(at + block * output.plane()));
                let row = (block * 9 + tap) * job.conv.inputs + channel;
                for (c, sum) in sums.iter_mut().enumerate().take(channels) {
                    let weight = S::load(job.weights.as_ptr().add((row + c) * LANES));
                    *sum = S::fma(value, weight, *sum);
                }
            }
        }
        sums
    }
}
