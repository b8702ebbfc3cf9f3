//! Every way to run a net that is here, against the engine on the CPU.

use super::{Hill, Move, OnDevice, Ready, Search, Step, Walk};
use crate::attack::{Goal, Loss, Norm};
use crate::engine::{Frozen, Isa};
use crate::fixture::{DATA, TRAINED};
use crate::gpu::{Fixed, Sums, simulated};
use dfdx::prelude::Cpu;

/// The largest difference, in units of the largest number.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1e-12_f32, |most, b| most.max(b.abs()));
    let pairs = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    pairs.fold(0.0, |most: f32, off| if off > most || off.is_nan() { off } else { most }) / largest
}

/// The net on every device that is here.
fn devices() -> Vec<Box<dyn Ready>> {
    let graph = OnDevice::new(TRAINED.graph(&Cpu::default()).unwrap());
    let simulated =
        simulated::hands(Sums::Single).map(|hands| Fixed::new(&hands, &TRAINED.weights).unwrap());
    let mut devices: Vec<Box<dyn Ready>> = vec![Box::new(graph)];
    devices.extend(simulated.map(|net| Box::new(net) as Box<dyn Ready>));
    devices.extend(on_a_gpu());
    devices
}

#[cfg(feature = "cuda")]
fn on_a_gpu() -> Vec<Box<dyn Ready>> {
    use crate::device::Device;
    let mut nets: Vec<Box<dyn Ready>> = Vec::new();
    if let Ok(Device::DfdxCuda(device)) = Device::named("dfdx-cuda") {
        nets.push(Box::new(OnDevice::new(TRAINED.graph(&device).unwrap())));
    }
    if let Ok(Device::Cuda(hands)) = Device::named("cuda") {
        nets.push(Box::new(Fixed::new(&hands, &TRAINED.weights).unwrap()));
    }
    nets
}

#[cfg(not(feature = "cuda"))]
fn on_a_gpu() -> Vec<Box<dyn Ready>> {
    Vec::new()
}

fn engine() -> Frozen {
    Frozen::new(&TRAINED.weights, Isa::detect())
}

fn some() -> (Vec<f32>, Vec<usize>) {
    let indices = [3, 5, 8, 13, 21];
    let pictures = DATA.test.images.batch(&indices).into_raw_vec_and_offset().0;
    (pictures, indices.map(|index| DATA.test.labels[index]).to_vec())
}

#[test]
fn a_device_says_what_the_engine_says() {
    let (pictures, labels) = some();
    let engine = engine();
    let aims = engine.representations(&others());
    let losses = [Loss::CrossEntropy, Loss::Margin, Loss::Dlr].map(Goal::Away);
    let goals = losses.into_iter().chain([Goal::Toward]);
    let hills = goals.map(|goal| Hill::Goal(goal, &labels)).chain([Hill::Toward(&aims)]);
    for device in devices() {
        // The net chains seven sums in f32: see the agreement of graph and engine.
        let logits = device.logits(&pictures).unwrap();
        assert!(distance(&logits, &engine.logits(&pictures)) < 1e-4);
        let representations = device.representations(&pictures).unwrap();
        assert!(distance(&representations, &engine.representations(&pictures)) < 1e-4);
        for hill in hills.clone() {
            let (values, gradient) = device.look(&pictures, hill).unwrap();
            let (expected, upward) = engine.look(&pictures, hill).unwrap();
            assert!(distance(&values, &expected) < 1e-4);
            assert!(distance(&gradient, &upward) < 1e-4);
        }
    }
}

/// Other pictures, whose representations are aims.
fn others() -> Vec<f32> {
    DATA.test.images.batch(&[1, 2, 4, 7, 9]).into_raw_vec_and_offset().0
}

#[test]
fn a_walk_on_a_device_ends_where_the_engines_ends() {
    let (pictures, labels) = some();
    let hill = Hill::Goal(Goal::Away(Loss::CrossEntropy), &labels);
    let engine = engine();
    for (norm, epsilon) in [(Norm::L2, 0.5), (Norm::Linf, 0.03), (Norm::L2, f32::INFINITY)] {
        let step_size = 0.4 * epsilon.min(0.5);
        let walk = Walk { norm, epsilon, step_size, steps: 4 };
        let end = |net: &dyn Ready| {
            net.ascend(walk, &pictures, pictures.clone(), hill, &|| Ok(())).unwrap()
        };
        let expected = end(&engine);
        assert_ne!(expected, pictures);
        for device in devices() {
            let found = end(&*device);
            let off = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
            match norm {
                // Four steps, each along a gradient that is right to 1e-4 of its largest number.
                Norm::L2 => assert!(off.fold(0.0, f32::max) < 1e-4 * 4.0 * step_size),
                // A gradient near zero may have either sign: those pixels differ, and are few.
                Norm::Linf => {
                    let differ = off.filter(|off| *off > 1e-5).count();
                    assert!(differ < expected.len() / 200, "{differ}");
                }
            }
        }
    }
}

/// What five pictures do after so many looks: each kind of move, with and without another, and ends at
/// different times, so that a machine parts them.
fn told(picture: usize, looks: usize) -> Move {
    let step = |size, fresh| Some(Step { size, fresh });
    let [notes, returns] = match (picture, looks) {
        (_, 0) | (0, 2) | (4, 1) => [true, false],
        (1, 1) | (4, 2) | (4, 4) | (0, 4) => [false, true],
        (3, 2) => [true, true],
        _ => [false, false],
    };
    let step = match (picture, looks) {
        (2, 1) | (3, 2) | (1, 3) | (4, 5) | (0, 6) => None,
        (_, 0) => step(0.3, 1.0),
        (1, _) => step(0.1, 0.75),
        _ => step(0.2, 0.6),
    };
    Move { notes, returns, step }
}

#[test]
fn a_search_on_a_device_goes_the_engines_way() {
    let (pictures, labels) = some();
    let engine = engine();
    let starts: Vec<f32> = pictures.iter().map(|x| 0.98 * x + 0.01).collect();
    for (norm, epsilon) in [(Norm::L2, 0.5), (Norm::Linf, 0.03)] {
        // A step of ℓ∞ is as small as its ball.
        let scale = epsilon / 0.5;
        let loss = Loss::Margin;
        let (classes, centers) = (&labels[..], &pictures[..]);
        let search = Search { norm, epsilon, loss, classes, centers, starts: &starts };
        let way = |net: &dyn Ready| {
            let (mut asked, mut said, mut looks) = (Vec::new(), Vec::new(), 0);
            let ends = net.search(&search, &mut |open, logits| {
                asked.push(open.to_vec());
                said.extend_from_slice(logits);
                let moves = open.iter().map(|picture| told(*picture, looks)).map(|told| Move {
                    step: told.step.map(|step| Step { size: scale * step.size, ..step }),
                    ..told
                });
                let moves = moves.collect();
                looks += 1;
                Ok(moves)
            });
            (asked, said, ends.unwrap())
        };
        let (asked, said, ends) = way(&engine);
        let open: Vec<usize> = asked.iter().map(Vec::len).collect();
        assert_eq!(open, [5, 5, 4, 3, 2, 2, 1]);
        for device in devices() {
            let (also_asked, also_said, found) = way(&*device);
            assert_eq!(also_asked, asked);
            let off = found.iter().zip(&ends).map(|(a, b)| (a - b).abs());
            match norm {
                // Six steps, each along a gradient that is right to 1e-4 of its largest number.
                Norm::L2 => {
                    assert!(off.fold(0.0, f32::max) < 1e-4 * 6.0 * 0.3);
                    assert!(distance(&also_said, &said) < 1e-3);
                }
                // A gradient near zero may have either sign: those pixels differ, and are few.
                Norm::Linf => {
                    let differ = off.filter(|off| *off > 1e-5).count();
                    assert!(differ < ends.len() / 100, "{differ}");
                    assert!(distance(&also_said, &said) < 1e-2);
                }
            }
        }
    }
}

#[test]
fn an_error_ends_a_search_on_a_device() {
    let (pictures, labels) = some();
    let (classes, centers) = (&labels[..], &pictures[..]);
    let (norm, loss) = (Norm::L2, Loss::CrossEntropy);
    let search = Search { norm, epsilon: 0.5, loss, classes, centers, starts: centers };
    for device in devices() {
        let end = device.search(&search, &mut |_, _| Err(crate::Error::invalid("", "", "")));
        assert!(end.is_err());
    }
}

#[test]
fn an_error_ends_a_walk_on_a_device() {
    let (pictures, labels) = some();
    let hill = Hill::Goal(Goal::Away(Loss::Margin), &labels);
    let walk = Walk { norm: Norm::L2, epsilon: 0.5, step_size: 0.1, steps: 4 };
    for device in devices() {
        let asked = std::cell::Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            match asked.get() {
                3 => Err(crate::Error::invalid("", "", "")),
                _ => Ok(()),
            }
        };
        let end = device.ascend(walk, &pictures, pictures.clone(), hill, &stop);
        assert!(end.is_err() && asked.get() == 3);
    }
}
