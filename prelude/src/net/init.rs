//! The numbers a net starts with.

use super::architecture::Architecture;
use crate::engine::{Head, Kind, Node, Normalisation, Weights};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Weights as PyTorch draws them: uniform in ±1/√(inputs of an output); batch norms start as 1 and 0.
pub(crate) fn weights(
    architecture: &Architecture,
    mut nodes: Vec<Node>,
    normalisation: Normalisation,
    seed: u64,
) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for node in &mut nodes {
        let Kind::Conv(conv) = &mut node.kind else { continue };
        let inputs = conv.weight.len() / node.shape[0];
        conv.weight = uniform(&mut rng, conv.weight.len(), inputs);
        conv.bias = conv.bias.as_ref().map(|bias| uniform(&mut rng, bias.len(), inputs));
    }
    let features = nodes.last().map_or(0, |node| node.shape[0]);
    let classes = architecture.classes;
    let weight = uniform(&mut rng, classes * features, features);
    let head = Head { weight, bias: uniform(&mut rng, classes, features) };
    Weights { normalisation, nodes, dropout: architecture.dropout, head }
}

fn uniform(rng: &mut ChaCha8Rng, count: usize, inputs: usize) -> Vec<f32> {
    let bound = 1.0 / (inputs as f32).sqrt();
    (0..count).map(|_| rng.gen_range(-bound..bound)).collect()
}
