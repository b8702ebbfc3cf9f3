//! Every way to train a net that is here, against the engine on the CPU.

use super::on_device::OnDevice;
use super::*;
use crate::fixture::{DATA, net};
use crate::gpu::{self, Sums, simulated};
use dfdx::prelude::Cpu;

/// A descent from a net at rest, on every device that is here.
fn descents(start: &Net, sgd: &Sgd) -> Vec<Box<dyn Descend>> {
    let graph = OnDevice::resume(start, sgd, &Cpu::default()).unwrap();
    let mut descents: Vec<Box<dyn Descend>> = vec![Box::new(graph)];
    if let Some(hands) = simulated::hands(Sums::Single) {
        descents.push(Box::new(gpu::Descent::resume(&hands, &start.weights, sgd).unwrap()));
    }
    descents.extend(on_a_gpu(start, sgd));
    descents
}

#[cfg(feature = "cuda")]
fn on_a_gpu(start: &Net, sgd: &Sgd) -> Vec<Box<dyn Descend>> {
    let mut descents: Vec<Box<dyn Descend>> = Vec::new();
    if let Ok(Device::DfdxCuda(device)) = Device::named("dfdx-cuda") {
        descents.push(Box::new(OnDevice::resume(start, sgd, &device).unwrap()));
    }
    if let Ok(Device::Cuda(hands)) = Device::named("cuda") {
        descents.push(Box::new(gpu::Descent::resume(&hands, &start.weights, sgd).unwrap()));
    }
    descents
}

#[cfg(not(feature = "cuda"))]
fn on_a_gpu(_: &Net, _: &Sgd) -> Vec<Box<dyn Descend>> {
    Vec::new()
}

#[test]
fn a_descent_on_a_device_goes_where_the_engines_goes() {
    let start = net(3);
    let sgd = Sgd::new(&start.weights.parameters());
    let mut engine = Descent::resume(start.weights.clone(), sgd.clone(), Isa::detect());
    let mut devices = descents(&start, &sgd);
    let step = Step { rate: 0.05, momentum: 0.9, weight_decay: 5e-4 };
    for batch in [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15, 16]] {
        let pictures = DATA.train.images.batch(&batch).into_raw_vec_and_offset().0;
        let labels = batch.map(|index| DATA.train.labels[index]);
        let expected = engine.step(pictures.clone(), &labels, step).unwrap();
        for device in &mut devices {
            let found = device.step(pictures.clone(), &labels, step).unwrap();
            let off = (found.loss - expected.loss).abs();
            assert!(off < 1e-4 * expected.loss, "{} {}", found.loss, expected.loss);
            close(&found.logits, &expected.logits, 1e-3);
        }
    }
    devices.iter().for_each(|device| has_arrived(&**device, &engine, &start));
}

/// Both have gone the same way from the same start.
fn has_arrived(device: &dyn Descend, engine: &dyn Descend, start: &Net) {
    let moved = |descent: &dyn Descend| {
        let weights = descent.weights().unwrap();
        let (now, then) = (weights.parameters(), start.weights.parameters());
        let moves = now.into_iter().flatten().zip(then.into_iter().flatten());
        moves.map(|(now, then)| now - then).collect::<Vec<f32>>()
    };
    // Gradients agree to 1e-4 of the largest of a parameter; two steps leave a factor of ten.
    close(&moved(device), &moved(engine), 1e-3);
    let [velocity, expected] = [device, engine].map(|it| it.sgd().unwrap().velocity.concat());
    close(&velocity, &expected, 1e-3);
    let (a, b) = (device.weights().unwrap(), engine.weights().unwrap());
    for (a, b) in a.norms().zip(b.norms()) {
        close(&a.running_mean, &b.running_mean, 1e-4);
        close(&a.running_var, &b.running_var, 1e-4);
        assert_eq!(a.batches, b.batches);
    }
    let pictures = DATA.test.images.batch(&[0, 1]).into_raw_vec_and_offset().0;
    let logits = |descent: &dyn Descend| descent.ready().unwrap().logits(&pictures).unwrap();
    close(&logits(device), &logits(engine), 1e-3);
}

#[test]
fn a_net_made_ready_stays_as_it_was_when_training_goes_on() {
    let start = net(3);
    let pictures = DATA.train.images.batch(&[1, 2, 3, 4]).into_raw_vec_and_offset().0;
    let step = Step { rate: 0.05, momentum: 0.9, weight_decay: 5e-4 };
    for mut descent in descents(&start, &Sgd::new(&start.weights.parameters())) {
        let ready = descent.ready().unwrap();
        let before = ready.logits(&pictures).unwrap();
        descent.step(pictures.clone(), &[0, 1, 2, 3], step).unwrap();
        assert_eq!(ready.logits(&pictures).unwrap(), before);
        assert_ne!(descent.ready().unwrap().logits(&pictures).unwrap(), before);
    }
}

/// Every number is within a share of the largest one.
fn close(a: &[f32], b: &[f32], share: f32) {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0_f32, |most, b| most.max(b.abs()));
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= share * largest, "{a} instead of {b}, of {largest} at most");
    }
}
