//! The engine for GPUs against dfdx's graph, on the processor in a GPU's place and on a GPU if there is one.

use super::fixed::transposed;
use super::forward::Purpose;
use super::machine::Sums;
use super::memory::{Hands, LARGEST};
use super::model::Model;
use super::simulated;
use crate::engine::Isa;
use crate::fixture::says;
use crate::net::agreement::{Pass, by_engine, by_graph, compare, nets, pictures};
use crate::net::{Architecture, Mode, Net};

/// Every machine that is here.
fn machines() -> Vec<Hands> {
    let simulated = [Sums::Single, Sums::Tf32].map(simulated::hands);
    simulated.into_iter().flatten().chain(on_a_gpu()).collect()
}

#[cfg(feature = "cuda")]
fn on_a_gpu() -> Option<Hands> {
    match crate::device::Device::named("cuda") {
        Ok(crate::device::Device::Cuda(hands)) => Some(hands),
        _ => None,
    }
}

#[cfg(not(feature = "cuda"))]
fn on_a_gpu() -> Option<Hands> {
    None
}

/// A pass on a machine that gathers so many numbers of windows at once.
fn by_machine(hands: &Hands, net: &Net, batch: usize, mode: Mode, workspace: usize) -> Pass {
    let (values, labels) = pictures(net, batch);
    let model = Model { workspace, ..Model::new(hands, &net.weights).unwrap() };
    let purpose = match mode {
        Mode::Training => Purpose::Training,
        Mode::Evaluation => Purpose::Attack,
    };
    let passage = model.forward(&hands.upload(&values).unwrap(), purpose).unwrap();
    let slopes = hands.reserve(passage.logits.len()).unwrap();
    let classes = model.classes(&labels).unwrap();
    model.cross_entropy(&passage, &classes, &slopes, 1.0 / batch as f32).unwrap();
    let logits = hands.read(&passage.logits).unwrap();
    let logits = transposed(&logits, logits.len() / batch);
    match mode {
        Mode::Evaluation => {
            let gradient = model.back_to_pictures(&passage, &slopes).unwrap();
            let pictures = Some(hands.read(&gradient).unwrap());
            Pass { logits, pictures, parameters: Vec::new() }
        }
        Mode::Training => {
            let gradient = model.back_to_parameters(&passage, &slopes).unwrap();
            let parameters = model.of_each(&gradient).unwrap();
            Pass { logits, pictures: None, parameters }
        }
    }
}

fn agrees(mode: Mode, batch: usize, workspace: usize) {
    for net in nets() {
        let graph = by_graph(&net, batch, mode);
        for hands in machines() {
            let name = format!("{} {mode:?} batch {batch}", net.architecture().name);
            compare(&name, &by_machine(&hands, &net, batch, mode, workspace), &graph);
        }
    }
}

#[test]
fn it_agrees_with_the_graph_in_evaluation_mode() {
    agrees(Mode::Evaluation, 9, 1 << 20);
    agrees(Mode::Evaluation, 8, 1 << 20);
    agrees(Mode::Evaluation, 1, 1 << 20);
}

#[test]
fn it_agrees_with_the_graph_in_training_mode() {
    agrees(Mode::Training, 11, 1 << 20);
    agrees(Mode::Training, 12, 1 << 20);
    agrees(Mode::Training, 2, 1 << 20);
}

#[test]
fn it_agrees_where_windows_do_not_fit_into_the_workspace_at_once() {
    agrees(Mode::Evaluation, 3, 1000);
    agrees(Mode::Training, 8, 1000);
}

#[test]
fn it_leaves_out_the_features_that_the_engine_leaves_out() {
    let architecture = Architecture::resnet(4, [3, 8, 8], 5).unwrap();
    let architecture = Architecture { dropout: 0.4, ..architecture };
    let net = Net::new(architecture, vec![0.5; 3], vec![0.25; 3], 3).unwrap();
    let expected = by_engine(&net, 7, Mode::Training, Isa::detect());
    for hands in machines() {
        let found = by_machine(&hands, &net, 7, Mode::Training, 1 << 20);
        compare("dropout", &found, &expected);
    }
}

#[test]
fn memory_comes_back_and_too_much_of_it_is_an_error() {
    for hands in machines() {
        let first = hands.upload(&[1.0, 2.0, 3.0]).unwrap();
        let (part, address) = (first.part(1, 2), first.address());
        drop(first);
        assert_ne!(hands.reserve(3).unwrap().address(), address);
        assert_eq!(hands.read(&part).unwrap(), [2.0, 3.0]);
        drop(part);
        let again = [hands.reserve(3).unwrap(), hands.reserve(3).unwrap()];
        assert!(again.iter().any(|memory| memory.address() == address));
        says(hands.reserve(LARGEST + 1), &["numbers in one piece", "smaller batches"]);
    }
}
