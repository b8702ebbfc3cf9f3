//! The engine against the graph: two ways to run one net, and every number agrees.

use super::{Architecture, Layer, Mode, Net, Window};
use crate::engine::{self, Frozen, Isa, Learner, Training, Weights};
use dfdx::prelude::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::{Arc, Mutex};

/// A forward and backward pass in some way: logits, gradient of the pictures and of the parameters.
pub(crate) struct Pass {
    pub logits: Vec<f32>,
    /// Nothing where nobody asks for it.
    pub pictures: Option<Vec<f32>>,
    pub parameters: Vec<Vec<f32>>,
}

fn unit(name: &str, outputs: usize, stride: usize) -> Layer {
    Layer::unit(name, outputs, stride)
}

/// A convolution alone.
fn bare(
    name: &str,
    outputs: usize,
    kernel: [usize; 2],
    stride: usize,
    padding: [usize; 2],
    bias: bool,
) -> Layer {
    Layer::Conv { name: name.into(), outputs, window: Window { kernel, stride, padding }, bias }
}

fn square(size: usize, stride: usize) -> Window {
    Window::square(size, stride)
}

/// Blocks that are added to what comes in, of two units and of one.
fn two() -> Vec<Layer> {
    vec![
        unit("0", 16, 1),
        Layer::Sum([vec![], vec![unit("1", 16, 1), unit("2", 16, 1)]]),
        unit("3", 32, 2),
        Layer::Sum([vec![unit("4", 32, 1)], vec![]]),
    ]
}

/// Such blocks one behind the other.
fn in_a_row() -> Vec<Layer> {
    vec![
        unit("0", 16, 2),
        Layer::Sum([vec![], vec![unit("1", 16, 1)]]),
        Layer::Sum([vec![], vec![unit("2", 16, 1), unit("3", 16, 1), unit("4", 16, 1)]]),
    ]
}

/// As in ResNets: the ReLU comes behind the sum, and one way changes the channels.
fn joined() -> Vec<Layer> {
    vec![
        unit("0", 8, 1),
        Layer::Sum([
            vec![unit("1", 8, 2), bare("2", 20, [1, 1], 1, [0, 0], false), Layer::norm("3")],
            vec![bare("4", 20, [1, 1], 2, [0, 0], false), Layer::norm("5")],
        ]),
        Layer::Relu,
        Layer::Sum([vec![bare("6", 20, [3, 3], 1, [1, 1], false), Layer::norm("7")], vec![]]),
        Layer::Relu,
    ]
}

/// As in DenseNets: norms read what is concatenated, again and again.
fn dense() -> Vec<Layer> {
    let layer = |name: &str| {
        let conv = bare("conv", 5, [3, 3], 1, [1, 1], false);
        Layer::within(
            name,
            [Layer::Concat(vec![vec![], vec![Layer::norm("norm"), Layer::Relu, conv]])],
        )
    };
    vec![
        bare("0", 12, [3, 3], 1, [1, 1], false),
        layer("a"),
        layer("b"),
        Layer::norm("1"),
        Layer::Relu,
        bare("2", 9, [1, 1], 1, [0, 0], false),
        Layer::MeanPool(square(2, 2)),
        layer("c"),
        Layer::norm("3"),
        Layer::Relu,
    ]
}

/// As in Inception: windows of all kinds side by side.
fn ways() -> Vec<Layer> {
    let fan = Layer::Concat(vec![
        vec![bare("h", 6, [1, 3], 1, [0, 1], false), Layer::norm("i"), Layer::Relu],
        vec![bare("j", 7, [3, 1], 1, [1, 0], false), Layer::norm("k"), Layer::Relu],
    ]);
    vec![
        unit("0", 10, 1),
        Layer::Concat(vec![
            vec![bare("a", 4, [1, 1], 1, [0, 0], false), Layer::norm("b"), Layer::Relu],
            vec![bare("c", 18, [5, 5], 1, [2, 2], false), Layer::norm("d"), Layer::Relu],
            vec![bare("e", 5, [1, 7], 1, [0, 3], false), Layer::norm("f"), Layer::Relu, fan],
            vec![Layer::MeanPool(square(3, 1).padded()), unit("g", 3, 1)],
        ]),
        Layer::Concat(vec![
            vec![bare("l", 8, [3, 3], 2, [0, 0], false), Layer::norm("m"), Layer::Relu],
            vec![Layer::MaxPool(square(3, 2))],
        ]),
        bare("n", 11, [7, 1], 1, [3, 0], false),
        Layer::norm("o"),
        Layer::Relu,
    ]
}

/// As in VGG: biases, and maxima behind ReLUs.
fn pools() -> Vec<Layer> {
    vec![
        bare("0", 12, [3, 3], 1, [1, 1], true),
        Layer::norm("1"),
        Layer::Relu,
        Layer::MaxPool(square(2, 2)),
        bare("2", 20, [3, 3], 1, [1, 1], true),
        Layer::Relu,
        Layer::MaxPool(Window { kernel: [3, 3], stride: 2, padding: [1, 1] }),
    ]
}

/// Nothing between two convolutions, sums of sums, and ReLUs before and behind a sum.
fn bare_sums() -> Vec<Layer> {
    vec![
        bare("0", 6, [3, 3], 1, [0, 0], true),
        bare("1", 6, [3, 3], 2, [1, 1], false),
        Layer::Sum([vec![Layer::Relu], vec![bare("2", 6, [1, 1], 1, [0, 0], true)]]),
        Layer::Sum([
            vec![Layer::Sum([vec![], vec![unit("3", 6, 1)]]), Layer::Relu],
            vec![unit("4", 6, 1)],
        ]),
        Layer::Relu,
        Layer::norm("5"),
    ]
}

/// What comes in lies in two concatenations, and some of it begins in the middle of a block.
fn twice() -> Vec<Layer> {
    vec![
        unit("0", 9, 1),
        Layer::Concat(vec![
            vec![],
            vec![Layer::Concat(vec![vec![], vec![unit("1", 7, 1)]])],
            vec![unit("2", 16, 1), Layer::Relu],
        ]),
        Layer::MaxPool(square(2, 2)),
        bare("3", 6, [1, 1], 1, [0, 0], false),
    ]
}

/// Nets that differ in width, size, stride, windows, and in how their layers are joined.
pub(crate) fn nets() -> Vec<Net> {
    let odd = vec![unit("0", 5, 2), unit("1", 18, 2), unit("2", 33, 1)];
    let all = [
        ("one conv", [3, 8, 8], vec![unit("0", 16, 1)]),
        ("odd everything", [1, 9, 7], odd),
        ("wide input", [6, 6, 10], vec![unit("0", 20, 2), unit("1", 4, 1)]),
        ("two residuals", [3, 16, 16], two()),
        ("residuals in a row", [3, 8, 8], in_a_row()),
        ("joined", [3, 8, 8], joined()),
        ("dense", [3, 8, 8], dense()),
        ("ways", [3, 9, 11], ways()),
        ("pools", [3, 12, 8], pools()),
        ("bare sums", [3, 9, 9], bare_sums()),
        ("twice", [3, 8, 8], twice()),
        ("resnet", [3, 32, 32], Architecture::resnet(8, [3, 32, 32], 5).unwrap().layers),
    ];
    let net = |(seed, (name, image, layers)): (usize, (&str, [usize; 3], Vec<Layer>))| {
        let mut architecture = Architecture::new(name, image, layers, 5);
        // In evaluation it does nothing.
        architecture.dropout = if name == "pools" { 0.25 } else { 0.0 };
        let mean = (0..image[0]).map(|c| 0.4 + 0.05 * c as f32).collect();
        let deviation = (0..image[0]).map(|c| 0.2 + 0.03 * c as f32).collect();
        // With some seeds a ReLU lies so near its kink that rounding decides about it.
        let seed = seed as u64 + 20;
        let mut net = Net::new(architecture, mean, deviation, seed).unwrap();
        make_uneven(&mut net, seed);
        net
    };
    all.into_iter().enumerate().map(net).collect()
}

/// Moves batch norms away from 1 and 0, and running statistics away from the batch's.
fn make_uneven(net: &mut Net, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for norm in net.weights.norms_mut() {
        for channel in 0..norm.weight.len() {
            norm.weight[channel] = rng.gen_range(0.5..1.5);
            norm.bias[channel] = rng.gen_range(-0.3..0.3);
            norm.running_mean[channel] = rng.gen_range(-0.2..0.2);
            norm.running_var[channel] = rng.gen_range(0.2..0.6);
        }
    }
}

pub(crate) fn pictures(net: &Net, batch: usize) -> (Vec<f32>, Vec<usize>) {
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    let pixels: usize = net.architecture.image.iter().product();
    let values = (0..batch * pixels).map(|_| rng.gen_range(0.0..1.0)).collect();
    (values, (0..batch).map(|i| i % 5).collect())
}

pub(crate) fn by_graph(net: &Net, batch: usize, mode: Mode) -> Pass {
    let (values, labels) = pictures(net, batch);
    let graph = net.graph(&Cpu::default()).unwrap();
    let x = engine::batch(values, batch);
    let (logits, tape) = graph.logits(x.leaky_trace(), mode).split_tape();
    let kept = logits.as_vec();
    let gradients = engine::cross_entropy(logits.put_tape(tape), &labels).backward();
    let parameters = match mode {
        Mode::Training => graph.gradients(&gradients),
        Mode::Evaluation => Vec::new(),
    };
    Pass { logits: kept, pictures: Some(gradients.get(&x).as_vec()), parameters }
}

pub(crate) fn by_engine(net: &Net, batch: usize, mode: Mode, isa: Isa) -> Pass {
    let (values, labels) = pictures(net, batch);
    let x = engine::batch(values, batch);
    let weights = net.weights.clone();
    let parameters = engine::parameters(&weights);
    let logits = match mode {
        Mode::Evaluation => engine::frozen(&Arc::new(Frozen::new(&weights, isa)), x.leaky_trace()),
        Mode::Training => {
            let learner = Learner { weights, training: Training::new(isa) };
            let learner = Arc::new(Mutex::new(learner));
            engine::training(&learner, &parameters, x.leaky_trace(), Some(x.clone()))
        }
    };
    let (logits, tape) = logits.split_tape();
    let kept = logits.as_vec();
    let gradients = engine::cross_entropy(logits.put_tape(tape), &labels).backward();
    let parameters = match mode {
        Mode::Training => parameters.iter().map(|p| gradients.get(p).as_vec()).collect(),
        Mode::Evaluation => Vec::new(),
    };
    Pass { logits: kept, pictures: Some(gradients.get(&x).as_vec()), parameters }
}

/// The largest difference, in units of the largest number.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    difference(a, b) / largest(b).max(1e-12)
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    // A NaN must not slip through.
    let pairs = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    pairs.fold(0.0, |most, off| if off > most || off.is_nan() { off } else { most })
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

/// A sum of n products in f32 strays by about √n ε; the longest here has 9 · 33 terms, a batch norm sums
/// over a whole batch, and a net chains up to seven of them: 1e-4 of the largest number leaves a factor
/// of ten. An index that is off by one moves the numbers by their own size.
const TOLERANCE: f32 = 1e-4;

fn agree(mode: Mode, batch: usize) {
    for net in nets() {
        let graph = by_graph(&net, batch, mode);
        for isa in Isa::supported() {
            let name = format!("{} {isa:?} {mode:?} batch {batch}", net.architecture.name);
            let engine = by_engine(&net, batch, mode, isa);
            compare(&name, &engine, &graph);
        }
    }
}

/// Makes sure that two ways give the same numbers.
pub(crate) fn compare(name: &str, found: &Pass, graph: &Pass) {
    let logits = distance(&found.logits, &graph.logits);
    assert!(logits < TOLERANCE, "{name}: logits differ by {logits}");
    if let (Some(found), Some(expected)) = (&found.pictures, &graph.pictures) {
        let pictures = distance(found, expected);
        assert!(pictures < TOLERANCE, "{name}: picture gradients differ by {pictures}");
    }
    let most = graph.parameters.iter().map(|p| largest(p)).fold(0.0, f32::max);
    for (index, (a, b)) in found.parameters.iter().zip(&graph.parameters).enumerate() {
        // A bias before a batch norm changes nothing: its gradient is rounding, and nothing else.
        let scale = largest(b).max(1e-2 * most);
        let parameters = difference(a, b) / scale;
        assert!(parameters < TOLERANCE, "{name}: parameter {index} differs by {parameters}");
    }
    assert_eq!(found.parameters.len(), graph.parameters.len(), "{name}");
}

#[test]
fn the_engine_agrees_with_the_graph_in_evaluation_mode() {
    agree(Mode::Evaluation, 9);
    agree(Mode::Evaluation, 1);
}

#[test]
fn the_engine_agrees_with_the_graph_in_training_mode() {
    agree(Mode::Training, 11);
    agree(Mode::Training, 2);
}

#[test]
fn training_gives_the_same_bits_for_any_number_of_threads() {
    let net = nets().pop().unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| by_engine(&net, 21, Mode::Training, Isa::detect()))
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one.logits, three.logits);
    assert_eq!(one.parameters, three.parameters);
    assert_eq!(one.pictures, three.pictures);
}

#[test]
fn dropout_leaves_out_its_share_there_and_back_and_another_one_after_a_step() {
    let architecture = Architecture::resnet(8, [3, 16, 16], 32).unwrap();
    let net = |dropout, bias: f32| {
        let architecture = Architecture { dropout, ..architecture.clone() };
        let mut net = Net::new(architecture, vec![0.5; 3], vec![0.25; 3], 3).unwrap();
        // The logits are the features themselves.
        let head = &mut net.weights.head;
        (head.weight.iter_mut().enumerate()).for_each(|(i, w)| *w = f32::from(i % 33 == 0));
        head.bias.fill(bias);
        net.weights
    };
    let pictures =
        pictures(&Net::new(architecture.clone(), vec![0.5; 3], vec![0.25; 3], 3).unwrap(), 20).0;
    let run = |mut weights: Weights, slopes: Option<Vec<f32>>| {
        let mut training = Training::new(Isa::detect());
        let logits = training.forward(&mut weights, &pictures);
        let mut gradient = vec![0.0; pictures.len()];
        let slopes = slopes.unwrap_or(vec![1.0; logits.len()]);
        training.backward(&weights, &slopes, Some(&mut gradient));
        (logits, gradient)
    };
    let (features, _) = run(net(0.0, 0.0), None);
    let (left, gradient) = run(net(0.25, 0.0), None);
    assert_eq!(left, run(net(0.25, 0.0), None).0);
    assert_ne!(left, run(net(0.25, 1e-3), None).0);
    let factors: Vec<f32> = left.iter().zip(&features).map(|(a, b)| a / b).collect();
    let out = factors.iter().filter(|factor| **factor == 0.0).count();
    // 160 of 640 are expected, and 4 deviations are 44.
    assert!((116..205).contains(&out), "{out}");
    let kept = factors.iter().filter(|factor| **factor != 0.0);
    kept.for_each(|factor| assert!((factor - 4.0 / 3.0).abs() < 1e-5, "{factor}"));
    assert!(distance(&gradient, &run(net(0.0, 0.0), Some(factors)).1) < 1e-5);
}
