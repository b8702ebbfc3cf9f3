//! One image's way through Auto-PGD. Croce and Hein, "Reliable evaluation of adversarial robustness
//! with an ensemble of diverse parameter-free attacks", 2020, section 4.1; the order of a step and the
//! rounding of the checkpoints are those of their program.

use super::{Loss, Norm};
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
    pub steps: usize,
}

impl Plan {
    /// A share of all steps, at least one.
    fn share(self, share: f32) -> usize {
        ((share * self.steps as f32) as usize).max(1)
    }
}

/// One image under attack.
pub(super) struct Trial {
    pub label: usize,
    /// Where it is.
    pub x: Vec<f32>,
    /// Whether the net has seen it as another class than its label; `x` then stays there.
    pub is_across: bool,
    center: Vec<f32>,
    /// Where it was before.
    last: Vec<f32>,
    gradient: Vec<f32>,
    best: Best,
    step_size: f32,
    loss: f32,
    check: Checkpoint,
}

/// The place of the highest loss so far.
struct Best {
    loss: f32,
    x: Vec<f32>,
    gradient: Vec<f32>,
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

impl Trial {
    /// An image at a random point of its ball.
    pub fn start(plan: Plan, picture: &[f32], label: usize, rng: &mut ChaCha8Rng) -> Trial {
        let mut delta = vec![0.0; picture.len()];
        match plan.norm {
            Norm::L2 => delta.fill_with(|| StandardNormal.sample(rng)),
            Norm::Linf => delta.fill_with(|| rng.gen_range(-1.0..=1.0)),
        }
        // On the ball's surface, as their program starts.
        let scale = plan.epsilon / plan.norm.size(&delta).max(1e-12);
        let moved = picture.iter().zip(&delta).map(|(x, d)| (x + scale * d).clamp(0.0, 1.0));
        let x: Vec<f32> = moved.collect();
        let best = Best { loss: f32::NEG_INFINITY, x: x.clone(), gradient: vec![] };
        let length = plan.share(0.22);
        let best_loss = f32::NEG_INFINITY;
        Trial {
            label,
            is_across: false,
            center: picture.to_vec(),
            last: x.clone(),
            x,
            gradient: vec![],
            best,
            step_size: 2.0 * plan.epsilon,
            loss: f32::NEG_INFINITY,
            check: Checkpoint { length, done: 0, risen: 0, best: best_loss, has_halved: true },
        }
    }

    /// Takes note of what the net says of `x` after so many steps.
    pub fn look(&mut self, plan: Plan, loss: Loss, logits: &[f32], gradient: &[f32], steps: usize) {
        if judge::highest(logits.iter().copied()) != self.label {
            self.is_across = true;
            return;
        }
        let before = std::mem::replace(&mut self.loss, loss.value(logits, self.label));
        self.gradient = gradient.to_vec();
        if self.loss > self.best.loss {
            self.best.loss = self.loss;
            self.best.x.clone_from(&self.x);
            self.best.gradient.clone_from(&self.gradient);
        }
        if steps == 0 {
            self.check.best = self.best.loss;
            return;
        }
        self.check.done += 1;
        self.check.risen += usize::from(self.loss > before);
        if self.check.done == self.check.length {
            self.checkpoint(plan);
        }
    }

    /// Halves the step where the loss rises too seldom, or where nothing was gained with a step that is
    /// still as long as before, and goes on from the best place.
    fn checkpoint(&mut self, plan: Plan) {
        let check = &mut self.check;
        let oscillates = check.risen as f32 <= RISEN * check.length as f32;
        let stands_still = !check.has_halved && check.best >= self.best.loss;
        check.has_halved = oscillates || stands_still;
        check.best = self.best.loss;
        if check.has_halved {
            self.step_size /= 2.0;
            self.x.clone_from(&self.best.x);
            self.gradient.clone_from(&self.best.gradient);
        }
        check.length = check.length.saturating_sub(plan.share(0.03)).max(plan.share(0.06));
        (check.done, check.risen) = (0, 0);
    }

    /// The step after so many others, if it is not the end.
    pub fn advance(&mut self, plan: Plan, steps: usize) {
        if self.is_across || steps == plan.steps {
            return;
        }
        let new = if steps == 0 { 1.0 } else { NEW };
        plan.norm.steepest(&mut self.gradient);
        let aim: Vec<f32> =
            self.x.iter().zip(&self.gradient).map(|(x, g)| x + self.step_size * g).collect();
        let aim = self.within(plan, aim);
        let mixed = self
            .x
            .iter()
            .zip(&aim)
            .zip(&self.last)
            .map(|((x, aim), last)| x + new * (aim - x) + (1.0 - new) * (x - last));
        let next = self.within(plan, mixed.collect());
        self.last = std::mem::replace(&mut self.x, next);
    }

    /// The nearest point in the ball, then in [0, 1].
    fn within(&self, plan: Plan, mut x: Vec<f32>) -> Vec<f32> {
        x.iter_mut().zip(&self.center).for_each(|(x, center)| *x -= center);
        plan.norm.project(plan.epsilon, &mut x);
        x.iter_mut().zip(&self.center).for_each(|(x, center)| *x = (*x + center).clamp(0.0, 1.0));
        x
    }

    /// Where the attack ends: across, or else at the highest loss.
    pub fn end(&self) -> &[f32] {
        if self.is_across { &self.x } else { &self.best.x }
    }
}
