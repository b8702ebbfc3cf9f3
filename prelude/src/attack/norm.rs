//! The two norms of the paper, each as three short functions.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// How the size of a perturbation is measured, in the pixel units of [0, 1], over one whole image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The Euclidean length, `‖δ‖₂`.
    L2,
    /// The largest change of a value, `‖δ‖∞`.
    Linf,
}

impl Norm {
    /// `ℓ2` or `ℓ∞`.
    pub fn symbol(self) -> &'static str {
        match self {
            Norm::L2 => "ℓ2",
            Norm::Linf => "ℓ∞",
        }
    }

    /// The size of one image's perturbation; NaN if a value is.
    pub fn size(self, delta: &[f32]) -> f32 {
        match self {
            Norm::L2 => sum_of_squares(delta).sqrt() as f32,
            // Unlike `f32::max`, a maximum that lets nobody hide behind NaN.
            Norm::Linf => delta.iter().fold(0.0, |most, d| match d.abs() {
                size if size > most || size.is_nan() => size,
                _ => most,
            }),
        }
    }

    /// A perturbation drawn evenly from the ball `‖δ‖ ≤ epsilon`.
    ///
    /// In ℓ2 the radius is `epsilon · u^(1/d)`: a radius drawn evenly would crowd the centre.
    pub fn random_start(self, epsilon: f32, rng: &mut ChaCha8Rng, delta: &mut [f32]) {
        match self {
            Norm::L2 => {
                delta.fill_with(|| StandardNormal.sample(rng));
                let radius = epsilon * rng.gen_range(0.0_f32..=1.0).powf(1.0 / delta.len() as f32);
                let scale = radius / self.size(delta).max(f32::MIN_POSITIVE);
                delta.iter_mut().for_each(|d| *d *= scale);
            }
            Norm::Linf => delta.fill_with(|| epsilon * rng.gen_range(-1.0..=1.0_f32)),
        }
    }

    /// Turns a gradient into the direction of size 1 along which a linear function rises fastest.
    pub fn steepest(self, gradient: &mut [f32]) {
        match self {
            Norm::L2 => {
                let scale = 1.0 / self.size(gradient).max(1e-12);
                gradient.iter_mut().for_each(|g| *g *= scale);
            }
            // Unlike `f32::signum`, a zero gradient must not move the pixel.
            Norm::Linf => gradient.iter_mut().for_each(|g| {
                *g = if *g == 0.0 { 0.0 } else { g.signum() };
            }),
        }
    }

    /// Moves a perturbation to the nearest point of the ball `‖δ‖ ≤ epsilon`.
    pub fn project(self, epsilon: f32, delta: &mut [f32]) {
        match self {
            Norm::L2 => {
                let scale = epsilon / self.size(delta).max(1e-12);
                if scale < 1.0 {
                    delta.iter_mut().for_each(|d| *d *= scale);
                }
            }
            Norm::Linf => delta.iter_mut().for_each(|d| *d = d.clamp(-epsilon, epsilon)),
        }
    }
}

/// In eight sums side by side, which a processor adds at once.
fn sum_of_squares(values: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 8];
    for values in values.chunks(sums.len()) {
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    fn some(seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..300).map(|_| rng.gen_range(-1.0..1.0)).collect()
    }

    #[test]
    fn a_projection_lands_in_the_ball_and_stays_there() {
        for norm in [Norm::L2, Norm::Linf] {
            let mut delta = some(1);
            norm.project(0.3, &mut delta);
            // One rounding a value: the size of 300 of them strays by less than 1e-6 of itself.
            assert!((norm.size(&delta) - 0.3).abs() < 1e-6, "{norm:?} {}", norm.size(&delta));
            let once = delta.clone();
            norm.project(0.3001, &mut delta);
            assert_eq!(delta, once);
        }
    }

    #[test]
    fn a_random_start_fills_the_ball_evenly() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut sizes = Vec::new();
        for _ in 0..200 {
            let mut delta = [0.0; 2];
            Norm::L2.random_start(2.0, &mut rng, &mut delta);
            sizes.push(Norm::L2.size(&delta));
        }
        assert!(sizes.iter().all(|size| *size <= 2.0 + 1e-6));
        // In the plane half the area lies within ε/√2. 200 draws: a deviation of 0.035.
        let inside = sizes.iter().filter(|size| **size < 2.0_f32.sqrt()).count();
        assert!((75..125).contains(&inside), "{inside} of 200");
    }

    #[test]
    fn the_steepest_direction_beats_every_other_of_its_size() {
        let gradient = some(2);
        let rise = |d: &[f32]| d.iter().zip(&gradient).map(|(d, g)| d * g).sum::<f32>();
        for norm in [Norm::L2, Norm::Linf] {
            let mut best = gradient.clone();
            norm.steepest(&mut best);
            assert!((norm.size(&best) - 1.0).abs() < 1e-6);
            for seed in 3..20 {
                let mut other = some(seed);
                let size = norm.size(&other);
                other.iter_mut().for_each(|d| *d /= size);
                assert!(rise(&best) > rise(&other), "{norm:?}");
            }
        }
    }

    #[test]
    fn a_zero_gradient_moves_nothing() {
        for norm in [Norm::L2, Norm::Linf] {
            let mut gradient = [0.0; 4];
            norm.steepest(&mut gradient);
            assert_eq!(gradient, [0.0; 4]);
        }
    }
}
