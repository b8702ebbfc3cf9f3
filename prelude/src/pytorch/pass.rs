//! One pass there and back, by the engine in every dialect and by the graph.

use super::{A_PASS, Fixture, agree, oblong, parameter_names, square, statistics};
use crate::engine::{self, Frozen, Isa, Learner, Training};
use crate::net::{Mode, Net};
use dfdx::prelude::*;
use std::sync::{Arc, Mutex};

/// What comes out of a pass; parameters only in training mode.
struct Pass {
    logits: Vec<f32>,
    pictures: Vec<f32>,
    parameters: Vec<Vec<f32>>,
}

impl Pass {
    /// Goes back from the mean cross-entropy of `logits` to `x`, and to what `parameters` reads.
    fn back(
        fixture: &Fixture,
        x: &engine::Batch,
        logits: engine::Batch<engine::CpuTape>,
        parameters: impl FnOnce(&Gradients<f32, Cpu>) -> Vec<Vec<f32>>,
    ) -> Self {
        let (logits, tape) = logits.split_tape();
        let kept = engine::values(&logits);
        let loss = engine::cross_entropy(logits.put_tape(tape), &fixture.labels);
        let gradients = loss.backward();
        let pictures = engine::values(&gradients.get(x));
        Self { logits: kept, pictures, parameters: parameters(&gradients) }
    }

    fn agrees(&self, fixture: &Fixture, way: &str, mode: &str) {
        let what = |part: &str| format!("{way}, {mode}, {part}");
        let expected = |part: &str| fixture.expected(&format!("{mode}.{part}"));
        agree(&what("logits"), &self.logits, &expected("logits"), A_PASS);
        agree(&what("pictures"), &self.pictures, &expected("pictures"), A_PASS);
        for (name, gradient) in parameter_names(&fixture.net).iter().zip(&self.parameters) {
            agree(&what(name), gradient, &expected(name), A_PASS);
        }
    }
}

#[test]
fn the_graph_agrees_with_pytorch() {
    for fixture in [square(), oblong()] {
        for (mode, name) in [(Mode::Evaluation, "evaluation"), (Mode::Training, "training")] {
            let graph = fixture.net.graph(&Cpu::default()).unwrap();
            let x = engine::batch(fixture.pictures.clone(), fixture.labels.len());
            let logits = graph.logits(x.leaky_trace(), mode);
            let pass = Pass::back(&fixture, &x, logits, |gradients| match mode {
                Mode::Training => graph.gradients(gradients),
                Mode::Evaluation => Vec::new(),
            });
            pass.agrees(&fixture, "graph", name);
        }
    }
}

#[test]
fn the_engine_agrees_with_pytorch_in_evaluation_mode() {
    for fixture in [square(), oblong()] {
        for isa in Isa::supported() {
            let frozen = Arc::new(Frozen::new(&fixture.net.weights, isa));
            let x = engine::batch(fixture.pictures.clone(), fixture.labels.len());
            let logits = engine::frozen(&frozen, x.leaky_trace());
            let pass = Pass::back(&fixture, &x, logits, |_| Vec::new());
            pass.agrees(&fixture, isa.name(), "evaluation");
        }
    }
}

#[test]
fn the_engine_agrees_with_pytorch_in_training_mode() {
    for fixture in [square(), oblong()] {
        for isa in Isa::supported() {
            let weights = fixture.net.weights.clone();
            let parameters = engine::parameters(&weights);
            let learner = Arc::new(Mutex::new(Learner { weights, training: Training::new(isa) }));
            let x = engine::batch(fixture.pictures.clone(), fixture.labels.len());
            let logits = engine::training(&learner, &parameters, x.leaky_trace(), Some(x.clone()));
            let pass = Pass::back(&fixture, &x, logits, |gradients| {
                parameters.iter().map(|p| engine::values(&gradients.get(p))).collect()
            });
            pass.agrees(&fixture, isa.name(), "training");
            let weights = learner.lock().unwrap().weights.clone();
            let after = Net { weights, ..fixture.net.clone() };
            for (name, found) in statistics(&after) {
                agree(&name, found, &fixture.expected(&format!("after.{name}")), A_PASS);
            }
        }
    }
}

#[test]
fn a_net_that_pytorch_saved_is_read_whole() {
    let fixture = square();
    assert_eq!(fixture.net.weights.normalisation.mean, [0.45, 0.5, 0.4]);
    assert_eq!(fixture.net.weights.normalisation.deviation, [0.2, 0.25, 0.3]);
    assert!(fixture.net.weights.norms().all(|norm| norm.batches == 7));
}
