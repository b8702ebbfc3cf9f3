//! The convolution: one loop for the forward pass and for the gradient with respect to the input.
//!
//! A convolution, its transpose and its strided transpose all sum `input[pixel + tap] ·
//! weights[tap]` over a list of taps; they differ in the list and in how far apart pixels lie. So a
//! [`Sweep`] is that list and those distances, and a register tile of pixels × output channels
//! does the sum. What happens to a finished sum, while it is still in a register, is its
//! [`Finish`].

// Indices say better than iterators that they will be constants.
#![allow(clippy::needless_range_loop)]

use super::block::{Block, INPUT_LANES};
use super::finish::{Finish, write};
use super::simd::{LANES, Simd, Vector, kernel};

/// One term of the sum: where the input lies, seen from the output pixel, and which weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tap {
    pub input: isize,
    pub weights: usize,
}

/// One sweep over the pixels of an output image (or of every second pixel of every second row).
#[derive(Clone, Debug)]
pub(crate) struct Sweep {
    pub taps: Vec<Tap>,
    /// How many places the whole window has, of which `taps` may be a part.
    pub places: usize,
    pub input: Block,
    /// How many channels of an input block have weights.
    pub lanes: usize,
    /// The distance, in input pixels, between the inputs of neighbouring outputs.
    pub stride: usize,
    pub output: Block,
    /// The first output pixel, and the distance to the next.
    pub first: (usize, usize),
    pub step: usize,
    /// How many pixels the sweep writes.
    pub height: usize,
    pub width: usize,
    /// How many vectors of output channels share a register tile.
    pub group: usize,
}

/// One image's way through a convolution.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub from: *const f32,
    pub to: *mut f32,
    pub finish: Finish,
}

impl Sweep {
    fn weights_of_block(&self) -> usize {
        self.places * self.lanes * self.group * LANES
    }

    /// How many channels of an input block have numbers and weights.
    fn lanes_of(&self, block: usize) -> usize {
        self.lanes.min(self.input.channels_in(block))
    }

    /// Where the input of the output pixel in a row and a column lies.
    pub(super) fn input_at(&self, (y, x): (usize, usize)) -> usize {
        self.input.origin() + self.stride * (y * self.input.row() + x * self.input.lanes)
    }

    /// Where an output pixel's vector lies in block `block`: in the image, and in a mask.
    pub(super) fn output_at(&self, block: usize, (y, x): (usize, usize)) -> (usize, usize) {
        let (row, column) = (self.first.0 + y * self.step, self.first.1 + x * self.step);
        let out = self.output;
        let at = out.origin() + block * out.plane() + row * out.row() + column * LANES;
        (at, (block * out.height + row) * out.width + column)
    }
}

/// Where what belongs to an output pixel lies: its input, its vector and that vector's word in a mask.
#[derive(Clone, Copy)]
struct Place {
    input: usize,
    output: usize,
    word: usize,
}

impl Place {
    fn plus(self, way: Place) -> Place {
        Place {
            input: self.input + way.input,
            output: self.output + way.output,
            word: self.word + way.word,
        }
    }
}

impl Sweep {
    fn first_place(&self, block: usize) -> Place {
        let (output, word) = self.output_at(block, (0, 0));
        Place { input: self.input_at((0, 0)), output, word }
    }

    fn to_next_pixel(&self) -> Place {
        let Self { stride, step, .. } = *self;
        Place { input: stride * self.input.lanes, output: step * LANES, word: step }
    }

    /// From the last pixel of a row to the first of the next.
    fn to_next_row(&self) -> Place {
        let (way, pixels) = (self.to_next_pixel(), self.width - 1);
        Place {
            input: self.stride * self.input.row() - pixels * way.input,
            output: self.step * self.output.row() - pixels * way.output,
            word: self.step * self.output.width - pixels * way.word,
        }
    }
}

kernel! {
    /// Runs `sweep` from `input` to `output`.
    ///
    /// # Safety
    /// `input`, `output` and the pointers of `finish` must be valid for the images the sweep names
    /// (masks: one word a vector, no border), `weights` for its packed weights.
    sweep = run(sweep: &Sweep, input: *const f32, weights: *const f32, output: *mut f32,
                finish: Finish)
}

#[inline(always)]
unsafe fn run<S: Simd>(
    sweep: &Sweep,
    input: *const f32,
    weights: *const f32,
    output: *mut f32,
    finish: Finish,
) {
    unsafe {
        match (S::PIXELS, sweep.input.lanes * sweep.stride, sweep.group) {
            (2, _, 1) => pixels::<S, 2, 2>(sweep, input, weights, output, finish),
            (6, _, 1) => pixels::<S, 6, 8>(sweep, input, weights, output, finish),
            (16, INPUT_LANES, 1) => rows::<S, 1, 4>(sweep, input, weights, output, finish),
            (16, INPUT_LANES, 2) => rows::<S, 2, 4>(sweep, input, weights, output, finish),
            (16, 8, 1) => rows::<S, 1, 8>(sweep, input, weights, output, finish),
            (16, 8, 2) => rows::<S, 2, 8>(sweep, input, weights, output, finish),
            (16, LANES, 1) => rows::<S, 1, 16>(sweep, input, weights, output, finish),
            (16, LANES, 2) => rows::<S, 2, 16>(sweep, input, weights, output, finish),
            (16, 32, 1) => rows::<S, 1, 32>(sweep, input, weights, output, finish),
            (16, 32, 2) => rows::<S, 2, 32>(sweep, input, weights, output, finish),
            (_, step, group) => unreachable!("no kernel for pixel step {step}, group {group}"),
        }
    }
}

/// Tiles of `P` pixels, and of `H` where half a vector holds all channels of a block.
#[inline(always)]
unsafe fn pixels<S: Simd, const P: usize, const H: usize>(
    sweep: &Sweep,
    input: *const f32,
    weights: *const f32,
    output: *mut f32,
    finish: Finish,
) {
    let group_weights = sweep.input.blocks() * sweep.weights_of_block();
    for block in 0..sweep.output.blocks() {
        unsafe {
            let weights = weights.add(block * group_weights);
            if sweep.output.channels_in(block) <= LANES / 2 {
                block_of_pixels::<S, S::Half, H>(sweep, input, weights, output, finish, block);
            } else {
                block_of_pixels::<S, S, P>(sweep, input, weights, output, finish, block);
            }
        }
    }
}

/// Tiles of `P` pixels that follow each other through the whole image, over the ends of its rows.
///
/// With few registers a tile that keeps the processor busy is six or twelve pixels wide, which divides
/// no row; so each pixel has its own pointer.
#[inline(always)]
unsafe fn block_of_pixels<S: Simd, L: Vector, const P: usize>(
    sweep: &Sweep,
    input: *const f32,
    weights: *const f32,
    output: *mut f32,
    finish: Finish,
    block: usize,
) {
    let (mut next, mut column) = (sweep.first_place(block), 0);
    let (pixel, row) = (sweep.to_next_pixel(), sweep.to_next_row());
    let mut left = sweep.height * sweep.width;
    while left > 0 {
        let here = P.min(left);
        left -= here;
        let (mut places, mut from) = ([next; P], [input; P]);
        // The last tile reads its last pixel several times, and writes it once.
        for p in 0..P {
            places[p] = if p < here { next } else { places[p - 1] };
            from[p] = unsafe { input.add(places[p].input) };
            column += 1;
            next = next.plus(if column < sweep.width { pixel } else { row });
            column = if column < sweep.width { column } else { 0 };
        }
        unsafe {
            let mut done = [[0.0_f32; LANES]; P];
            sum_pixels::<L, P>(sweep, from, weights, done.as_mut_ptr().cast());
            for p in 0..here {
                let Place { output: at, word, .. } = places[p];
                write::<S>(S::load(done[p].as_ptr()), output.add(at), finish, block, at, word);
            }
        }
    }
}

/// As [`sum`], for pixels that lie anywhere and one vector of channels.
#[inline(always)]
unsafe fn sum_pixels<L: Vector, const P: usize>(
    sweep: &Sweep,
    input: [*const f32; P],
    weights: *const f32,
    done: *mut f32,
) {
    unsafe {
        let mut sums = [L::splat(0.0); P];
        for block in 0..sweep.input.blocks() {
            let block_weights = weights.add(block * sweep.weights_of_block());
            for tap in &sweep.taps {
                let mut weight = block_weights.add(tap.weights * sweep.lanes * LANES);
                let from = (block * sweep.input.plane()) as isize + tap.input;
                for lane in from..from + sweep.lanes_of(block) as isize {
                    let w = L::load(weight);
                    for p in 0..P {
                        sums[p] = L::fma(L::splat(*input[p].offset(lane)), w, sums[p]);
                    }
                    weight = weight.add(LANES);
                }
            }
        }
        for p in 0..P {
            L::store(done.add(p * LANES), sums[p]);
        }
    }
}

/// Tiles along the rows, as wide as many registers allow.
///
/// `Q`: vectors of output channels a tile; `STEP`: floats between the inputs of neighbours.
#[inline(always)]
unsafe fn rows<S: Simd, const Q: usize, const STEP: usize>(
    sweep: &Sweep,
    input: *const f32,
    weights: *const f32,
    output: *mut f32,
    finish: Finish,
) {
    let group_weights = sweep.input.blocks() * sweep.weights_of_block();
    for group in 0..sweep.output.blocks() / Q {
        let weights = unsafe { weights.add(group * group_weights) };
        for y in 0..sweep.height {
            let row = sweep.input.origin() + y * sweep.stride * sweep.input.row();
            let from = unsafe { input.add(row) };
            let mut x = 0;
            // The tile is as wide as the registers allow; narrower ones finish the row.
            unsafe {
                while Q == 1 && x + 16 <= sweep.width {
                    tile::<S, 16, Q, STEP>(sweep, from, weights, output, finish, (group, y, x));
                    x += 16;
                }
                while x + 8 <= sweep.width {
                    tile::<S, 8, Q, STEP>(sweep, from, weights, output, finish, (group, y, x));
                    x += 8;
                }
                while x + 4 <= sweep.width {
                    tile::<S, 4, Q, STEP>(sweep, from, weights, output, finish, (group, y, x));
                    x += 4;
                }
                while x < sweep.width {
                    tile::<S, 1, Q, STEP>(sweep, from, weights, output, finish, (group, y, x));
                    x += 1;
                }
            }
        }
    }
}

/// `P` neighbouring pixels of row `y` from column `x`, `Q` vectors of channels each.
#[inline(always)]
unsafe fn tile<S: Simd, const P: usize, const Q: usize, const STEP: usize>(
    sweep: &Sweep,
    row: *const f32,
    weights: *const f32,
    output: *mut f32,
    finish: Finish,
    (group, y, x): (usize, usize, usize),
) {
    unsafe {
        let mut done = [[[0.0_f32; LANES]; Q]; P];
        sum::<S, P, Q, STEP>(sweep, row.add(x * STEP), weights, done.as_mut_ptr().cast());
        for q in 0..Q {
            let block = group * Q + q;
            let (mut at, mut word) = sweep.output_at(block, (y, x));
            for sums in &done {
                write::<S>(S::load(sums[q].as_ptr()), output.add(at), finish, block, at, word);
                at += sweep.step * LANES;
                word += sweep.step;
            }
        }
    }
}

/// The sums of a tile, left at `done` as `[P][Q][LANES]`.
///
/// Every index into `sums` is a constant once the loops are unrolled. Only then does the compiler keep
/// the array in registers, which is the whole point of a tile.
#[inline(always)]
unsafe fn sum<S: Simd, const P: usize, const Q: usize, const STEP: usize>(
    sweep: &Sweep,
    input: *const f32,
    weights: *const f32,
    done: *mut f32,
) {
    unsafe {
        let mut sums = [[S::splat(0.0); Q]; P];
        let (mut block, mut block_weights) = (input, weights);
        for index in 0..sweep.input.blocks() {
            for tap in &sweep.taps {
                let mut from = block.offset(tap.input);
                let mut weight = block_weights.add(tap.weights * sweep.lanes * Q * LANES);
                for _ in 0..sweep.lanes_of(index) {
                    let mut w = [S::splat(0.0); Q];
                    for q in 0..Q {
                        w[q] = S::load(weight.add(q * LANES));
                    }
                    for p in 0..P {
                        let value = S::splat(*from.add(p * STEP));
                        for q in 0..Q {
                            sums[p][q] = S::fma(value, w[q], sums[p][q]);
                        }
                    }
                    from = from.add(1);
                    weight = weight.add(Q * LANES);
                }
            }
            block = block.add(sweep.input.plane());
            block_weights = block_weights.add(sweep.weights_of_block());
        }
        for p in 0..P {
            for q in 0..Q {
                S::store(done.add((p * Q + q) * LANES), sums[p][q]);
            }
        }
    }
}
