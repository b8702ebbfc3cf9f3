//! Which numbers of a representation a training step leaves out.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The dropout of one step.
///
/// What it leaves out depends on the bias of the linear layer, which every step moves: so each step leaves
/// out others, on every device the same, and a training that goes on from a file what it would have left
/// out anyway.
#[derive(Clone, Copy)]
pub(crate) struct Dropout {
    share: f32,
    seed: u64,
}

impl Dropout {
    /// Of a step that begins with this bias, and leaves out such a share.
    pub fn new(share: f32, bias: &[f32]) -> Self {
        let mix = |seed: u64, bias: &f32| seed.rotate_left(7) ^ u64::from(bias.to_bits());
        Self { share, seed: bias.iter().fold(0, mix) }
    }

    /// What image `number` of the batch has its numbers multiplied by.
    pub fn factors(self, number: usize, factors: &mut [f32]) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(number as u64);
        let kept = 1.0 - self.share;
        factors.fill_with(|| if rng.gen_range(0.0..1.0) < kept { 1.0 / kept } else { 0.0 });
    }

    /// The same for a batch of so many images, `(features, B)`.
    pub fn of_batch(self, features: usize, batch: usize) -> Vec<f32> {
        let (mut all, mut own) = (vec![0.0; features * batch], vec![0.0; features]);
        for image in 0..batch {
            self.factors(image, &mut own);
            own.iter().enumerate().for_each(|(f, factor)| all[f * batch + image] = *factor);
        }
        all
    }
}
