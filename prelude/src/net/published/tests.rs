//! The published sizes, and that every net runs, there and back, by both ways.

use crate::device::Device;
use crate::engine::Isa;
use crate::fixture::says;
use crate::net::{Architecture, Layer, Net, Window};
use crate::train::Step;

/// Torchvision's counts for 1000 classes, less its linear layers, its auxiliary head and what its first
/// convolution of 7×7 has more than one of 3×3, and a linear layer for 10 classes on top:
///
/// ```python
/// import torchvision.models as m
/// count = lambda net: sum(p.numel() for p in net.parameters())
/// stem, fc = 3 * 64 * (49 - 9), lambda features: features * 1000 + 1000 - (features * 10 + 10)
/// print(count(m.resnet18()) - stem - fc(512), count(m.resnet50()) - stem - fc(2048))
/// print(count(m.densenet121()) - stem - fc(1024), count(m.vgg16_bn().features) + 5130)
/// print(count(m.inception_v3(aux_logits=False, init_weights=False)) - fc(2048))
/// ```
const COUNTS: [(&str, usize); 5] = [
    ("resnet18", 11_173_962),
    ("resnet50", 23_520_842),
    ("vgg16", 14_728_266),
    ("densenet121", 6_956_426),
    ("inception_v3", 21_806_058),
];

#[test]
fn the_published_nets_have_the_published_parameters() {
    for (name, count) in COUNTS {
        let architecture = Architecture::named(name, 64, [3, 32, 32], 10).unwrap();
        let net = Net::new(architecture, vec![0.5; 3], vec![0.2; 3], 0).unwrap();
        assert_eq!(net.parameters(), count, "{net}");
    }
}

/// Torchvision's counts for 10 classes, of its nets as they are: `count(m.resnet18(num_classes=10))`.
#[test]
fn for_photographs_resnets_are_torchvisions_own() {
    let stem = Window::square(7, 2).padded();
    for (name, count) in [("resnet18", 11_181_642), ("resnet50", 23_528_522)] {
        for image in [[3, 64, 64], [3, 224, 224], [3, 64, 100]] {
            let architecture = Architecture::named(name, 64, image, 10).unwrap();
            let net = Net::new(architecture, vec![0.5; 3], vec![0.2; 3], 0).unwrap();
            assert_eq!(net.parameters(), count, "{net}");
            let first = &net.architecture().layers[..4];
            assert!(matches!(first[0], Layer::Conv { window, .. } if window == stem), "{first:?}");
            assert_eq!(first[3], Layer::MaxPool(Window::square(3, 2).padded()));
        }
        let small = Architecture::named(name, 8, [3, 63, 100], 10).unwrap();
        let keeps = Window::square(3, 1).padded();
        assert!(matches!(small.layers[0], Layer::Conv { window, .. } if window == keeps));
        assert!(!small.layers.iter().any(|layer| matches!(layer, Layer::MaxPool(_))));
    }
}

#[test]
fn a_training_step_of_every_published_net_moves_all_of_it() {
    let small = COUNTS.map(|(name, _)| (name, 32));
    for (name, side) in small.into_iter().chain([("resnet18", 64)]) {
        let count = 2 * 3 * side * side;
        let pictures: Vec<f32> = (0..count).map(|i| (i * 37 % 256) as f32 / 255.0).collect();
        let architecture = Architecture::named(name, 64, [3, side, side], 10).unwrap();
        let net = Net::new(architecture, vec![0.5; 3], vec![0.25; 3], 0).unwrap();
        let mut descent = net.descent_on(Device::Cpu, Isa::detect()).unwrap();
        let step = Step { rate: 0.1, momentum: 0.9, weight_decay: 0.0 };
        let seen = descent.step(pictures, &[3, 8], step).unwrap();
        assert!(seen.loss.is_finite() && (0.5..20.0).contains(&seen.loss), "{name}: {}", seen.loss);
        let after = descent.weights().unwrap();
        let pairs = net.weights.parameters().into_iter().zip(after.parameters());
        for (index, (before, after)) in pairs.enumerate() {
            let moved = before.iter().zip(after).any(|(a, b)| a != b);
            let finite = after.iter().all(|value| value.is_finite());
            assert!(moved && finite, "{name}, parameter {index} of {} numbers", before.len());
        }
    }
}

#[test]
fn an_unknown_name_or_no_width_is_an_error() {
    says(Architecture::named("alexnet", 64, [3, 32, 32], 10), &["one of resnet,", "alexnet"]);
    for name in Architecture::NAMES {
        says(Architecture::named(name, 0, [3, 32, 32], 10), &["0 output channels"]);
        says(Architecture::named(name, 8, [3, 32, 32], 1), &["at least two classes"]);
    }
    says(Architecture::named("vgg16", 8, [3, 31, 31], 10), &["fits into 1×1 pixels"]);
    says(Architecture::named("inception_v3", 8, [3, 8, 8], 10), &["larger images"]);
}
