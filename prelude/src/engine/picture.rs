//! The border between pictures, channel after channel in [0, 1], and the engine's blocks.

// Indices say better than iterators that they will be constants.
#![allow(clippy::needless_range_loop)]

use super::block::Block;
use super::conv::Sweep;
use super::pack::Conv;
use super::simd::{Isa, LANES, Simd, kernel};

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
    parts: Vec<Sweep>,
    /// `[output block][tap][input][lane]`.
    weights: Vec<f32>,
    scale: Vec<f32>,
}

impl PictureGradient {
    /// For the convolution `conv` with `weights (outputs, inputs, kernel)` on normalised pictures; `slope`
    /// is how the gradient at its output lies.
    pub fn new(
        conv: Conv,
        weights: &[f32],
        normalisation: &Normalisation,
        slope: Block,
        isa: Isa,
    ) -> Self {
        let (Conv { inputs, outputs, .. }, places) = (conv, conv.places());
        let mut packed = vec![0.0; outputs.div_ceil(LANES) * places * inputs * LANES];
        for (place, &weight) in weights.iter().enumerate() {
            let (output, input) = (place / (inputs * places), place / places % inputs);
            let row = (output / LANES * places + place % places) * inputs + input;
            packed[row * LANES + output % LANES] = weight;
        }
        let scale = normalisation.deviation.iter().map(|d| 1.0 / d).collect();
        Self { conv, parts: conv.backward(isa, slope, conv.input()), weights: packed, scale }
    }
}

kernel! {
    /// Writes the gradient with respect to a picture, `(inputs, height, width)`.
    ///
    /// # Safety
    /// `gradient` must be valid for the layout that the job was made for, `picture` for the picture.
    leave = run(job: &PictureGradient, gradient: *const f32, picture: *mut f32)
}

#[inline(always)]
unsafe fn run<S: Simd>(job: &PictureGradient, gradient: *const f32, picture: *mut f32) {
    for first in (0..job.conv.inputs).step_by(4) {
        for part in &job.parts {
            unsafe {
                match job.conv.inputs - first {
                    1 => rows::<S, 1>(job, part, first, gradient, picture),
                    2 => rows::<S, 2>(job, part, first, gradient, picture),
                    3 => rows::<S, 3>(job, part, first, gradient, picture),
                    _ => rows::<S, 4>(job, part, first, gradient, picture),
                }
            }
        }
    }
}

/// The `C` channels from `first`, at the pixels of `part`.
#[inline(always)]
unsafe fn rows<S: Simd, const C: usize>(
    job: &PictureGradient,
    part: &Sweep,
    first: usize,
    gradient: *const f32,
    picture: *mut f32,
) {
    for y in 0..part.height {
        let row = unsafe { gradient.add(part.input.origin() + y * part.input.row()) };
        let mut x = 0;
        unsafe {
            while x + 4 <= part.width {
                tile::<S, 4, C>(job, part, first, row, picture, (y, x));
                x += 4;
            }
            while x < part.width {
                tile::<S, 1, C>(job, part, first, row, picture, (y, x));
                x += 1;
            }
        }
    }
}

/// `P` pixels of row `y` from column `x`; indices are constants, so that the sums stay in registers.
#[inline(always)]
unsafe fn tile<S: Simd, const P: usize, const C: usize>(
    job: &PictureGradient,
    part: &Sweep,
    first: usize,
    row: *const f32,
    picture: *mut f32,
    (y, x): (usize, usize),
) {
    unsafe {
        let Conv { inputs, height, width, .. } = job.conv;
        let mut sums = [[S::splat(0.0); C]; P];
        for block in 0..part.input.blocks() {
            let pixel = row.add(block * part.input.plane() + x * LANES);
            for tap in &part.taps {
                let from = pixel.offset(tap.input);
                let place = ((block * part.places + tap.weights) * inputs + first) * LANES;
                let weights = job.weights.as_ptr().add(place);
                let mut w = [S::splat(0.0); C];
                for c in 0..C {
                    w[c] = S::load(weights.add(c * LANES));
                }
                for p in 0..P {
                    let value = S::load(from.add(p * LANES));
                    for c in 0..C {
                        sums[p][c] = S::fma(value, w[c], sums[p][c]);
                    }
                }
            }
        }
        let y = part.first.0 + y * part.step;
        for p in 0..P {
            let x = part.first.1 + (x + p) * part.step;
            for c in 0..C {
                let at = ((first + c) * height + y) * width + x;
                *picture.add(at) = S::sum(sums[p][c]) * job.scale[first + c];
            }
        }
    }
}
