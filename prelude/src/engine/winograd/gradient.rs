//! The gradient of such a convolution with respect to its weights.

use super::product::{Product, Start};
use super::transform::{KernelSlopes, Slopes, Square, Window, square};
use super::{IN, Layout, OUT, PLACES, Scratch, channels, corner, enter, windows};
use crate::engine::block::Block;
use crate::engine::simd::{Isa, LANES, Simd, kernel};

/// How many windows there should be in a product, each of which reads and writes all sums once.
const ROWS: usize = 32;

/// The sum over images of the slope of each transformed weight, and what it takes to get there.
///
/// An output's slope is spread over the products it came from; a weight's slope is then a product
/// summed over windows; and the sum is transformed back once.
pub(crate) struct Gradient {
    input: Block,
    /// The gradient at the convolution's output.
    output: Block,
    group: usize,
}

impl Gradient {
    pub fn new(isa: Isa, input: Block, output: Block) -> Self {
        Self { input, output, group: isa.group(output.blocks()) }
    }

    /// How many images make a product worth its while.
    pub fn images(&self) -> usize {
        (ROWS / windows(self.input)).max(1)
    }

    /// The floats of the sums: `[place][input][output]`.
    pub fn sums(&self) -> usize {
        PLACES * channels(self.input) * channels(self.output)
    }

    /// Adds the shares of several images, each an input and a gradient, to zero or to `sums`.
    ///
    /// # Safety
    /// The pointers must be valid for the input and the output.
    pub unsafe fn add(
        &self,
        isa: Isa,
        images: &[(*const f32, *const f32)],
        start: Start,
        sums: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let mut start = start;
        assert_eq!(sums.len(), self.sums());
        for images in images.chunks(self.images()) {
            let [from, slopes] = self.layouts(images.len());
            scratch.make_room(from.len(), slopes.len());
            let (windows, products) = (scratch.windows.as_mut_ptr(), scratch.products.as_mut_ptr());
            // The scratch has room for all windows, and the sums were measured.
            unsafe { add_images(isa, self, images, start, windows, products, sums.as_mut_ptr()) };
            start = Start::Kept;
        }
    }

    /// The floats of the slopes of the weights: `[tap][input][output]`.
    pub fn weights(&self) -> usize {
        self.sums() / PLACES * 9
    }

    /// Turns the sums into the slopes of the weights, which are the first of `sums` then.
    pub fn back_to_weights(&self, isa: Isa, sums: &mut [f32]) {
        assert_eq!(sums.len(), self.sums());
        // The length was measured.
        unsafe { back_to_weights(isa, sums.len() / PLACES, sums.as_mut_ptr()) };
    }

    /// The slope of an output's weight for an input and a tap, in what [`Self::back_to_weights`] left.
    pub fn place(&self, output: usize, input: usize, tap: usize) -> usize {
        (tap * channels(self.input) + input) * channels(self.output) + output
    }

    fn layouts(&self, images: usize) -> [Layout; 2] {
        let layout = |image| Layout { windows: images * windows(image), channels: channels(image) };
        [layout(self.input), layout(self.output)]
    }

    fn product(&self, from: Layout, slopes: Layout, start: Start) -> Product {
        let panel = self.group * LANES;
        Product {
            count: PLACES,
            rows: from.channels,
            inner: from.windows,
            panels: slopes.channels / panel,
            group: self.group,
            next: [from.place(), slopes.place(), from.channels * slopes.channels],
            a: (1, from.channels),
            b: (panel, slopes.channels),
            c: slopes.channels,
            start,
        }
    }
}

kernel! {
    /// Adds images to the sums of a gradient.
    ///
    /// # Safety
    /// The pointers must be valid for the gradient's images, its layouts for so many, and its sums.
    add_images = run_images(
        gradient: &Gradient, images: &[(*const f32, *const f32)], start: Start,
        windows: *mut f32, slopes: *mut f32, sums: *mut f32)
}

#[inline(always)]
unsafe fn run_images<S: Simd>(
    gradient: &Gradient,
    images: &[(*const f32, *const f32)],
    start: Start,
    windows: *mut f32,
    slopes: *mut f32,
    sums: *mut f32,
) {
    let [from, to] = gradient.layouts(images.len());
    unsafe {
        for (index, &(input, output)) in images.iter().enumerate() {
            let first = index * from.windows / images.len();
            let input = input.add(corner(gradient.input));
            enter::<S, Window, IN>(gradient.input, input, from, first, windows);
            // The slopes are read from the first pixel on, not from the border.
            let output = output.add(gradient.output.origin());
            enter::<S, Slopes, OUT>(gradient.output, output, to, first, slopes);
        }
        gradient.product(from, to, start).run::<S>(windows, slopes, sums);
    }
}

kernel! {
    /// Transforms the slopes of `all` weights back where they are: `[place][weight]` to `[tap][weight]`.
    ///
    /// # Safety
    /// `sums` must be valid for 36 times `all` floats, whole vectors.
    back_to_weights = run_back_to_weights(all: usize, sums: *mut f32)
}

#[inline(always)]
unsafe fn run_back_to_weights<S: Simd>(all: usize, sums: *mut f32) {
    for at in (0..all).step_by(LANES) {
        unsafe {
            // All of a square is read before the first number is written.
            let from = Square { at: sums.add(at).cast_const(), row: IN * all, column: all };
            let to = Square { at: sums.add(at), row: 3 * all, column: all };
            square::<S, KernelSlopes, IN, 3>(from, to);
        }
    }
}
