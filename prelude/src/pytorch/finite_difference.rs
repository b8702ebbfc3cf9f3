//! Gradients against differences of the loss itself: no second implementation to be wrong with.

use crate::engine::{Frozen, Isa, Training, Weights};
use crate::net::{Architecture, Layer, Net};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A net without kinks nearby; pictures for it, and labels.
struct Small {
    weights: Weights,
    pictures: Vec<f32>,
    labels: Vec<usize>,
}

/// Every second channel's ReLU is wide open and the others are shut: normalised values times at most
/// 0.4 do not reach from ±2 to 0. So a gate that is ignored shows itself, and yet a step of a
/// difference never runs over a kink, where a difference would say nothing.
fn small() -> Small {
    let residual = Layer::Sum([vec![], vec![Layer::unit("1", 4, 1)]]);
    let layers = vec![Layer::unit("0", 4, 1), residual, Layer::unit("2", 6, 2)];
    let architecture = Architecture::new("small", [3, 4, 5], layers, 3);
    let net = Net::new(architecture, vec![0.5; 3], vec![0.5; 3], 11).unwrap();
    let mut weights = net.weights;
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for norm in weights.norms_mut() {
        norm.weight.fill_with(|| rng.gen_range(0.2..0.4));
        for (channel, bias) in norm.bias.iter_mut().enumerate() {
            *bias = if channel % 2 == 0 { 2.0 } else { -2.0 };
        }
    }
    let pictures: Vec<f32> = (0..4 * 60).map(|_| rng.gen_range(0.0..1.0)).collect();
    let mut training = Training::new(Isa::Portable);
    // The running statistics come within 0.2 % of the pictures' own, 0.9^60.
    (0..60).for_each(|_| drop(training.forward(&mut weights, &pictures)));
    Small { weights, pictures, labels: vec![0, 2, 1, 2] }
}

/// The mean cross-entropy, in float64 from the logits on: the sum must not add to their rounding.
fn loss(logits: &[f32], labels: &[usize]) -> f64 {
    let rows = logits.chunks(logits.len() / labels.len()).zip(labels);
    let each = rows.map(|(row, &label)| {
        let total: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
        total.ln() - f64::from(row[label])
    });
    each.sum::<f64>() / labels.len() as f64
}

/// The gradient of [`loss`] with respect to the logits.
fn slope(logits: &[f32], labels: &[usize]) -> Vec<f32> {
    let rows = logits.chunks(logits.len() / labels.len()).zip(labels);
    let each = rows.flat_map(|(row, &label)| {
        let total: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
        let share = move |(class, logit): (usize, &f32)| {
            let hit = f64::from(u8::from(class == label));
            ((f64::from(*logit).exp() / total - hit) / labels.len() as f64) as f32
        };
        row.iter().enumerate().map(share).collect::<Vec<_>>()
    });
    each.collect()
}

/// The step of the differences. The loss is known to about 5e-7, five layers' roundings of numbers
/// around 2, so a difference over 2h is known to that over h; a larger step would need more than two
/// differences to find the limit.
const H: f32 = 1.0 / 16.0;
const NOISE: f64 = 5e-7 / (H as f64 / 2.0);

/// Compares `gradient` with central differences of `loss_at`, which moves one number by some amount.
///
/// Halving the step leaves a quarter of the difference's error: two steps give the limit, with less
/// error than they differ by.
fn holds(what: &str, gradient: &[f32], mut loss_at: impl FnMut(usize, f32) -> f64) {
    for (index, &gradient) in gradient.iter().enumerate() {
        let mut over = |h: f32| (loss_at(index, h) - loss_at(index, -h)) / (2.0 * f64::from(h));
        let (far, near) = (over(H), over(H / 2.0));
        let (limit, tolerance) =
            (near + (near - far) / 3.0, 2.0 * NOISE + (near - far).abs() / 3.0);
        let off = (limit - f64::from(gradient)).abs();
        assert!(off <= tolerance, "{what} {index}: {gradient}, not {limit} ± {tolerance:e}");
    }
    // Were the gradient lost in the tolerance, the comparison would say nothing.
    let largest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
    println!("{what}: largest {largest}");
    assert!(f64::from(largest) > 20.0 * NOISE, "{what}: no gradient above {largest:e}");
}

#[test]
fn the_picture_gradient_is_the_slope_of_the_loss_in_evaluation_mode() {
    let Small { weights, pictures, labels } = small();
    for isa in Isa::supported() {
        let net = Frozen::new(&weights, isa);
        let (logits, masks) = net.logits_and_masks(&pictures);
        let gradient = net.picture_gradient(&masks, &slope(&logits, &labels));
        holds(&format!("{} pixel", isa.name()), &gradient, |pixel, by| {
            let mut pictures = pictures.clone();
            pictures[pixel] += by;
            loss(&net.logits(&pictures), &labels)
        });
    }
}

#[test]
fn the_gradient_of_a_representation_goes_through_the_last_relu_as_if_it_were_open() {
    let Small { weights, pictures, labels } = small();
    let mut open = weights.clone();
    // The same numbers before the last ReLU, moved to where it is open.
    open.norms_mut().last().unwrap().bias.fill(2.0);
    for isa in Isa::supported() {
        let (net, open) = (Frozen::new(&weights, isa), Frozen::new(&open, isa));
        let features = net.representations(&pictures).len() / labels.len();
        let share = |feature: usize| (feature % 3) as f32 / 4.0 - 0.3;
        let (found, gradient) = net.representation_gradient(&pictures, |_, row| {
            row.iter_mut().enumerate().for_each(|(feature, value)| *value = share(feature));
        });
        assert_eq!(found, net.representations(&pictures));
        assert!(found.chunks(features).all(|row| row[0] > 0.0 && row[1] == 0.0));
        holds(&format!("{} pixel", isa.name()), &gradient, |pixel, by| {
            let mut pictures = pictures.clone();
            pictures[pixel] += by;
            let features = open.representations(&pictures).into_iter().enumerate();
            features.map(|(at, value)| f64::from(share(at % 6) * value)).sum()
        });
    }
}

#[test]
fn every_gradient_is_the_slope_of_the_loss_in_training_mode() {
    let Small { weights, pictures, labels } = small();
    for isa in Isa::supported() {
        let mut training = Training::new(isa);
        let logits = training.forward(&mut weights.clone(), &pictures);
        let mut of_pictures = vec![0.0; pictures.len()];
        let slope = slope(&logits, &labels);
        let found = training.backward(&weights, &slope, Some(&mut of_pictures));
        holds(&format!("{} pixel", isa.name()), &of_pictures, |pixel, by| {
            let mut pictures = pictures.clone();
            pictures[pixel] += by;
            loss(&training.forward(&mut weights.clone(), &pictures), &labels)
        });
        for (parameter, gradient) in found.iter().enumerate() {
            holds(&format!("{} parameter {parameter}", isa.name()), gradient, |index, by| {
                let mut weights = weights.clone();
                weights.parameters_mut()[parameter][index] += by;
                loss(&training.forward(&mut weights, &pictures), &labels)
            });
        }
    }
}
