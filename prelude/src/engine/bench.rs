//! What the bench command times: three pieces of work on a net on a device, and the processor's peak.

use super::{Isa, peak};
use crate::attack::{Goal, Loss, Pgd, Ready};
use crate::device::Device;
use crate::net::{Architecture, Net};
use crate::train::{Descend, Step};
use crate::{Error, Result};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::hint::black_box;
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

    /// How often it is done in one run.
    fn steps(self) -> usize {
        match self {
            Work::PgdStep => STEPS,
            Work::TrainingStep | Work::Forward => 1,
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

/// How many steps a walk has of which one is timed: pictures that go to a GPU stay there for all of them.
const STEPS: usize = 10;

/// A net, pictures and labels to time work on: random numbers, as speed does not depend on them.
pub struct Bench {
    multiply_adds: usize,
    ready: Box<dyn Ready>,
    descent: Box<dyn Descend>,
    pictures: Vec<f32>,
    labels: Vec<usize>,
}

impl Bench {
    /// A net of a width, by its name among [`Architecture::NAMES`], on a batch of pictures of 3×32×32. The
    /// device is named as in `ERM_DEVICE`; on the processor the engine uses the instruction set `isa`.
    ///
    /// # Errors
    /// If no net has the name, if `width` is 0, if the processor lacks the instruction set, or if there is
    /// no such device.
    pub fn new(net: &str, width: usize, batch: usize, device: &str, isa: Isa) -> Result<Self> {
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
        let device = Device::named(device)?;
        Ok(Self {
            multiply_adds: net.multiply_adds(),
            ready: net.ready_on(device.clone(), isa)?,
            descent: net.descent_on(device, isa)?,
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
    ///
    /// # Errors
    /// If a GPU fails, for want of memory say.
    pub fn images_per_second(&mut self, work: Work, seconds: f64) -> Result<f64> {
        self.run(work)?;
        let (start, mut times) = (Instant::now(), Vec::new());
        while times.len() < 3 || start.elapsed().as_secs_f64() < seconds {
            let start = Instant::now();
            self.run(work)?;
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let images = self.labels.len() * work.steps();
        Ok(images as f64 / times[times.len() / 2])
    }

    /// Does the work once, on the whole batch, or as many steps of it as one of a walk is timed among.
    ///
    /// # Errors
    /// As for [`Bench::images_per_second`].
    pub fn run(&mut self, work: Work) -> Result<()> {
        let Self { ready, descent, pictures, labels, .. } = self;
        match work {
            Work::TrainingStep => {
                let step = Step { rate: 0.1, momentum: 0.9, weight_decay: 5e-4 };
                black_box(descent.step(pictures.clone(), labels, step)?);
            }
            Work::PgdStep => {
                let attack = Pgd::l2(0.5).steps(STEPS).step_size(0.1);
                let goal = Goal::Away(Loss::CrossEntropy);
                black_box(attack.batch(&**ready, pictures, labels, goal, 0, &|| Ok(()))?);
            }
            Work::Forward => {
                black_box(ready.logits(pictures)?);
            }
        }
        Ok(())
    }
}

/// The most floating-point operations a second of all threads, in fused multiply-adds that touch no
/// memory, measured over a few milliseconds.
pub fn peak_operations(isa: Isa) -> f64 {
    2.0 * peak::multiply_adds_a_second(isa)
}
