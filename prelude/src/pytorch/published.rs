//! The published architectures, narrow, against torchvision's own modules.
//!
//! ```sh
//! python tests/pytorch/export_published.py prelude/tests/fixtures/published --width 4
//! python tests/pytorch/export_published.py prelude/tests/fixtures/published --width 4 \
//!     --nets resnet18_photographs --side 64
//! ```

use super::agree;
use crate::engine::{self, Frozen, Isa, Learner, Training};
use crate::net::{Architecture, Mode, Net};
use dfdx::prelude::*;
use safetensors::SafeTensors;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// The width of the fixtures: a sixteenth of the published one.
const WIDTH: usize = 4;

/// These nets are up to 121 convolutions deep, each there and back a place where roundings may add up, and
/// their longest sums have 9 · 512 / 16 terms: √288 roundings each, if they all stray the same way.
const A_DEEP_PASS: f32 = 2.0 * 121.0 * 17.0 * super::ROUNDING;

/// Among a hundred thousand ReLUs some lie so near their kinks that rounding decides about them, and each moves
/// the pictures' gradient by a percent or so. A way back that is wrong moves it by its own size.
const KINKS: f32 = 0.1;

/// Files, architectures and the sides of their pictures.
const NETS: [(&str, &str, usize); 6] = [
    ("resnet18", "resnet18", 32),
    ("resnet50", "resnet50", 32),
    ("vgg16", "vgg16", 32),
    ("densenet121", "densenet121", 32),
    ("inception_v3", "inception_v3", 32),
    ("resnet18_photographs", "resnet18", 64),
];

/// A net that torchvision's module saved, and what it makes of some pictures.
struct Published {
    name: &'static str,
    net: Net,
    bytes: Vec<u8>,
}

impl Published {
    fn all() -> impl Iterator<Item = Self> {
        NETS.into_iter().map(|(name, architecture, side)| {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/published");
            let published = Architecture::named(architecture, WIDTH, [3, side, side], 10).unwrap();
            // What a training step leaves out cannot be compared.
            let architecture = Architecture { dropout: 0.0, ..published };
            let mut net = Net::new(architecture, vec![0.5; 3], vec![0.25; 3], 0).unwrap();
            net.load(folder.join(format!("{name}.safetensors"))).unwrap();
            let expected = folder.join(format!("{name}-expected.safetensors"));
            Self { name, net, bytes: std::fs::read(expected).unwrap() }
        })
    }

    fn expected(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    /// Compares logits, and in evaluation mode the gradient of the mean cross-entropy by the pictures: in
    /// training mode a batch norm over a few pixels makes so much of a rounding that it says nothing.
    fn agrees(
        &self,
        way: &str,
        mode: &str,
        logits: impl FnOnce(&engine::Batch) -> engine::Batch<engine::CpuTape>,
    ) {
        let pictures = self.expected("pictures");
        let [_, height, width] = self.net.architecture().image;
        let count = pictures.len() / (3 * height * width);
        let x = engine::batch(pictures, count);
        let (logits, tape) = logits(&x).split_tape();
        let agrees = |part: &str, found: &[f32], tolerance| {
            let what = format!("{}, {way}, {mode}, {part}", self.name);
            agree(&what, found, &self.expected(&format!("{mode}.{part}")), tolerance);
        };
        agrees("logits", &engine::values(&logits), A_DEEP_PASS);
        if mode == "evaluation" {
            let labels: Vec<usize> = (0..count).map(|n| n % 10).collect();
            let gradients = engine::cross_entropy(logits.put_tape(tape), &labels).backward();
            agrees("pictures", &engine::values(&gradients.get(&x)), KINKS);
        }
    }
}

#[test]
fn the_engine_agrees_with_torchvision() {
    for published in Published::all() {
        for isa in Isa::supported() {
            let weights = published.net.weights.clone();
            let frozen = Arc::new(Frozen::new(&weights, isa));
            published
                .agrees(isa.name(), "evaluation", |x| engine::frozen(&frozen, x.leaky_trace()));
            let parameters = engine::parameters(&weights);
            let learner = Arc::new(Mutex::new(Learner { weights, training: Training::new(isa) }));
            published.agrees(isa.name(), "training", |x| {
                engine::training(&learner, &parameters, x.leaky_trace(), Some(x.clone()))
            });
        }
    }
}

#[test]
fn the_graph_agrees_with_torchvision() {
    for published in Published::all() {
        let graph = published.net.graph(&Cpu::default()).unwrap();
        for (mode, name) in [(Mode::Evaluation, "evaluation"), (Mode::Training, "training")] {
            published.agrees("graph", name, |x| graph.logits(x.leaky_trace(), mode));
        }
    }
}
