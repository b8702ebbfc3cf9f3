//! How one image's Auto-PGD decides what to do next. Croce and Hein, "Reliable evaluation of adversarial
//! robustness with an ensemble of diverse parameter-free attacks", 2020, section 4.1; the order of a step
//! and the rounding of the checkpoints are those of their program.

use super::{Apgd, Move, Norm, Step};
use crate::judge;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// How much of a step is new, the rest goes on as the last one did.
const NEW: f32 = 0.75;
/// The share of steps that must have risen since the last checkpoint.
const RISEN: f32 = 0.75;

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

impl Apgd {
    /// A random point of a picture's ball.
    pub(super) fn start(&self, picture: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
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
    fn share(&self, share: f32) -> usize {
        ((share * self.steps as f32) as usize).max(1)
    }
}

impl Trial {
    pub fn new(attack: &Apgd, label: usize) -> Trial {
        let lowest = f32::NEG_INFINITY;
        let length = attack.share(0.22);
        Trial {
            label,
            is_across: false,
            looks: 0,
            loss: lowest,
            best: lowest,
            step_size: 2.0 * attack.epsilon,
            check: Checkpoint { length, done: 0, risen: 0, best: lowest, has_halved: true },
        }
    }

    /// What it does where the net says this of it. It ends across, or else at the highest loss.
    pub fn next(&mut self, attack: &Apgd, logits: &[f32]) -> Move {
        if judge::highest(logits.iter().copied()) != self.label {
            self.is_across = true;
            return Move::STAY;
        }
        let before = std::mem::replace(&mut self.loss, attack.loss.value(logits, self.label));
        // The first look is at the start.
        let steps = self.looks;
        self.looks += 1;
        let notes = steps == 0 || self.loss > self.best;
        if notes {
            self.best = self.loss;
        }
        let returns = match steps {
            0 => {
                self.check.best = self.best;
                false
            }
            _ => self.has_to_return(attack, before),
        };
        if steps == attack.steps {
            return Move { notes, returns: true, step: None };
        }
        let fresh = if steps == 0 { 1.0 } else { NEW };
        Move { notes, returns, step: Some(Step { size: self.step_size, fresh }) }
    }

    /// Takes note of a step; at a checkpoint, halves the step size where the loss rises too seldom, or
    /// where nothing was gained with a step that is still as long as before.
    fn has_to_return(&mut self, attack: &Apgd, before: f32) -> bool {
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
        check.length = check.length.saturating_sub(attack.share(0.03)).max(attack.share(0.06));
        (check.done, check.risen) = (0, 0);
        check.has_halved
    }
}

#[cfg(test)]
mod tests {
    use super::super::Loss;
    use super::*;

    /// What a picture does in a hundred steps in a ball of 0.5, if its loss is this after so many of them.
    fn moves(loss: impl Fn(usize) -> f32) -> Vec<Move> {
        let attack = Apgd::l2(0.5).loss(Loss::Margin);
        let mut trial = Trial::new(&attack, 0);
        let moves = (0..=100).map(|step| trial.next(&attack, &[0.0, loss(step)])).collect();
        assert!(!trial.is_across);
        moves
    }

    /// After which steps it returns to its best.
    fn returns(moves: &[Move]) -> Vec<usize> {
        (0..moves.len()).filter(|step| moves[*step].returns).collect()
    }

    #[test]
    fn a_loss_that_never_rises_halves_the_step_at_every_checkpoint_of_their_paper() {
        let moves = moves(|_| -1.0);
        assert_eq!(returns(&moves), [22, 41, 57, 70, 80, 87, 93, 99, 100]);
        let sizes: Vec<f32> = moves.iter().filter_map(|told| told.step.map(|it| it.size)).collect();
        assert_eq!(
            [sizes[0], sizes[21], sizes[22], sizes[41], sizes[99]],
            [1.0, 1.0, 0.5, 0.25, 1.0 / 256.0]
        );
        assert_eq!(sizes.len(), 100, "the last look is not followed by a step");
        assert!(moves[0].notes && !moves[1..].iter().any(|told| told.notes));
        let fresh: Vec<f32> =
            moves.iter().filter_map(|told| told.step.map(|it| it.fresh)).collect();
        assert_eq!(fresh[..3], [1.0, 0.75, 0.75]);
    }

    #[test]
    fn a_loss_that_rises_goes_on_with_long_steps() {
        let moves = moves(|step| -1.0 - 1.0 / (1.0 + step as f32));
        assert_eq!(returns(&moves), [100]);
        assert!(moves.iter().all(|told| told.notes));
        assert!(moves[..100].iter().all(|told| told.step.unwrap().size == 1.0));
    }

    #[test]
    fn a_loss_that_rises_far_below_its_best_is_given_a_second_chance() {
        // It falls in the step after the first checkpoint, and rises ever after.
        let moves = moves(|step| if step <= 22 { -2.0 } else { -9.0 } + 0.01 * step as f32);
        assert_eq!(returns(&moves), [41, 70, 87, 99, 100]);
    }

    #[test]
    fn three_quarters_of_the_steps_are_too_few_to_have_risen() {
        // Of the 16 steps behind the second checkpoint 12 rise, or 13.
        let rising = |rises: usize| {
            let fall = move |step: usize| (41 + rises..57).contains(&step);
            moves(move |step| {
                -20.0 + (0..step).map(|it| if fall(it) { -0.01 } else { 0.1 }).sum::<f32>()
            })
        };
        assert_eq!(returns(&rising(12))[0], 57);
        assert_ne!(returns(&rising(13))[0], 57);
    }

    #[test]
    fn a_picture_that_is_seen_as_another_class_stays_where_it_is() {
        let attack = Apgd::linf(0.1);
        let mut trial = Trial::new(&attack, 1);
        assert_eq!(trial.next(&attack, &[0.3, 0.2]), Move::STAY);
        assert!(trial.is_across);
    }
}
