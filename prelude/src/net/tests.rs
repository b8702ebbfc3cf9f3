//! What a net says of itself, and which files and architectures it refuses.

use super::*;
use crate::fixture::{DATA, Scratch, TRAINED, net, says};
use crate::judge;
use ndarray::Array4;

fn architecture(layers: Vec<Layer>) -> Architecture {
    Architecture::new("some layers", [3, 32, 32], layers, 10)
}

fn new(layers: Vec<Layer>) -> Result<Net> {
    Net::new(architecture(layers), vec![0.5; 3], vec![0.2; 3], 1)
}

/// The first unit of a small net.
fn first() -> Layer {
    Layer::unit("features.0", 8, 2)
}

#[test]
fn a_saved_net_comes_back_bit_for_bit() {
    let scratch = Scratch::new("net-round");
    let path = scratch.path().join("deep/net.safetensors");
    TRAINED.save(&path).unwrap();
    let mut loaded = net(9);
    assert_ne!(loaded, *TRAINED);
    loaded.load(&path).unwrap();
    assert_eq!(loaded, *TRAINED);
    assert!(loaded.weights.norms().all(|norm| norm.batches > 0));
}

#[test]
fn a_missing_damaged_or_foreign_file_is_an_error_and_the_net_stays_as_it_was() {
    let scratch = Scratch::new("net-files");
    let path = scratch.path().join("net.safetensors");
    let mut loaded = net(9);
    says(loaded.load(&path), &["net.safetensors", "No such file", "Save a net there first"]);
    TRAINED.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 7, 300, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        says(loaded.load(&path), &["no whole safetensors file", "Save the net again"]);
    }
    std::fs::write(&path, "a text").unwrap();
    says(loaded.load(&path), &["no whole safetensors file"]);
    DATA.test.save(&path).unwrap();
    says(loaded.load(&path), &["expected the tensor features.0.0.weight, found none"]);
    assert_eq!(loaded, net(9));
}

#[test]
fn the_weights_of_another_architecture_are_an_error() {
    let scratch = Scratch::new("net-other");
    let path = scratch.path().join("net.safetensors");
    new(vec![first(), Layer::unit("features.1", 12, 2)]).unwrap().save(&path).unwrap();
    says(net(1).load(&path), &["features.1.0.weight", "F32 of [16, 8, 3, 3]", "[12, 8, 3, 3]"]);
    let deeper = vec![first(), Layer::unit("features.1", 8, 1)];
    new(deeper).unwrap().save(&path).unwrap();
    let mut shallow = new(vec![first()]).unwrap();
    says(shallow.load(&path), &["features.1.", "which this net does not have"]);
}

#[test]
fn an_architecture_that_does_not_fit_together_is_an_error() {
    let unit = |name: &str, outputs, stride| Layer::unit(name, outputs, stride);
    let conv = |kernel, stride, padding| Layer::Conv {
        name: "a".into(),
        outputs: 4,
        window: Window { kernel: [kernel; 2], stride, padding: [padding; 2] },
        bias: false,
    };
    let sum = |a, b| vec![first(), Layer::Sum([a, b])];
    let concat = |ways| vec![first(), Layer::Concat(ways)];
    let table = [
        (vec![], "a convolution as the first layer, found no layers"),
        (vec![Layer::Relu], "a convolution as the first layer"),
        (vec![Layer::Sum([vec![], vec![unit("a", 3, 1)]])], "a convolution as the first layer"),
        (sum(vec![], vec![]), "at most one is empty"),
        (sum(vec![], vec![unit("a", 9, 1)]), "[[8, 16, 16], [9, 16, 16]]"),
        (sum(vec![], vec![unit("a", 8, 2)]), "images of equal shape to add"),
        (concat(vec![]), "0 ways"),
        (concat(vec![vec![], vec![unit("a", 8, 2)]]), "images of equal size"),
        (vec![first(), first()], "features.0.0 twice"),
        (vec![unit("a", 0, 1)], "0 output channels"),
        (vec![unit("a", 8, 3)], "moves by 1 or 2"),
        (vec![unit("a", 8, 0)], "moves by 1 or 2"),
        (vec![conv(33, 1, 0)], "fits into 32×32 pixels"),
        (vec![conv(1, 1, 1)], "less padding"),
        (vec![first(), Layer::MaxPool(Window::square(17, 2))], "fits into 16×16 pixels"),
    ];
    for (layers, named) in table {
        says(new(layers), &[named]);
    }
    says(Architecture::resnet(0, [3, 32, 32], 10), &["0 output channels", "width of 1 or more"]);
    says(Architecture::resnet(8, [3, 32, 32], 1), &["at least two classes", "1 classes"]);
    says(Architecture::resnet(8, [3, 0, 32], 10), &["an image with pixels"]);
    let careless = Architecture { dropout: 1.0, ..architecture(vec![first()]) };
    says(Net::new(careless, vec![0.5; 3], vec![0.2; 3], 1), &["a dropout from 0 to below 1"]);
}

#[test]
fn a_normalisation_that_would_divide_by_zero_is_an_error() {
    let with = |mean: Vec<f32>, deviation: Vec<f32>| {
        Net::new(architecture(vec![first()]), mean, deviation, 1)
    };
    says(with(vec![0.5; 2], vec![0.2; 3]), &["each of 3 channels", "means [0.5, 0.5]"]);
    says(with(vec![0.5; 3], vec![0.2, 0.0, 0.2]), &["a deviation above 0", "0.0"]);
    says(with(vec![0.5; 3], vec![0.2, f32::NAN, 0.2]), &["NaN"]);
}

#[test]
fn a_colour_that_never_changes_is_no_trouble() {
    let mut set = DATA.train.take(4).unwrap();
    let shade = |(i, c, y, _): (usize, usize, usize, usize)| match c {
        1 => 0.0,
        _ => (i + y) as f32 / 40.0,
    };
    set.images = Array4::from_shape_fn((4, 3, 32, 32), shade).into();
    let net = Net::resnet(1, &set, 0).unwrap();
    let logits = judge::logits(&net, &set.images).unwrap();
    assert!(logits.iter().all(|logit| logit.is_finite()));
}

#[test]
fn a_net_of_no_data_is_an_error() {
    let mut empty = DATA.train.take(1).unwrap();
    empty.images = Array4::zeros((0, 3, 32, 32)).into();
    says(Net::resnet(8, &empty, 0), &["at least one image"]);
    let mut one = DATA.train.take(1).unwrap();
    (one.classes, one.labels) = (vec!["only".into()], vec![0]);
    says(Net::resnet(8, &one, 0), &["at least two classes"]);
}

#[test]
fn a_net_counts_its_work_and_says_what_it_is() {
    let net = Net::resnet(16, &DATA.train, 0).unwrap();
    // 7 convolutions and a linear layer, worked out by hand.
    let weights = 9 * (3 * 16 + 16 * 32 + 2 * 32 * 32 + 32 * 64 + 2 * 64 * 64) + 64 * 10;
    let norms_and_bias = 2 * (16 + 3 * 32 + 3 * 64) + 10;
    assert_eq!(net.parameters(), weights + norms_and_bias);
    let planes = 1024 * 3 * 16 + 256 * (16 * 32 + 2 * 32 * 32) + 64 * (32 * 64 + 2 * 64 * 64);
    assert_eq!(net.multiply_adds(), 9 * planes + 640);
    let text = net.to_string();
    assert!(text.starts_with("resnet of width 16: images of 3×32×32, 10 classes"), "{text}");
    assert!(
        text.contains("conv 32 /2, norm, relu, sum [as it is | conv 32, norm, relu, conv 32,"),
        "{text}"
    );
    assert!(text.ends_with("116,890 parameters, 12.2 million multiply-adds an image"), "{text}");
}

#[test]
fn equal_nets_have_equal_fingerprints_and_a_changed_number_another() {
    assert_eq!(net(1).fingerprint(), net(1).fingerprint());
    assert_ne!(net(1).fingerprint(), net(2).fingerprint());
    let mut changed = net(1);
    changed.weights.norms_mut().next().unwrap().running_var[3] += 1e-7;
    assert_ne!(changed.fingerprint(), net(1).fingerprint());
}
