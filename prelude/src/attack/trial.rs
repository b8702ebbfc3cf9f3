//! How one image's Auto-PGD decides what to do next. Croce and Hein, "Reliable evaluation of adversarial
//! robustness with an ensemble of diverse parameter-free attacks", 2020, section 4.1; the order of a step
//! and the rounding of the checkpoints are those of their program.

use super::{Loss, Move, Norm, Step};
use crate::judge;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// How much of a step is new, the rest goes on as the last one did.
const NEW: f32 = 0.75;
/// The share of steps that must have risen since the last checkpoint.
const RISEN: f32 = 0.75;

/// What all images of an attack have in common.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub norm: Norm,
    pub epsilon: f32,
    pub loss: Loss,
    pub steps: usize,
}

/// One image under attack.
pub(super) struct Trial {
    label: usize,
    /// Whether the net has seen it as another class than its label.
    pub is_across: bool,
    /// How often the net was asked about it.
    looks: usize,
    loss: f32,
    /// The highest loss so far.
    best: f32,
    step_size: f32,
    check: Checkpoint,
}

/// When the step size is looked at next, and what was so the last time.
struct Checkpoint {
    /// Steps from the last checkpoint to the next.
    length: usize,
    done: usize,
    risen: usize,
    best: f32,
    has_halved: bool,
}

impl Plan {
    /// A random point of a picture's ball.
    pub fn start(self, picture: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
        let mut delta = vec![0.0; picture.len()];
        match self.norm {
            Norm::L2 => delta.fill_with(|| StandardNormal.sample(rng)),
            Norm::Linf => delta.fill_with(|| rng.gen_range(-1.0..=1.0)),
        }
        // On the ball's surface, as their program starts.
        let scale = self.epsilon / self.norm.size(&delta).max(1e-12);
        picture.iter().zip(&delta).map(|(x, d)| (x + scale * d).clamp(0.0, 1.0)).collect()
    }

    /// A share of all steps, at least one.
    fn share(self, share: f32) -> usize {
        ((share * self.steps as f32) as usize).max(1)
    }
}

impl Trial {
    pub fn new(plan: Plan, label: usize) -> Trial {
        let lowest = f32::NEG_INFINITY;
        let length = plan.share(0.22);
        Trial {
            label,
            is_across: false,
            looks: 0,
            loss: lowest,
            best: lowest,
            step_size: 2.0 * plan.epsilon,
            check: Checkpoint { length, done: 0, risen: 0, best: lowest, has_halved: true },
        }
    }

    /// What it does where the net says this of it. It ends across, or else at the highest loss.
    pub fn next(&mut self, plan: Plan, logits: &[f32]) -> Move {
        if judge::highest(logits.iter().copied()) != self.label {
            self.is_across = true;
            return Move::STAY;
        }
        let before = std::mem::replace(&mut self.loss, plan.loss.value(logits, self.label));
        let notes = self.loss > self.best;
        if notes {
            self.best = self.loss;
        }
        // The first look is at the start.
        let steps = self.looks;
        self.looks += 1;
        let returns = match steps {
            0 => {
                self.check.best = self.best;
                false
            }
            _ => self.has_to_return(plan, before),
        };
        if steps == plan.steps {
            return Move { notes, returns: true, step: None };
        }
        let fresh = if steps == 0 { 1.0 } else { NEW };
        Move { notes, returns, step: Some(Step { size: self.step_size, fresh }) }
    }

    /// Takes note of a step; at a checkpoint, halves the step size where the loss rises too seldom, or
    /// where nothing was gained with a step that is still as long as before.
    fn has_to_return(&mut self, plan: Plan, before: f32) -> bool {
        let check = &mut self.check;
        check.done += 1;
        check.risen += usize::from(self.loss > before);
        if check.done < check.length {
            return false;
        }
        let oscillates = check.risen as f32 <= RISEN * check.length as f32;
        let stands_still = !check.has_halved && check.best >= self.best;
        check.has_halved = oscillates || stands_still;
        check.best = self.best;
        if check.has_halved {
            self.step_size /= 2.0;
        }
        check.length = check.length.saturating_sub(plan.share(0.03)).max(plan.share(0.06));
        (check.done, check.risen) = (0, 0);
        check.has_halved
    }
}
