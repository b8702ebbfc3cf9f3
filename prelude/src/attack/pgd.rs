//! Projected gradient descent, and the fast gradient sign method as its first step.

use super::{Attack, Goal, Hill, Loss, Norm, Ready, Walk};
use crate::data::Images;
use crate::net::Net;
use crate::show::Progress;
use crate::{Error, Result};
use ndarray::Array4;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use std::fmt;

crate::show::shows_as_text!(Pgd);

/// How many images go through the net at once.
const BATCH: usize = 128;

const REMEDY: &str =
    "Run the cell again to attack all of them, or attack fewer, or in fewer steps.";

/// Projected gradient descent in a ball around each picture. Paper: C.3, Tables 4 and 6.
///
/// Every number is in pixel units of [0, 1]. Each step moves by `step_size` along the steepest
/// direction of the norm, then back into the ball, then into [0, 1].
#[derive(Clone, Debug, PartialEq)]
pub struct Pgd {
    norm: Norm,
    epsilon: f32,
    steps: usize,
    step_size: Option<f32>,
    random: Option<RandomStart>,
    loss: Loss,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RandomStart {
    restarts: usize,
    seed: u64,
}

impl Pgd {
    /// In the ball `‖δ‖₂ ≤ epsilon`; 20 steps from the picture itself, until told otherwise.
    pub fn l2(epsilon: f32) -> Self {
        let loss = Loss::CrossEntropy;
        Self { norm: Norm::L2, epsilon, steps: 20, step_size: None, random: None, loss }
    }

    /// In the ball `‖δ‖∞ ≤ epsilon`; 20 steps from the picture itself, until told otherwise.
    pub fn linf(epsilon: f32) -> Self {
        Self { norm: Norm::Linf, ..Self::l2(epsilon) }
    }

    /// How many gradient steps, at least one.
    pub fn steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    /// How far each step goes. Until told: `2.5 · epsilon / steps`, the authors' rule for evaluation.
    pub fn step_size(self, step_size: f32) -> Self {
        Self { step_size: Some(step_size), ..self }
    }

    /// Starts at a random point of the ball, `restarts` times, and keeps each image's best end.
    ///
    /// An image's starts depend on the seed and on its place among the images alone, and more restarts
    /// begin with those of fewer: they never do worse.
    pub fn random_starts(self, restarts: usize, seed: u64) -> Self {
        Self { random: Some(RandomStart { restarts, seed }), ..self }
    }

    /// Makes this loss larger instead of the cross-entropy where it moves images away from a class.
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// The norm of the ball.
    pub fn norm(&self) -> Norm {
        self.norm
    }

    /// The radius of the ball.
    pub fn epsilon(&self) -> f32 {
        self.epsilon
    }

    /// How many steps there are.
    pub fn number_of_steps(&self) -> usize {
        self.steps
    }

    /// Moves each image away from its class in `labels`; `(n, 3, height, width)` in [0, 1], as floats.
    ///
    /// # Errors
    /// If a number of the attack is out of range, if images, labels and net do not fit together, or if
    /// the user interrupts it.
    pub fn perturb(&self, net: &Net, images: &Images, labels: &[usize]) -> Result<Images> {
        self.loss.check(net.architecture.classes)?;
        self.run(net, images, labels, self.goal())
    }

    /// Moves each image toward its class in `targets`; `(n, 3, height, width)` in [0, 1], as floats.
    ///
    /// # Errors
    /// If a number of the attack is out of range, if images, targets and net do not fit together, or if
    /// the user interrupts it.
    pub fn perturb_toward(&self, net: &Net, images: &Images, targets: &[usize]) -> Result<Images> {
        self.run(net, images, targets, Goal::Toward)
    }

    /// What it makes larger where it moves images away from a class.
    pub(crate) fn goal(&self) -> Goal {
        Goal::Away(self.loss)
    }

    fn run(&self, net: &Net, images: &Images, classes: &[usize], goal: Goal) -> Result<Images> {
        self.check()?;
        net.check(images, Some(classes))?;
        let ready = net.ready()?;
        let indices: Vec<usize> = (0..images.len()).collect();
        let progress = Progress::start_quietly(&self.to_string(), "images", images.len());
        let go_on = || progress.stop_if_interrupted(REMEDY);
        let mut out = Vec::with_capacity(images.len() * images.pixels());
        for (batch, classes) in indices.chunks(BATCH).zip(classes.chunks(BATCH)) {
            let pictures = images.batch(batch);
            let pictures = pictures.as_slice().expect("a batch is contiguous");
            out.extend(self.batch(&*ready, pictures, classes, goal, batch[0] as u64, &go_on)?);
            progress.advance(batch.len());
        }
        let [n, channels, height, width] = images.shape();
        let array = Array4::from_shape_vec((n, channels, height, width), out);
        Ok(Images::Floats(array.expect("every image was perturbed once")))
    }

    /// Perturbs one batch `(n, pixels)`; its first image is number `first` of all, which decides its
    /// random starts. An error of `go_on`, which is asked before every step, ends it.
    pub(crate) fn batch(
        &self,
        net: &dyn Ready,
        pictures: &[f32],
        classes: &[usize],
        goal: Goal,
        first: u64,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<f32>> {
        let pixels = pictures.len() / classes.len().max(1);
        let walk = self.walk();
        let hill = Hill::Goal(goal, classes);
        let ascend = |start: Vec<f32>| net.ascend(walk, pictures, start, hill, go_on);
        let Some(random) = self.random else {
            return ascend(pictures.to_vec());
        };
        let mut best = pictures.to_vec();
        let mut heights = vec![f32::NEG_INFINITY; classes.len()];
        for restart in 0..random.restarts as u64 {
            let stream = (restart << 32) + first;
            let start = self.random_start(pictures, pixels, random.seed, stream);
            let end = ascend(start)?;
            let reached = goal.reached(net, &end, classes)?;
            for (i, height) in reached.into_iter().enumerate() {
                if height > heights[i] {
                    heights[i] = height;
                    let image = i * pixels..(i + 1) * pixels;
                    best[image.clone()].copy_from_slice(&end[image]);
                }
            }
        }
        Ok(best)
    }

    fn walk(&self) -> Walk {
        let step_size = self.step_size.unwrap_or(2.5 * self.epsilon / self.steps as f32);
        Walk { norm: self.norm, epsilon: self.epsilon, step_size, steps: self.steps }
    }

    /// Each image at a random point of its ball; `stream`: of the first image's random numbers.
    fn random_start(&self, pictures: &[f32], pixels: usize, seed: u64, stream: u64) -> Vec<f32> {
        let mut start = pictures.to_vec();
        start.par_chunks_mut(pixels).enumerate().for_each(|(index, image)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream + index as u64);
            let mut delta = vec![0.0; pixels];
            self.norm.random_start(self.epsilon, &mut rng, &mut delta);
            for (value, delta) in image.iter_mut().zip(&delta) {
                *value = (*value + delta).clamp(0.0, 1.0);
            }
        });
        start
    }

    /// Whether every number of the attack is in its range.
    pub(crate) fn check(&self) -> Result<()> {
        let size = |number: f32| number >= 0.0 && number.is_finite();
        let (expected, found, remedy) = if !size(self.epsilon) {
            let remedy = "Give the ball's radius in pixel units of [0, 1], such as 0.5 for ℓ2.";
            ("an epsilon of 0 or more", self.epsilon.to_string(), remedy)
        } else if self.steps == 0 {
            ("one step or more", "0 steps".into(), "Ask for `.steps(20)`, or use `fgsm`.")
        } else if !size(self.walk().step_size) {
            let remedy = "Leave the step size out to have 2.5 · epsilon / steps.";
            ("a step size of 0 or more", self.walk().step_size.to_string(), remedy)
        } else if self.random.is_some_and(|random| random.restarts == 0) {
            let remedy = "Leave random_starts out to start at the picture itself.";
            ("one restart or more", "0 restarts".into(), remedy)
        } else {
            return Ok(());
        };
        Err(Error::invalid(expected, found, remedy))
    }
}

impl Attack for Pgd {
    fn norm(&self) -> Norm {
        self.norm
    }

    fn epsilon(&self) -> f32 {
        self.epsilon
    }

    fn perturb(&self, net: &Net, images: &Images, labels: &[usize]) -> Result<Images> {
        Pgd::perturb(self, net, images, labels)
    }
}

/// The fast gradient sign method: one ℓ∞ step of size epsilon (Goodfellow et al., 2014).
pub fn fgsm(epsilon: f32) -> Pgd {
    Pgd::linf(epsilon).steps(1).step_size(epsilon)
}

/// One line that names every number: `PGD ℓ2 0.5, 100 steps of 0.1`.
impl fmt::Display for Pgd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Walk { norm, epsilon, step_size, steps } = self.walk();
        write!(f, "PGD {} {epsilon}, {steps} steps of {step_size}", norm.symbol())?;
        if self.loss != Loss::CrossEntropy {
            write!(f, ", {} loss", self.loss.name())?;
        }
        match self.random {
            Some(random) => {
                write!(f, ", {} random starts (seed {})", random.restarts, random.seed)
            }
            None => Ok(()),
        }
    }
}
