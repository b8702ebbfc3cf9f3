//! Five steps of PGD, after each of which the picture must lie where plain PyTorch puts it.

use super::{A_PASS, ROUNDING, oblong};
use crate::attack::{Goal, Loss, Pgd};
use crate::engine::{Frozen, Isa};
use std::sync::Arc;

/// The furthest that a pixel may lie from its place, after each of five steps.
fn follows(name: &str, attack: impl Fn(usize) -> Pgd, tolerance: f32) {
    let fixture = oblong();
    let path = fixture.expected(&format!("pgd.{name}"));
    for isa in Isa::supported() {
        let frozen = Arc::new(Frozen::new(&fixture.net.weights, isa));
        for (step, expected) in path.chunks(fixture.pictures.len()).enumerate() {
            let attack = attack(step + 1);
            let (pictures, labels) = (&fixture.pictures, &fixture.labels);
            let found = attack
                .batch(&*frozen, pictures, labels, Goal::Away(Loss::CrossEntropy), 0, &|| Ok(()))
                .unwrap();
            assert_eq!(found.len(), expected.len());
            for (pixel, (a, b)) in found.iter().zip(expected).enumerate() {
                let off = (a - b).abs();
                let what = format!("{attack}, {}, pixel {pixel}", isa.name());
                assert!(off <= tolerance, "{what}: {a} instead of {b}, off by {off:e}");
            }
        }
        assert_eq!(path.len(), 5 * fixture.pictures.len());
    }
}

/// A step of length 0.25 strays by its share of the gradient's error, and a pixel's sums, at most
/// three a step and of numbers up to 2, by a rounding each. Five steps add up.
#[test]
fn the_l2_path_is_that_of_pytorch() {
    let tolerance = 5.0 * (0.25 * A_PASS + 3.0 * 2.0 * ROUNDING);
    follows("l2", |steps| Pgd::l2(0.5).steps(steps).step_size(0.25), tolerance);
}

/// The signs are certain, as no gradient in the file is near zero: only the sums' roundings remain.
#[test]
fn the_linf_path_is_that_of_pytorch() {
    let tolerance = 5.0 * 3.0 * 2.0 * ROUNDING;
    let attack = |steps| Pgd::linf(8.0 / 255.0).steps(steps).step_size(2.0 / 255.0);
    follows("linf", attack, tolerance);
}
