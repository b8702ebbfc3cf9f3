//! The gradient of a convolution with respect to its weights: an outer product summed over pixels.

use super::block::{Block, INPUT_LANES};
use super::pack::Conv;
use super::simd::{Isa, LANES, Simd, kernel};

/// What the sum over pixels needs to know.
pub(crate) struct WeightGradient {
    pub conv: Conv,
    pub input: Block,
    /// The gradient at the convolution's output, with a border.
    pub output: Block,
    pub group: usize,
}

impl WeightGradient {
    pub fn new(conv: Conv, isa: Isa) -> Self {
        let output = conv.output();
        Self { conv, input: conv.input(), output, group: isa.group(output.blocks()) }
    }

    /// The floats of a gradient as [`accumulate`] lays it out:
    /// `[output block][input block][tap][input lane][output lane]`.
    pub fn len(&self) -> usize {
        self.output.blocks() * self.input.blocks() * 9 * self.input.lanes * LANES
    }

    /// Where the gradient of an output's weight for an input and a tap lies.
    pub fn place(&self, output: usize, input: usize, tap: usize) -> usize {
        let lanes = self.input.lanes;
        let block = output / LANES * self.input.blocks() + input / lanes;
        ((block * 9 + tap) * lanes + input % lanes) * LANES + output % LANES
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
        match (job.input.lanes == INPUT_LANES, S::PIXELS, job.group) {
            (true, 16, 1) => tiles::<S, 4, 3, 1>(job, input, gradient, sums),
            (true, 16, _) => tiles::<S, 4, 3, 2>(job, input, gradient, sums),
            (_, 6, _) => tiles::<S, 2, 3, 1>(job, input, gradient, sums),
            (true, _, _) => tiles::<S, 4, 1, 1>(job, input, gradient, sums),
            (false, 16, 1) => tiles::<S, 16, 1, 1>(job, input, gradient, sums),
            (false, 16, _) => tiles::<S, 8, 1, 2>(job, input, gradient, sums),
            (false, _, _) => tiles::<S, 4, 1, 1>(job, input, gradient, sums),
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
    let lanes = job.input.lanes;
    for group in 0..job.output.blocks() / Q {
        for block in 0..job.input.blocks() {
            for tap in (0..9).step_by(T) {
                for lane in (0..lanes).step_by(A) {
                    let window = tap / 3 * job.input.row() + tap % 3 * lanes;
                    let from = job.input.plane() * block + window + lane;
                    let to = job.output.origin() + group * Q * job.output.plane();
                    let q_stride = job.input.blocks() * 9 * lanes * LANES;
                    let row = ((group * Q * job.input.blocks() + block) * 9 + tap) * lanes + lane;
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
