//! What the bench command times: three pieces of work on a prepared net, and the processor's peak.

use super::{Frozen, Isa, peak};
use crate::attack::{Goal, Loss, Pgd};
use crate::net::{Architecture, Net};
use crate::train::{Descend, Descent, Step};
use crate::{Error, Result};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

/// One piece of work on a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Forward, backward and the optimizer's step, in training mode.
    TrainingStep,
    /// The loss's gradient with respect to the pictures, an ℓ2 step, projection, clamp.
    PgdStep,
    /// Logits in evaluation mode.
    Forward,
}

impl Work {
    /// All three.
    pub const ALL: [Work; 3] = [Work::TrainingStep, Work::PgdStep, Work::Forward];

    /// `training step`, `PGD step` or `forward`.
    pub fn name(self) -> &'static str {
        match self {
            Work::TrainingStep => "training step",
            Work::PgdStep => "PGD step",
            Work::Forward => "forward",
        }
    }

    /// The work in units of a forward pass: each gradient, of pictures and of weights, is one more.
    fn passes(self) -> usize {
        match self {
            Work::TrainingStep => 3,
            Work::PgdStep => 2,
            Work::Forward => 1,
        }
    }
}

/// A net, pictures and labels to time work on: random numbers, as speed does not depend on them.
pub struct Bench {
    multiply_adds: usize,
    frozen: Arc<Frozen>,
    descent: Descent,
    pictures: Vec<f32>,
    labels: Vec<usize>,
}

impl Bench {
    /// A net of a width, by its name among [`Architecture::NAMES`], on a batch of pictures of 3×32×32.
    ///
    /// # Errors
    /// If no net has the name, if `width` is 0, or if the processor lacks the instruction set.
    pub fn new(net: &str, width: usize, batch: usize, isa: Isa) -> Result<Self> {
        if !Isa::supported().contains(&isa) {
            return Err(Error::invalid(
                "an instruction set that this processor has",
                isa.name(),
                "Choose one of those that Isa::supported() lists.",
            ));
        }
        let architecture = Architecture::named(net, width, [3, 32, 32], 10)?;
        let net = Net::new(architecture, vec![0.5; 3], vec![0.25; 3], 0)?;
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        Ok(Self {
            multiply_adds: net.multiply_adds(),
            frozen: Arc::new(Frozen::new(&net.weights, isa)),
            descent: Descent::new(net.weights, isa),
            pictures: (0..batch * 3072).map(|_| rng.gen_range(0.0..1.0)).collect(),
            labels: (0..batch).map(|_| rng.gen_range(0..10)).collect(),
        })
    }

    /// The floating-point operations of `work` for one image: two a multiply-add.
    pub fn operations(&self, work: Work) -> f64 {
        (2 * work.passes() * self.multiply_adds) as f64
    }

    /// Images a second, from the median of as many runs as fit into this many seconds, at least
    /// three, after one that is not counted.
    pub fn images_per_second(&mut self, work: Work, seconds: f64) -> f64 {
        self.run(work);
        let (start, mut times) = (Instant::now(), Vec::new());
        while times.len() < 3 || start.elapsed().as_secs_f64() < seconds {
            let start = Instant::now();
            self.run(work);
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        self.labels.len() as f64 / times[times.len() / 2]
    }

    /// Does the work once, on the whole batch.
    pub fn run(&mut self, work: Work) {
        let Self { frozen, descent, pictures, labels, .. } = self;
        match work {
            Work::TrainingStep => {
                let step = Step { rate: 0.1, momentum: 0.9, weight_decay: 5e-4 };
                let seen = descent.step(pictures.clone(), labels, step);
                black_box(seen.expect("the engine on the CPU does not fail"));
            }
            Work::PgdStep => {
                let attack = Pgd::l2(0.5).steps(1).step_size(0.1);
                let end = attack.batch(
                    &**frozen,
                    pictures,
                    labels,
                    Goal::Away(Loss::CrossEntropy),
                    0,
                    &|| Ok(()),
                );
                black_box(end).expect("nobody stops it");
            }
            Work::Forward => {
                black_box(frozen.logits(pictures));
            }
        }
    }
}

/// The most floating-point operations a second of all threads, in fused multiply-adds that touch no
/// memory, measured over a few milliseconds.
pub fn peak_operations(isa: Isa) -> f64 {
    2.0 * peak::multiply_adds_a_second(isa)
}
