//! Three steps of momentum and weight decay down one batch.

use super::{A_PASS, Fixture, agree, parameter_names, square, statistics};
use crate::Scale;
use crate::data::{Augment, Dataset};
use crate::device::Device;
use crate::engine::Isa;
use crate::net::Net;
use crate::train::{Recipe, Schedule, Step};
use ndarray::Array4;

/// A gradient strays by a pass; the next two start from weights that have strayed, and each may add
/// as much again as there is: 1 + 2 + 4 passes.
const THREE_STEPS: f32 = 7.0 * A_PASS;

const STEP: Step = Step { rate: 0.05, momentum: 0.9, weight_decay: 5e-4 };

/// Compares how far each number has come: it says more than where it is, as most hardly move.
fn arrived(fixture: &Fixture, way: &str, after: &Net) {
    let before = fixture.net.weights.parameters();
    let moved = |after: &[f32], before: &[f32]| -> Vec<f32> {
        after.iter().zip(before).map(|(after, before)| after - before).collect()
    };
    for ((name, before), after) in
        parameter_names(after).iter().zip(before).zip(after.weights.parameters())
    {
        let expected = fixture.expected(&format!("sgd.{name}"));
        let what = format!("{way}, {name}");
        agree(&what, &moved(after, before), &moved(&expected, before), THREE_STEPS);
    }
    for (name, found) in statistics(after) {
        let expected = fixture.expected(&format!("sgd.{name}"));
        agree(&format!("{way}, {name}"), found, &expected, THREE_STEPS);
    }
}

#[test]
fn three_steps_down_lead_where_pytorch_goes() {
    let fixture = square();
    for isa in Isa::supported() {
        let mut descent = fixture.net.descent_on(Device::Cpu, isa).unwrap();
        for _ in 0..3 {
            descent.step(fixture.pictures.clone(), &fixture.labels, STEP).unwrap();
        }
        let after = Net { weights: descent.weights().unwrap(), ..fixture.net.clone() };
        arrived(&fixture, isa.name(), &after);
    }
}

#[test]
fn training_on_one_batch_leads_where_pytorch_goes() {
    let fixture = square();
    let n = fixture.labels.len();
    let images = Array4::from_shape_vec((n, 3, 32, 32), fixture.pictures.clone()).unwrap();
    let set = Dataset {
        name: "one batch".into(),
        images: images.into(),
        labels: fixture.labels.clone(),
        classes: (0..10).map(|class| class.to_string()).collect(),
        origin: (0..n).collect(),
    };
    let recipe = Recipe {
        epochs: 3,
        batch: n,
        learning_rate: STEP.rate,
        schedule: Schedule::Constant,
        momentum: STEP.momentum,
        weight_decay: STEP.weight_decay,
        augment: Augment::none(),
        validation: 0,
        ..Recipe::standard(Scale::Demo)
    };
    let mut net = fixture.net.clone();
    net.train(&set, &recipe).unwrap();
    arrived(&fixture, "Net::train", &net);
}
