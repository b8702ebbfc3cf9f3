//! Every way through a convolution, in every dialect, against plain sums in double precision.

use super::block::{Block, INPUT_LANES};
use super::conv::Job;
use super::convolution::{Pass, WeightPass};
use super::finish::Finish;
use super::pack::Conv;
use super::simd::{Isa, LANES};
use super::winograd::{Scratch, Start};
use proptest::prelude::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A convolution, images for it, and slopes at its outputs: numbers in ±1, channel after channel.
#[derive(Debug)]
struct Case {
    conv: Conv,
    weights: Vec<f32>,
    images: Vec<Vec<f32>>,
    slopes: Vec<Vec<f32>>,
}

impl Case {
    fn new(conv: Conv, images: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(conv.height as u64);
        let mut some = |count| (0..count).map(|_| rng.gen_range(-1.0..1.0)).collect::<Vec<f32>>();
        let out = conv.output();
        let weights = some(conv.outputs * conv.inputs * conv.places());
        let (image, slope) =
            (conv.inputs * conv.height * conv.width, conv.outputs * out.height * out.width);
        Self {
            conv,
            weights,
            images: (0..images).map(|_| some(image)).collect(),
            slopes: (0..images).map(|_| some(slope)).collect(),
        }
    }

    /// What each output, input and window place have to do with each other: `visit(o, i, tap, from, to)`
    /// with the places of the numbers in an image and a slope.
    fn each_product(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Conv { inputs, outputs, kernel, stride, padding, height, width, .. } = self.conv;
        let (out, places) = (self.conv.output(), self.conv.places());
        for o in 0..outputs {
            for i in 0..inputs {
                for tap in 0..places {
                    for y in 0..out.height {
                        for x in 0..out.width {
                            // A wrapped number lies outside like any other place beyond the edge.
                            let row = (y * stride + tap / kernel[1]).wrapping_sub(padding[0]);
                            let column = (x * stride + tap % kernel[1]).wrapping_sub(padding[1]);
                            if row < height && column < width {
                                let from = (i * height + row) * width + column;
                                let to = (o * out.height + y) * out.width + x;
                                visit((o * inputs + i) * places + tap, from, to);
                            }
                        }
                    }
                }
            }
        }
    }

    fn outputs(&self, image: usize) -> Vec<f64> {
        let mut sums = vec![0.0; self.slopes[image].len()];
        let from = &self.images[image];
        self.each_product(|w, i, o| sums[o] += f64::from(self.weights[w]) * f64::from(from[i]));
        sums
    }

    fn gradient(&self, image: usize) -> Vec<f64> {
        let mut sums = vec![0.0; self.images[image].len()];
        let from = &self.slopes[image];
        self.each_product(|w, i, o| sums[i] += f64::from(self.weights[w]) * f64::from(from[o]));
        sums
    }

    fn weight_gradient(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.weights.len()];
        for (image, slope) in self.images.iter().zip(&self.slopes) {
            self.each_product(|w, i, o| sums[w] += f64::from(image[i]) * f64::from(slope[o]));
        }
        sums
    }
}

/// Channel after channel to the engine's blocks, or back.
fn place(layout: Block, channel: usize, pixel: usize) -> usize {
    let (y, x) = (pixel / layout.width, pixel % layout.width);
    let block = channel / layout.lanes * layout.plane();
    layout.origin() + block + y * layout.row() + x * layout.lanes + channel % layout.lanes
}

fn blocked(layout: Block, values: &[f32]) -> Vec<f32> {
    let mut blocks = vec![0.0; layout.len()];
    let pixels = layout.height * layout.width;
    for (at, value) in values.iter().enumerate() {
        blocks[place(layout, at / pixels, at % pixels)] = *value;
    }
    blocks
}

fn unblocked(layout: Block, blocks: &[f32]) -> Vec<f32> {
    let pixels = layout.height * layout.width;
    (0..layout.channels * pixels)
        .map(|at| blocks[place(layout, at / pixels, at % pixels)])
        .collect()
}

/// Takes all images through a pass at once, and each result out of its blocks.
fn run(
    pass: &Pass,
    isa: Isa,
    from: &[Vec<f32>],
    (a, b): (Block, Block),
    finish: Finish,
) -> Vec<Vec<f32>> {
    let from: Vec<Vec<f32>> = from.iter().map(|values| blocked(a, values)).collect();
    let mut to = vec![vec![0.0; b.len()]; from.len()];
    let jobs: Vec<Job> = (from.iter().zip(&mut to))
        .map(|(from, to)| Job { from: from.as_ptr(), to: to.as_mut_ptr(), finish })
        .collect();
    // The buffers were made for the layouts.
    unsafe { pass.run(isa, &jobs, &mut Scratch::default()) };
    let border = |values: &Vec<f32>| {
        let inside = blocked(b, &unblocked(b, values));
        assert_eq!(&inside, values, "what is no pixel stays zero");
    };
    to.iter().for_each(border);
    to.iter().map(|values| unblocked(b, values)).collect()
}

/// A sum of `terms` products of numbers in ±1 in single precision: its rounding grows with the root of
/// their number, and Winograd's transforms, which add and subtract numbers up to five times as large
/// first, make some more of it. A wrong index changes the sum by about the root itself.
fn near(what: &str, found: &[f32], expected: &[f64], terms: usize) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let most = 40.0 * f64::from(f32::EPSILON) * (terms as f64).sqrt();
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let distance = (f64::from(*found) - expected).abs();
        assert!(distance < most, "{what}, {at}: {found} instead of {expected}");
    }
}

fn holds(case: &Case, isa: Isa) {
    let (conv, n) = (case.conv, case.images.len());
    let (input, output, slope) =
        (conv.input(), conv.output(), conv.output().bordered(conv.reach()));
    let input = if conv.lanes == LANES { input.bordered(wider(input.border)) } else { input };
    let forward = Pass::forward(conv, isa, &case.weights, input, output);
    let found = run(&forward, isa, &case.images, (input, output), Finish::Store);
    let name = |what: &str| format!("{what} of {conv:?}, {n} images, {isa:?}");
    for (image, found) in found.iter().enumerate() {
        near(&name("outputs"), found, &case.outputs(image), conv.places() * conv.inputs);
    }
    if conv.lanes == INPUT_LANES {
        return; // A picture's gradient has a way of its own, and its weights' is below.
    }
    let (null, nowhere) = (std::ptr::null(), std::ptr::null_mut());
    let finish = Finish::Gate { mask: null, add: [std::ptr::null(); 2], open: nowhere };
    let backward = Pass::backward(conv, isa, &case.weights, slope, input);
    let found = run(&backward, isa, &case.slopes, (slope, input), finish);
    for (image, found) in found.iter().enumerate() {
        near(&name("gradient"), found, &case.gradient(image), conv.places() * conv.outputs);
    }
}

/// A border that is wider than need be, as where another window needs it.
fn wider(border: [usize; 2]) -> [usize; 2] {
    border.map(|pixels| pixels + 1)
}

fn weights_hold(case: &Case, isa: Isa) {
    let conv = case.conv;
    let (input, slope) = (conv.input(), conv.output().bordered(conv.reach()));
    let pass = WeightPass::new(conv, isa, input, slope);
    let from: Vec<Vec<f32>> = case.images.iter().map(|x| blocked(input, x)).collect();
    let slopes: Vec<Vec<f32>> = case.slopes.iter().map(|x| blocked(slope, x)).collect();
    let pairs: Vec<_> = from.iter().zip(&slopes).map(|(a, b)| (a.as_ptr(), b.as_ptr())).collect();
    // Numbers that an earlier step left.
    let mut sums = vec![3.0; pass.sums()];
    let mut start = Start::Zero;
    for pairs in pairs.chunks(pass.images()) {
        // The buffers were made for the pass's images.
        unsafe { pass.add(isa, pairs, start, &mut sums, &mut Scratch::default()) };
        start = Start::Kept;
    }
    pass.finish(isa, &mut sums);
    let found = pass.unpack(conv, &sums[..pass.finished()]);
    let terms = conv.output().height * conv.output().width * pairs.len();
    near(&format!("weights of {conv:?}, {isa:?}"), &found, &case.weight_gradient(), terms);
}

/// Most windows are 3×3 with a border of one pixel, as in most nets.
fn window() -> impl Strategy<Value = ([usize; 2], [usize; 2])> {
    let any = (1..8_usize, 1..8_usize).prop_flat_map(|(y, x)| {
        (0..y, 0..x).prop_map(move |(above, beside)| ([y, x], [above, beside]))
    });
    prop_oneof![Just(([3, 3], [1, 1])), Just(([1, 1], [0, 0])), any]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 90, ..ProptestConfig::default() })]

    #[test]
    fn every_way_through_a_convolution_is_the_plain_sum(
        (inputs, outputs) in (1..40_usize, 1..40_usize),
        // Half of the images are whole windows of Winograd's, so that both ways come.
        (height, width) in prop_oneof![
            (1..20_usize, 1..20_usize),
            (1..5_usize, 1..5_usize).prop_map(|(y, x)| (4 * y, 4 * x)),
        ],
        (stride, images) in (1..3_usize, 1..6_usize),
        (kernel, padding) in window(),
    ) {
        let fits = |axis: usize, size: usize| size + 2 * padding[axis] >= kernel[axis];
        prop_assume!(fits(0, height) && fits(1, width));
        let lanes = if inputs <= INPUT_LANES { INPUT_LANES } else { LANES };
        let conv = Conv { inputs, outputs, kernel, stride, padding, height, width, lanes };
        let case = Case::new(conv, images);
        for isa in Isa::supported() {
            holds(&case, isa);
            weights_hold(&case, isa);
        }
    }
}
