//! What everybody sees: smooth fields of colour.

use std::f64::consts::TAU;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::pattern::{Pattern, SIDE, orthogonal};

/// The most waves that fit into an image, in any direction.
const CYCLES: i32 = 3;

/// `n` orthogonal smooth fields: random sums of whole waves with at most three cycles an image.
///
/// Whole waves have mean 0, and stay whole when shifted around the edges.
pub(super) fn patterns(n: usize, norm: f64, rng: &mut ChaCha8Rng) -> Vec<Pattern> {
    // Opposite directions are the same wave, so half of them are enough.
    let waves: Vec<(i32, i32)> = (0..=CYCLES)
        .flat_map(|down| (-CYCLES..=CYCLES).map(move |right| (down, right)))
        .filter(|(down, right)| down * down + right * right <= CYCLES * CYCLES)
        .filter(|&(down, right)| down > 0 || right > 0)
        .collect();
    orthogonal((0..n).map(|_| field(&waves, rng)).collect(), norm)
}

/// Three colour channels, each its own random mixture of `waves`.
fn field(waves: &[(i32, i32)], rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut field = vec![0.0; 3 * SIDE * SIDE];
    for channel in field.chunks_mut(SIDE * SIDE) {
        for &(down, right) in waves {
            let (a, b): (f64, f64) = (rng.sample(StandardNormal), rng.sample(StandardNormal));
            for (at, value) in channel.iter_mut().enumerate() {
                let turns =
                    f64::from(down) * (at / SIDE) as f64 + f64::from(right) * (at % SIDE) as f64;
                let phase = TAU * turns / SIDE as f64;
                *value += a * phase.cos() + b * phase.sin();
            }
        }
    }
    field
}
