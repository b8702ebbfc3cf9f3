//! Winograd's F(4×4, 3×3) for convolutions of stride 1: a quarter of the products.
//!
//! Windows of 6×6 pixels that overlap by two are transformed; then each of their 36 places is a product
//! of its own, windows × channels by channels × outputs; and what comes out is transformed back to 4×4
//! outputs. Several small images go through together, so that a product has enough rows.

mod gradient;
mod product;
mod transform;

pub(crate) use gradient::Gradient;
pub(crate) use product::Start;

use super::block::Block;
use super::conv::Job;
use super::finish::write;
use super::simd::{Isa, LANES, Simd, kernel};
use product::Product;
use rayon::prelude::*;
use transform::{Kernel, Line, Outputs, Square, Window, square};

/// The pixels of a window's outputs, and of the window itself, in each direction.
const OUT: usize = 4;
const IN: usize = OUT + 2;

/// How many places a window has.
const PLACES: usize = IN * IN;

/// How many windows there should be in a product: with many channels its weights come from far, and more
/// windows are worth waiting for.
fn rows(channels: usize) -> usize {
    if channels <= 64 { 16 } else { 32 }
}

/// A convolution between two images of the same size, with its transformed weights.
pub(crate) struct Winograd {
    input: Block,
    output: Block,
    group: usize,
    /// `[place][panel of outputs][input][output]`.
    weights: Vec<f32>,
}

/// Transformed numbers on their way, kept for the next images.
#[derive(Default)]
pub(crate) struct Scratch {
    windows: Vec<f32>,
    products: Vec<f32>,
}

/// Transformed numbers of several images: `[place][window][channel]`.
#[derive(Clone, Copy)]
struct Layout {
    windows: usize,
    channels: usize,
}

impl Layout {
    /// The floats from one place to the next: one vector more than needed, as distances that are
    /// powers of two would all fall into the same lines of a cache.
    fn place(self) -> usize {
        self.windows * self.channels + LANES
    }

    fn len(self) -> usize {
        PLACES * self.place()
    }
}

/// Whether images of this kind can go this way: whole windows, blocks of whole vectors.
pub(crate) fn fits(image: Block) -> bool {
    image.height.is_multiple_of(OUT) && image.width.is_multiple_of(OUT) && image.lanes == LANES
}

/// How many windows cover an image.
fn windows(image: Block) -> usize {
    image.height / OUT * (image.width / OUT)
}

/// How many channels an image has, with those that fill its last block.
fn channels(image: Block) -> usize {
    image.blocks() * LANES
}

impl Winograd {
    /// From `input` to `output`, which differ in channels and border only; `weight` tells the weight of
    /// an output, an input and a tap.
    pub fn new(
        isa: Isa,
        input: Block,
        output: Block,
        weight: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Self {
        let (inputs, outputs) = (channels(input), channels(output));
        let mut taps = vec![0.0; 9 * inputs * outputs];
        taps.par_chunks_mut(inputs * outputs).enumerate().for_each(|(tap, taps)| {
            for (i, taps) in taps.chunks_mut(outputs).take(input.channels).enumerate() {
                for (o, to) in taps.iter_mut().take(output.channels).enumerate() {
                    *to = weight(o, i, tap);
                }
            }
        });
        let group = isa.group(output.blocks());
        let mut weights = vec![0.0; PLACES * inputs * outputs];
        // Both have the lengths that the kernel's documentation asks for.
        unsafe { kernels(isa, inputs, outputs, group, taps.as_ptr(), weights.as_mut_ptr()) };
        Self { input, output, group, weights }
    }

    /// How many images have enough windows for a product.
    pub fn images(&self) -> usize {
        (rows(channels(self.input)) / windows(self.input)).max(1)
    }

    /// Takes every image of `jobs` through the convolution.
    ///
    /// # Safety
    /// Each job's pointers must be valid for the input and the output.
    pub unsafe fn run(&self, isa: Isa, jobs: &[Job], scratch: &mut Scratch) {
        for jobs in jobs.chunks(self.images()) {
            // The scratch has room for all windows, as `run_images` relies on.
            unsafe {
                scratch.make_room(self.windows(jobs).len(), self.products(jobs).len());
                images(
                    isa,
                    self,
                    jobs,
                    scratch.windows.as_mut_ptr(),
                    scratch.products.as_mut_ptr(),
                );
            }
        }
    }

    fn windows(&self, jobs: &[Job]) -> Layout {
        Layout { windows: jobs.len() * windows(self.input), channels: channels(self.input) }
    }

    fn products(&self, jobs: &[Job]) -> Layout {
        Layout { windows: jobs.len() * windows(self.output), channels: channels(self.output) }
    }

    fn product(&self, from: Layout, to: Layout) -> Product {
        let panel = self.group * LANES;
        Product {
            count: PLACES,
            rows: from.windows,
            inner: self.input.channels,
            panels: to.channels / panel,
            group: self.group,
            next: [from.place(), from.channels * to.channels, to.place()],
            a: (from.channels, 1),
            b: (from.channels * panel, panel),
            c: to.channels,
            start: Start::Zero,
        }
    }
}

impl Scratch {
    fn make_room(&mut self, windows: usize, products: usize) {
        self.windows.resize(windows.max(self.windows.len()), 0.0);
        self.products.resize(products.max(self.products.len()), 0.0);
    }
}

kernel! {
    /// Transforms weights `[tap][input][output]` to those of [`Winograd`].
    ///
    /// # Safety
    /// `taps` and `weights` must be valid for 9 and 36 times `inputs · outputs` floats.
    kernels = run_kernels(
        inputs: usize, outputs: usize, group: usize, taps: *const f32, weights: *mut f32)
}

#[inline(always)]
unsafe fn run_kernels<S: Simd>(
    inputs: usize,
    outputs: usize,
    group: usize,
    taps: *const f32,
    weights: *mut f32,
) {
    let (all, panel) = (inputs * outputs, group * LANES);
    for i in 0..inputs {
        for o in (0..outputs).step_by(LANES) {
            let place = (o / panel * inputs + i) * panel + o % panel;
            unsafe {
                let from = Square { at: taps.add(i * outputs + o), row: 3 * all, column: all };
                let to = Square { at: weights.add(place), row: IN * all, column: all };
                square::<S, Kernel, 3, IN>(from, to);
            }
        }
    }
}

kernel! {
    /// Takes images through a convolution.
    ///
    /// # Safety
    /// Each job's pointers must be valid for the convolution's images, `windows` and `products` for the
    /// layouts of all jobs together.
    images = run_images(
        winograd: &Winograd, jobs: &[Job], windows: *mut f32, products: *mut f32)
}

#[inline(always)]
unsafe fn run_images<S: Simd>(
    winograd: &Winograd,
    jobs: &[Job],
    windows: *mut f32,
    products: *mut f32,
) {
    let (from, to) = (winograd.windows(jobs), winograd.products(jobs));
    unsafe {
        for (index, job) in jobs.iter().enumerate() {
            let first = index * from.windows / jobs.len();
            let input = job.from.add(corner(winograd.input));
            enter::<S, Window, IN>(winograd.input, input, from, first, windows);
        }
        winograd.product(from, to).run::<S>(windows, winograd.weights.as_ptr(), products);
        for (index, job) in jobs.iter().enumerate() {
            let first = index * to.windows / jobs.len();
            leave::<S>(winograd.output, job, to, first, products);
        }
    }
}

/// Where the first window begins: one pixel above and beside the image.
fn corner(image: Block) -> usize {
    image.origin() - image.row() - LANES
}

/// Applies `L` to the windows of an image, which begin at `from`; they become those from `first` on.
#[inline(always)]
unsafe fn enter<S: Simd, L: Line<S, FROM, IN>, const FROM: usize>(
    image: Block,
    from: *const f32,
    layout: Layout,
    first: usize,
    to: *mut f32,
) {
    for Place { block, y, x, window } in places(image, first) {
        let corner = block * image.plane() + y * image.row() + x * LANES;
        unsafe {
            let from = Square { at: from.add(corner), row: image.row(), column: LANES };
            let (row, column) = (IN * layout.place(), layout.place());
            let at = to.add(window * layout.channels + block * LANES);
            square::<S, L, FROM, IN>(from, Square { at, row, column });
        }
    }
}

/// Transforms an image's products back, and finishes its outputs.
#[inline(always)]
unsafe fn leave<S: Simd>(
    image: Block,
    job: &Job,
    layout: Layout,
    first: usize,
    products: *const f32,
) {
    for Place { block, y, x, window } in places(image, first) {
        let mut outputs = [0.0_f32; OUT * OUT * LANES];
        unsafe {
            let (row, column) = (IN * layout.place(), layout.place());
            let at = products.add(window * layout.channels + block * LANES);
            let to = Square { at: outputs.as_mut_ptr(), row: OUT * LANES, column: LANES };
            square::<S, Outputs, IN, OUT>(Square { at, row, column }, to);
            for (index, sum) in outputs.chunks_exact(LANES).enumerate() {
                let (y, x) = (y + index / OUT, x + index % OUT);
                let at = image.origin() + block * image.plane() + y * image.row() + x * LANES;
                let word = (block * image.height + y) * image.width + x;
                write::<S>(S::load(sum.as_ptr()), job.to.add(at), job.finish, block, at, word);
            }
        }
    }
}

/// One window of an image: its block of channels, its first output, and its number.
struct Place {
    block: usize,
    y: usize,
    x: usize,
    window: usize,
}

/// The windows of an image, block after block, numbered from `first` in each.
fn places(image: Block, first: usize) -> impl Iterator<Item = Place> {
    let (rows, columns) = (image.height / OUT, image.width / OUT);
    (0..image.blocks()).flat_map(move |block| {
        (0..rows * columns).map(move |index| {
            let (y, x) = (index / columns * OUT, index % columns * OUT);
            Place { block, y, x, window: first + index }
        })
    })
}
