//! Which features a training step leaves out: decided by the net itself, so that nothing else need be kept.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The dropout of one training step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropout {
    /// The share of features that is left out.
    share: f32,
    seed: u64,
}

impl Dropout {
    /// That of the step which begins with this bias of the linear layer.
    pub fn new(share: f32, bias: &[f32]) -> Self {
        let mix = |seed: u64, bias: &f32| seed.rotate_left(7) ^ u64::from(bias.to_bits());
        Self { share, seed: bias.iter().fold(0, mix) }
    }

    /// By what each feature of a batch's picture number `number` is multiplied.
    pub fn factors(&self, number: usize, factors: &mut [f32]) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(number as u64);
        let kept = 1.0 - self.share;
        let factor =
            |rng: &mut ChaCha8Rng| if rng.gen_range(0.0..1.0) < kept { 1.0 / kept } else { 0.0 };
        factors.iter_mut().for_each(|it| *it = factor(&mut rng));
    }
}
