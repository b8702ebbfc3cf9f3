//! The gradient of a convolution with respect to its weights: an outer product summed over pixels.

use super::block::{Block, INPUT_LANES};
use super::pack::Conv;
use super::simd::{Isa, LANES, Simd, kernel};

/// What the sum over pixels needs to know.
pub(crate) struct WeightGradient {
    conv: Conv,
    input: Block,
    /// The gradient at the convolution's output.
    output: Block,
    group: usize,
}

impl WeightGradient {
    /// From an image that comes in and the gradient at the output, each with a border that is wide enough.
    pub fn new(conv: Conv, isa: Isa, input: Block, output: Block) -> Self {
        Self { conv, input, output, group: isa.group(output.blocks()) }
    }

    /// The floats of a gradient as [`accumulate`] lays it out:
    /// `[output block][input block][tap][input lane][output lane]`.
    pub fn len(&self) -> usize {
        self.output.blocks() * self.input.blocks() * self.conv.places() * self.input.lanes * LANES
    }

    /// Where the gradient of an output's weight for an input and a tap lies.
    pub fn place(&self, output: usize, input: usize, tap: usize) -> usize {
        let lanes = self.input.lanes;
        let block = output / LANES * self.input.blocks() + input / lanes;
        ((block * self.conv.places() + tap) * lanes + input % lanes) * LANES + output % LANES
    }
}

kernel! {
    /// Adds one image's share to `sums`.
    ///
    /// # Safety
    /// `input`, `gradient` and `sums` must be valid for the images and the length `job` names.
    accumulate = run(job: &WeightGradient, input: *const f32, gradient: *const f32, sums: *mut f32)
}

#[inline(always)]
unsafe fn run<S: Simd>(
    job: &WeightGradient,
    input: *const f32,
    gradient: *const f32,
    sums: *mut f32,
) {
    unsafe {
        let in_threes = job.conv.kernel[1].is_multiple_of(3);
        match (job.input.lanes == INPUT_LANES, S::PIXELS, job.group, in_threes) {
            (true, 16, 1, true) => tiles::<S, 4, 3, 1>(job, input, gradient, sums),
            (true, 16, _, true) => tiles::<S, 4, 3, 2>(job, input, gradient, sums),
            (_, 6, _, true) => tiles::<S, 2, 3, 1>(job, input, gradient, sums),
            (false, 16, 1, _) => tiles::<S, 16, 1, 1>(job, input, gradient, sums),
            (false, 16, _, _) => tiles::<S, 8, 1, 2>(job, input, gradient, sums),
            (true, 16, 2, false) => tiles::<S, 4, 1, 2>(job, input, gradient, sums),
            (_, _, _, _) => tiles::<S, 4, 1, 1>(job, input, gradient, sums),
        }
    }
}

/// Register tiles of `A` input lanes × `T` neighbouring taps × `Q` vectors of output channels.
#[inline(always)]
unsafe fn tiles<S: Simd, const A: usize, const T: usize, const Q: usize>(
    job: &WeightGradient,
    input: *const f32,
    gradient: *const f32,
    sums: *mut f32,
) {
    let (lanes, places) = (job.input.lanes, job.conv.places());
    for group in 0..job.output.blocks() / Q {
        for block in 0..job.input.blocks() {
            for tap in (0..places).step_by(T) {
                for lane in (0..job.input.channels_in(block)).step_by(A) {
                    let pixel =
                        job.input.origin().strict_add_signed(job.conv.offset(job.input, tap));
                    let from = job.input.plane() * block + pixel + lane;
                    let to = job.output.origin() + group * Q * job.output.plane();
                    let q_stride = job.input.blocks() * places * lanes * LANES;
                    let row =
                        ((group * Q * job.input.blocks() + block) * places + tap) * lanes + lane;
                    unsafe {
                        let (from, to) = (input.add(from), gradient.add(to));
                        let place = sums.add(row * LANES);
                        tile::<S, A, T, Q>(job, from, to, place, q_stride);
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn tile<S: Simd, const A: usize, const T: usize, const Q: usize>(
    job: &WeightGradient,
    input: *const f32,
    gradient: *const f32,
    place: *mut f32,
    q_stride: usize,
) {
    unsafe {
        let (lanes, stride) = (job.input.lanes, job.conv.stride);
        let mut sums = [[[S::splat(0.0); Q]; A]; T];
        for y in 0..job.output.height {
            let mut from = input.add(y * stride * job.input.row());
            let mut to = gradient.add(y * job.output.row());
            for _ in 0..job.output.width {
                let mut vectors = [S::splat(0.0); Q];
                for (q, vector) in vectors.iter_mut().enumerate() {
                    *vector = S::load(to.add(q * job.output.plane()));
                }
                for (t, sums) in sums.iter_mut().enumerate() {
                    for (a, sums) in sums.iter_mut().enumerate() {
                        let value = S::splat(*from.add(t * lanes + a));
                        for q in 0..Q {
                            sums[q] = S::fma(value, vectors[q], sums[q]);
                        }
                    }
                }
                from = from.add(stride * lanes);
                to = to.add(LANES);
            }
        }
        for (t, sums) in sums.iter().enumerate() {
            for (a, sums) in sums.iter().enumerate() {
                for (q, &sum) in sums.iter().enumerate() {
                    let to = place.add((t * lanes + a) * LANES + q * q_stride);
                    S::store(to, S::add(S::load(to), sum));
                }
            }
        }
    }
}
