//! Gradients against differences of the loss itself: no second implementation to be wrong with.

use crate::engine::{Frozen, Isa, Training, Weights};
use crate::net::{Architecture, Layer, Net};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A small net, as a small one has few kinks; pictures for it, and labels.
struct Small {
    weights: Weights,
    pictures: Vec<f32>,
    labels: Vec<usize>,
}

fn small() -> Small {
    let conv = |outputs, stride| Layer::Conv { outputs, stride };
    let layers = vec![conv(4, 1), Layer::Residual(vec![conv(4, 1)]), conv(6, 2)];
    let architecture = Architecture { name: "small".into(), image: [3, 4, 5], layers, classes: 3 };
    let net = Net::new(architecture, vec![0.5; 3], vec![0.5; 3], 11).unwrap();
    let mut weights = net.weights;
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for norm in weights.units.iter_mut().map(|unit| &mut unit.norm) {
        norm.weight.fill_with(|| rng.gen_range(0.5..1.5));
        norm.bias.fill_with(|| rng.gen_range(0.2..0.6));
        norm.running_var.fill_with(|| rng.gen_range(0.2..0.6));
    }
    let pictures = (0..4 * 60).map(|_| rng.gen_range(0.0..1.0)).collect();
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

/// The step of the differences. Logits of about 1 carry a rounding of about 1e-7 a layer, four
/// layers: the loss is known to 5e-7, and its difference over 2h to 5e-7 / h. A step of 1/64 leaves
/// 3e-5 of that, and twice that for half the step; a larger one would run into more kinks.
const H: f32 = 1.0 / 64.0;
const NOISE: f64 = 5e-7 / (H as f64 / 2.0);

/// Compares `gradient` with central differences of `loss_at`, which moves one number by some amount.
///
/// Where the net is smooth, halving the step leaves a quarter of the error, so two steps give the limit
/// and the error both. Where they differ by more than a tenth of the gradient's size there is a
/// kink between them, and the place says nothing. Which places those are follows from the
/// loss alone, so a wrong gradient cannot hide there; most places must be free of them.
fn holds(what: &str, gradient: &[f32], mut loss_at: impl FnMut(usize, f32) -> f64) {
    let largest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
    let mut smooth = 0;
    for (index, &gradient) in gradient.iter().enumerate() {
        let mut over = |h: f32| (loss_at(index, h) - loss_at(index, -h)) / (2.0 * f64::from(h));
        let (far, near) = (over(H), over(H / 2.0));
        if (far - near).abs() > 0.02 * f64::from(largest) {
            continue;
        }
        smooth += 1;
        let limit = near + (near - far) / 3.0;
        let (off, tolerance) =
            ((limit - f64::from(gradient)).abs(), NOISE * 2.0 + (far - near).abs());
        assert!(
            off <= tolerance,
            "{what} {index}: {gradient} instead of {limit}, {tolerance:e} allowed"
        );
    }
    let (total, needed) = (gradient.len(), 3 * gradient.len() / 4);
    println!("{what}: {smooth} of {total} places are smooth, largest {largest}");
    assert!(smooth >= needed, "{what}: only {smooth} of {total} places are smooth");
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
fn every_gradient_is_the_slope_of_the_loss_in_training_mode() {
    let Small { weights, pictures, labels } = small();
    for isa in Isa::supported() {
        let mut training = Training::new(isa);
        let logits = training.forward(&mut weights.clone(), &pictures);
        let found = training.backward(&weights, &slope(&logits, &labels));
        holds(&format!("{} pixel", isa.name()), &found.pictures, |pixel, by| {
            let mut pictures = pictures.clone();
            pictures[pixel] += by;
            loss(&training.forward(&mut weights.clone(), &pictures), &labels)
        });
        for (parameter, gradient) in found.parameters.iter().enumerate() {
            holds(&format!("{} parameter {parameter}", isa.name()), gradient, |index, by| {
                let mut weights = weights.clone();
                weights.parameters_mut()[parameter][index] += by;
                loss(&training.forward(&mut weights, &pictures), &labels)
            });
        }
    }
}
