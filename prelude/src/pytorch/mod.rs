//! Erm against PyTorch: nets that PyTorch saved, and what PyTorch makes of them.
//!
//! `tests/pytorch/fixtures.py` writes the files that are read here. Their numbers were computed in
//! float64 and rounded once, so what differs is Erm's own rounding; and no ReLU in them is so near
//! its kink that rounding could push it over.

mod attack;
mod finite_difference;
mod pass;
mod published;
mod training;

use crate::engine::{Kind, Node};
use crate::net::{Architecture, Net};
use safetensors::SafeTensors;
use std::path::PathBuf;

/// One float32 rounding, relative.
const ROUNDING: f32 = f32::EPSILON / 2.0;

/// How far a pass through the net may stray, relative to the largest number.
///
/// A sum of n rounded terms strays by about √n roundings. The longest sums here have 9 · 32 terms, and
/// a number goes through seven convolutions there and seven back. All of them straying the same way is
/// the worst: 14 · √288 roundings, 1.4e-5.
const A_PASS: f32 = 14.0 * 17.0 * ROUNDING;

/// A net that PyTorch saved, and numbers that belong to it.
struct Fixture {
    net: Net,
    pictures: Vec<f32>,
    labels: Vec<usize>,
    bytes: Vec<u8>,
}

/// Width 4, six pictures of 32×32.
fn square() -> Fixture {
    Fixture::read(4, [3, 32, 32])
}

/// Width 8, three pictures of 12×16.
fn oblong() -> Fixture {
    Fixture::read(8, [3, 12, 16])
}

impl Fixture {
    fn read(width: usize, image: [usize; 3]) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let architecture = Architecture::resnet(width, image, 10).unwrap();
        // Loading overwrites every one of these numbers.
        let mut net = Net::new(architecture, vec![0.0; 3], vec![1.0; 3], 0).unwrap();
        net.load(folder.join(format!("width-{width}.safetensors"))).unwrap();
        let bytes =
            std::fs::read(folder.join(format!("width-{width}-expected.safetensors"))).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let labels = file.tensor("labels").unwrap().data().as_chunks().0;
        let labels = labels.iter().map(|bytes| i64::from_le_bytes(*bytes) as usize).collect();
        let mut fixture = Self { net, pictures: Vec::new(), labels, bytes };
        fixture.pictures = fixture.expected("pictures");
        fixture
    }

    /// The tensor of that name, flat.
    fn expected(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }
}

/// The names of a net's parameters, in the order of [`crate::engine::Weights::parameters`].
fn parameter_names(net: &Net) -> Vec<String> {
    let mut names = Vec::new();
    for Node { name, kind, .. } in &net.weights.nodes {
        match kind {
            Kind::Conv(conv) => {
                names.push(format!("{name}.weight"));
                names.extend(conv.bias.as_ref().map(|_| format!("{name}.bias")));
            }
            Kind::Norm(_) => names.extend(["weight", "bias"].map(|last| format!("{name}.{last}"))),
            _ => {}
        }
    }
    let head = &net.architecture.head;
    names.extend(["weight", "bias"].map(|last| format!("{head}.{last}")));
    names
}

/// A net's running statistics by their names.
fn statistics(net: &Net) -> Vec<(String, &[f32])> {
    let nodes = net.weights.nodes.iter();
    let named = nodes.filter_map(|Node { name, kind, .. }| match kind {
        Kind::Norm(norm) => Some([
            (format!("{name}.running_mean"), &norm.running_mean[..]),
            (format!("{name}.running_var"), &norm.running_var[..]),
        ]),
        _ => None,
    });
    named.flatten().collect()
}

/// Fails unless `found` is `expected` to within `tolerance` of the largest expected number.
fn agree(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let furthest = found.iter().zip(expected).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    // A NaN must fail, and it would slip through `furthest > …`.
    assert!(
        largest > 0.0 && furthest <= tolerance * largest && found.iter().all(|v| v.is_finite()),
        "{what}: off by {:e} of the largest number, {tolerance:e} allowed",
        furthest / largest
    );
}
