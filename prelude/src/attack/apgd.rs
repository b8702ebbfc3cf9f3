//! Auto-PGD: projected gradient ascent that finds its step sizes itself.

use super::trial::Trial;
use super::{Attack, Loss, Norm, Ready, Search};
use crate::data::Images;
use crate::net::Net;
use crate::show::Progress;
use crate::{Error, Result, judge};
use ndarray::Array4;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use std::fmt;

crate::show::shows_as_text!(Apgd);

/// How many images go through the net at once.
const BATCH: usize = 128;

const REMEDY: &str = "Run the cell again to attack all of them, or attack fewer.";

/// Auto-PGD in a ball around each picture (Croce and Hein, 2020): 100 steps from each of five random
/// starts, until told otherwise.
///
/// Steps have momentum and are halved where they no longer help. An image that the net already sees
/// wrongly stays as it is, and one that was moved across is not attacked again. Use it for a figure
/// that is called robust accuracy: a short PGD flatters.
#[derive(Clone, Debug, PartialEq)]
pub struct Apgd {
    pub(super) norm: Norm,
    pub(super) epsilon: f32,
    pub(super) steps: usize,
    restarts: usize,
    seed: u64,
    pub(super) loss: Loss,
}

impl Apgd {
    /// In the ball `‖δ‖₂ ≤ epsilon`.
    pub fn l2(epsilon: f32) -> Self {
        let loss = Loss::CrossEntropy;
        Self { norm: Norm::L2, epsilon, steps: 100, restarts: 5, seed: 0, loss }
    }

    /// In the ball `‖δ‖∞ ≤ epsilon`.
    pub fn linf(epsilon: f32) -> Self {
        Self { norm: Norm::Linf, ..Self::l2(epsilon) }
    }

    /// How many gradient steps a restart has, at least one.
    pub fn steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    /// How many random points of the ball it starts from, at least one.
    pub fn restarts(self, restarts: usize) -> Self {
        Self { restarts, ..self }
    }

    /// Of the random starts: an image's depend on it and on its place among the images alone.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Makes this loss larger instead of the cross-entropy.
    pub fn loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// The places among `of` of the images that the net sees as their label says.
    fn standing(
        net: &dyn Ready,
        pictures: &[f32],
        labels: &[usize],
        of: &[usize],
    ) -> Result<Vec<usize>> {
        let logits = net.logits(pictures)?;
        let rows = logits.chunks(logits.len() / labels.len());
        let seen = rows.zip(labels).zip(of);
        let right = seen.filter(|((row, label), _)| judge::highest(row.iter().copied()) == **label);
        Ok(right.map(|(_, place)| *place).collect())
    }

    /// One restart of a batch `(n, pixels)` of images with these places among all: where they end, and
    /// whether that is across.
    fn batch(
        &self,
        net: &dyn Ready,
        pictures: &[f32],
        labels: &[usize],
        places: &[usize],
        restart: usize,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<(Vec<f32>, Vec<bool>)> {
        let Self { norm, epsilon, loss, .. } = *self;
        let pixels = pictures.len() / labels.len();
        let starts = pictures.par_chunks(pixels).zip(places).map(|(picture, place)| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(((restart as u64) << 32) + *place as u64);
            self.start(picture, &mut rng)
        });
        let starts = starts.collect::<Vec<_>>().concat();
        let mut trials: Vec<Trial> = labels.iter().map(|label| Trial::new(self, *label)).collect();
        let mut decide = |open: &[usize], logits: &[f32]| {
            go_on()?;
            let rows = logits.chunks(logits.len() / open.len());
            Ok(open.iter().zip(rows).map(|(n, row)| trials[*n].next(self, row)).collect())
        };
        let centers = pictures;
        let search = Search { norm, epsilon, loss, classes: labels, centers, starts: &starts };
        let ends = net.search(&search, &mut decide)?;
        Ok((ends, trials.iter().map(|trial| trial.is_across).collect()))
    }

    fn check(&self, net: &Net) -> Result<()> {
        self.loss.check(net.architecture.classes)?;
        let (expected, found) = if !(self.epsilon >= 0.0 && self.epsilon.is_finite()) {
            ("an epsilon of 0 or more", self.epsilon.to_string())
        } else if self.steps == 0 {
            ("one step or more", "0 steps".to_owned())
        } else if self.restarts == 0 {
            ("one restart or more", "0 restarts".to_owned())
        } else {
            return Ok(());
        };
        Err(Error::invalid(expected, found, "Change that number of the attack."))
    }
}

impl Attack for Apgd {
    fn norm(&self) -> Norm {
        self.norm
    }

    fn epsilon(&self) -> f32 {
        self.epsilon
    }

    fn perturb(&self, net: &Net, images: &Images, labels: &[usize]) -> Result<Images> {
        self.check(net)?;
        net.check(images, Some(labels))?;
        let (ready, pixels) = (net.ready()?, images.pixels());
        let every: Vec<usize> = (0..images.len()).collect();
        let mut out = images.batch(&every).into_raw_vec_and_offset().0;
        let mut standing = Vec::new();
        for places in every.chunks(BATCH) {
            let range = places[0]..places[0] + places.len();
            let pictures = &out[range.start * pixels..range.end * pixels];
            standing.extend(Self::standing(&*ready, pictures, &labels[range], places)?);
        }
        let progress =
            Progress::start_quietly(&self.to_string(), "images", standing.len() * self.restarts);
        let go_on = || progress.stop_if_interrupted(REMEDY);
        for restart in 0..self.restarts {
            let mut left = Vec::new();
            for places in standing.chunks(BATCH) {
                let pictures = images.batch(places);
                let pictures = pictures.as_slice().expect("a batch is contiguous");
                let classes: Vec<usize> = places.iter().map(|place| labels[*place]).collect();
                let (ends, across) =
                    self.batch(&*ready, pictures, &classes, places, restart, &go_on)?;
                let ends = ends.chunks(pixels).zip(across);
                for (place, (end, is_across)) in places.iter().zip(ends) {
                    out[place * pixels..(place + 1) * pixels].copy_from_slice(end);
                    left.extend((!is_across).then_some(*place));
                }
                progress.advance(places.len());
            }
            progress.skip((standing.len() - left.len()) * (self.restarts - restart - 1));
            standing = left;
        }
        let [n, channels, height, width] = images.shape();
        let array = Array4::from_shape_vec((n, channels, height, width), out);
        Ok(Images::Floats(array.expect("every image is there once")))
    }
}

/// One line that names every number: `APGD ℓ2 0.5, cross-entropy, 100 steps, 5 restarts (seed 0)`.
impl fmt::Display for Apgd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { norm, epsilon, steps, restarts, seed, loss } = self;
        let (norm, loss) = (norm.symbol(), loss.name());
        write!(f, "APGD {norm} {epsilon}, {loss}, {steps} steps, {restarts} restarts (seed {seed})")
    }
}
