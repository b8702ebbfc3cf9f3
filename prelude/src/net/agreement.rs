//! The engine against the graph: two ways to run one net, and every number agrees.

use super::{Architecture, Layer, Mode, Net};
use crate::engine::{self, Frozen, Isa, Learner, Training};
use dfdx::prelude::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::{Arc, Mutex};

/// A forward and backward pass in some way: logits, gradient of the pictures and of the parameters.
struct Pass {
    logits: Vec<f32>,
    pictures: Vec<f32>,
    parameters: Vec<Vec<f32>>,
}

/// Nets that differ in width, size, stride and residuals.
fn nets() -> Vec<Net> {
    let conv = |outputs, stride| Layer::Conv { outputs, stride };
    let net = |name: &str, image: [usize; 3], layers: Vec<Layer>, seed| {
        let architecture = Architecture { name: name.into(), image, layers, classes: 5 };
        let mean = (0..image[0]).map(|c| 0.4 + 0.05 * c as f32).collect();
        let deviation = (0..image[0]).map(|c| 0.2 + 0.03 * c as f32).collect();
        let mut net = Net::new(architecture, mean, deviation, seed).unwrap();
        make_uneven(&mut net, seed);
        net
    };
    let residual = |layers| Layer::Residual(layers);
    let two = vec![
        conv(16, 1),
        residual(vec![conv(16, 1), conv(16, 1)]),
        conv(32, 2),
        residual(vec![conv(32, 1)]),
    ];
    let in_a_row = vec![
        conv(16, 2),
        residual(vec![conv(16, 1)]),
        residual(vec![conv(16, 1), conv(16, 1), conv(16, 1)]),
    ];
    vec![
        net("one conv", [3, 8, 8], vec![conv(16, 1)], 1),
        net("odd everything", [1, 9, 7], vec![conv(5, 2), conv(18, 2), conv(33, 1)], 2),
        net("wide input", [6, 6, 10], vec![conv(20, 2), conv(4, 1)], 3),
        net("two residuals", [3, 16, 16], two, 4),
        net("residuals in a row", [3, 8, 8], in_a_row, 6),
        net("resnet", [3, 32, 32], Architecture::resnet(8, [3, 32, 32], 5).unwrap().layers, 5),
    ]
}

/// Moves batch norms away from 1 and 0, and running statistics away from the batch's.
fn make_uneven(net: &mut Net, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for norm in net.weights.units.iter_mut().map(|unit| &mut unit.norm) {
        for channel in 0..norm.weight.len() {
            norm.weight[channel] = rng.gen_range(0.5..1.5);
            norm.bias[channel] = rng.gen_range(-0.3..0.3);
            norm.running_mean[channel] = rng.gen_range(-0.2..0.2);
            norm.running_var[channel] = rng.gen_range(0.2..0.6);
        }
    }
}

fn pictures(net: &Net, batch: usize) -> (Vec<f32>, Vec<usize>) {
    let mut rng = ChaCha8Rng::seed_from_u64(99);
    let pixels: usize = net.architecture.image.iter().product();
    let values = (0..batch * pixels).map(|_| rng.gen_range(0.0..1.0)).collect();
    (values, (0..batch).map(|i| i % 5).collect())
}

fn by_graph(net: &Net, batch: usize, mode: Mode) -> Pass {
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
    Pass { logits: kept, pictures: gradients.get(&x).as_vec(), parameters }
}

fn by_engine(net: &Net, batch: usize, mode: Mode, isa: Isa) -> Pass {
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
    Pass { logits: kept, pictures: gradients.get(&x).as_vec(), parameters }
}

/// The largest difference, in units of the largest number.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let scale = b.iter().fold(1e-12_f32, |m, v| m.max(v.abs()));
    a.iter().zip(b).fold(0.0_f32, |m, (a, b)| m.max((a - b).abs())) / scale
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
            let logits = distance(&engine.logits, &graph.logits);
            assert!(logits < TOLERANCE, "{name}: logits differ by {logits}");
            let pictures = distance(&engine.pictures, &graph.pictures);
            assert!(pictures < TOLERANCE, "{name}: picture gradients differ by {pictures}");
            for (index, (a, b)) in engine.parameters.iter().zip(&graph.parameters).enumerate() {
                let parameters = distance(a, b);
                assert!(
                    parameters < TOLERANCE,
                    "{name}: parameter {index} differs by {parameters}"
                );
            }
            assert_eq!(engine.parameters.len(), graph.parameters.len(), "{name}");
        }
    }
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
