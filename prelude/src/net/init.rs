//! The numbers a net starts with.

use super::architecture::{Architecture, Link};
use crate::engine::{Conv, Head, INPUT_LANES, LANES, Norm, Normalisation, Unit, Weights};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Weights as PyTorch draws them: uniform in ±1/√(inputs of an output); batch norms start as 1 and 0.
pub(crate) fn weights(
    architecture: &Architecture,
    links: &[Link],
    normalisation: Normalisation,
    seed: u64,
) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let [mut inputs, mut height, mut width] = architecture.image;
    let mut units = Vec::new();
    for link in links {
        let lanes = if units.is_empty() && inputs <= INPUT_LANES { INPUT_LANES } else { LANES };
        let conv =
            Conv { inputs, outputs: link.outputs, stride: link.stride, height, width, lanes };
        units.push(Unit {
            conv,
            residual: link.residual,
            weight: uniform(&mut rng, link.outputs * inputs * 9, inputs * 9),
            norm: norm(link.outputs),
        });
        let output = conv.output();
        (inputs, height, width) = (output.channels, output.height, output.width);
    }
    let classes = architecture.classes;
    let weight = uniform(&mut rng, classes * inputs, inputs);
    let head = Head { weight, bias: uniform(&mut rng, classes, inputs) };
    Weights { normalisation, units, head }
}

fn uniform(rng: &mut ChaCha8Rng, count: usize, inputs: usize) -> Vec<f32> {
    let bound = 1.0 / (inputs as f32).sqrt();
    (0..count).map(|_| rng.gen_range(-bound..bound)).collect()
}

fn norm(channels: usize) -> Norm {
    Norm {
        weight: vec![1.0; channels],
        bias: vec![0.0; channels],
        running_mean: vec![0.0; channels],
        running_var: vec![1.0; channels],
        batches: 0,
    }
}
