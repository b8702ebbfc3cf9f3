//! The way that Auto-PGD walks: each picture with a step size of its own, momentum, and a best place to
//! go back to. What a picture does next is decided elsewhere, from its logits alone.

use super::{Hill, Ready};
use crate::Result;
use crate::attack::{Goal, Loss, Norm};
use rayon::prelude::*;

/// Pictures that go up a loss, each within the ball around its center and within [0, 1].
pub(crate) struct Search<'a> {
    pub norm: Norm,
    pub epsilon: f32,
    pub loss: Loss,
    /// The right class of each picture.
    pub classes: &'a [usize],
    /// `(n, pixels)`.
    pub centers: &'a [f32],
    /// `(n, pixels)`.
    pub starts: &'a [f32],
}

/// Says what pictures of these numbers do next, given their logits, a row each. At first a picture notes
/// its place, unless it is at its end there.
pub(crate) type Decide<'a> = dyn FnMut(&[usize], &[f32]) -> Result<Vec<Move>> + 'a;

/// What a picture does once the net was asked about it, in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Move {
    /// Whether its place and the gradient there are noted as the best.
    pub notes: bool,
    /// Whether it goes back to the best.
    pub returns: bool,
    /// The step from there; without one it is at its end.
    pub step: Option<Step>,
}

/// A step along the steepest direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub size: f32,
    /// How much of it is new; the rest goes on as the last one did.
    pub fresh: f32,
}

impl Move {
    /// The end, right here.
    pub const STAY: Move = Move { notes: false, returns: false, step: None };
}

/// A picture on its way.
struct Climber {
    x: Vec<f32>,
    /// Where it was before.
    last: Vec<f32>,
    gradient: Vec<f32>,
    best: Vec<f32>,
    best_gradient: Vec<f32>,
    is_open: bool,
}

/// The search with a net that is asked about pictures in this program's own memory; where each ends.
pub(super) fn search<R: Ready + ?Sized>(
    net: &R,
    search: &Search,
    decide: &mut Decide,
) -> Result<Vec<f32>> {
    let pixels = search.starts.len() / search.classes.len();
    let mut all: Vec<Climber> = search.starts.chunks(pixels).map(Climber::new).collect();
    loop {
        let open: Vec<usize> = (0..all.len()).filter(|n| all[*n].is_open).collect();
        if open.is_empty() {
            return Ok(all.into_iter().flat_map(|climber| climber.x).collect());
        }
        let x: Vec<f32> = open.iter().flat_map(|n| all[*n].x.iter().copied()).collect();
        let classes: Vec<usize> = open.iter().map(|n| search.classes[*n]).collect();
        let hill = Hill::Goal(Goal::Away(search.loss), &classes);
        let (logits, gradient) = net.look(&x, hill)?;
        let moves = decide(&open, &logits)?;
        let climbers = all.par_iter_mut().zip(search.centers.par_chunks(pixels));
        let climbers: Vec<_> = climbers.filter(|(climber, _)| climber.is_open).collect();
        let looks = gradient.par_chunks(pixels).zip(moves);
        climbers.into_par_iter().zip(looks).for_each(|((climber, center), (gradient, asked))| {
            climber.gradient = gradient.to_vec();
            climber.take(asked, search, center);
        });
    }
}

impl Climber {
    fn new(start: &[f32]) -> Self {
        Self {
            x: start.to_vec(),
            last: start.to_vec(),
            gradient: vec![],
            best: vec![],
            best_gradient: vec![],
            is_open: true,
        }
    }

    fn take(&mut self, asked: Move, search: &Search, center: &[f32]) {
        if asked.notes {
            self.best.clone_from(&self.x);
            self.best_gradient.clone_from(&self.gradient);
        }
        if asked.returns {
            self.x.clone_from(&self.best);
            self.gradient.clone_from(&self.best_gradient);
        }
        match asked.step {
            Some(step) => self.step(step, search, center),
            None => self.is_open = false,
        }
    }

    fn step(&mut self, Step { size, fresh }: Step, search: &Search, center: &[f32]) {
        search.norm.steepest(&mut self.gradient);
        let aim = self.x.iter().zip(&self.gradient).map(|(x, g)| x + size * g).collect();
        let aim = search.settled(aim, center);
        let places = self.x.iter().zip(&aim).zip(&self.last);
        let mixed =
            places.map(|((x, aim), last)| x + fresh * (aim - x) + (1.0 - fresh) * (x - last));
        let next = search.settled(mixed.collect(), center);
        self.last = std::mem::replace(&mut self.x, next);
    }
}

impl Search<'_> {
    /// The nearest point in the ball, then in [0, 1].
    fn settled(&self, mut x: Vec<f32>, center: &[f32]) -> Vec<f32> {
        x.iter_mut().zip(center).for_each(|(x, center)| *x -= center);
        self.norm.project(self.epsilon, &mut x);
        x.iter_mut().zip(center).for_each(|(x, center)| *x = (*x + center).clamp(0.0, 1.0));
        x
    }
}
