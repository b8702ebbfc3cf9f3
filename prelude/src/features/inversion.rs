//! Feature inversion: a picture that a net reads like another one.

use super::build::Maker;
use crate::attack::{Hill, Norm, Ready, Walk};
use crate::data::{Dataset, Images};
use crate::net::Net;
use crate::show::Progress;
use crate::{Error, Result};
use ndarray::Array4;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use std::fmt;

crate::show::shows_as_text!(Inversion);

/// How many images go through the net at once. A GPU moves four at a time.
const BATCH: usize = 200;
/// The mean of the noise, and its deviation.
const NOISE: (f32, f32) = (0.5, 0.05);

const REMEDY: &str =
    "Run the cell again to invert all of them, or invert fewer, or in fewer steps.";

/// Descent on `‖g(z) − g(x)‖₂` over pictures `z` in [0, 1], where `g(x)` is the representation of an
/// image: what the penultimate layer gives. Paper: C.4, Fig. 5 and Table 5.
///
/// Each step moves the picture by `step_size`, as an ℓ2 length in pixel units of [0, 1], along the
/// gradient, then back into [0, 1]. The start depends on the seed and on the image's place alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Inversion {
    start: Start,
    steps: usize,
    step_size: f32,
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Images,
    Noise,
}

impl Inversion {
    /// From other images of the same set, drawn without a look at the labels. The paper's 1000 steps of
    /// 0.1, until told otherwise.
    pub fn from_images(seed: u64) -> Self {
        Self { start: Start::Images, steps: 1000, step_size: 0.1, seed }
    }

    /// From grey with a little noise. The paper's 10 000 steps of 0.1, until told otherwise. Paper: D.1.
    pub fn from_noise(seed: u64) -> Self {
        Self { start: Start::Noise, steps: 10_000, step_size: 0.1, seed }
    }

    /// How many gradient steps; none leaves the start.
    pub fn steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    /// How many gradient steps it takes.
    pub fn number_of_steps(&self) -> usize {
        self.steps
    }

    /// How far each step goes.
    pub fn step_size(self, step_size: f32) -> Self {
        Self { step_size, ..self }
    }

    /// The first `images` of a set, inverted; `(images, 3, height, width)` in [0, 1], as floats. They are those
    /// that [`d_r`](super::d_r) has in their places.
    ///
    /// # Errors
    /// If a number is out of range, if the set has fewer images or does not fit the net, or if the user
    /// interrupts it.
    pub fn invert(&self, net: &Net, set: &Dataset, images: usize) -> Result<Images> {
        self.check(net)?;
        set.check()?;
        net.check(&set.images, None)?;
        if images == 0 || images > set.len() {
            let expected = format!("between 1 and {} images", set.len());
            return Err(Error::invalid(expected, images.to_string(), "Ask for others."));
        }
        let ready = net.ready()?;
        let progress = Progress::start_quietly(&self.to_string(), "images", images);
        let go_on = || progress.stop_if_interrupted(REMEDY);
        let mut values = Vec::new();
        for batch in (0..images).collect::<Vec<_>>().chunks(BATCH) {
            values.extend(self.make(&*ready, set, batch, &[], &go_on)?);
            progress.advance(batch.len());
        }
        let [_, channels, height, width] = set.images.shape();
        let array = Array4::from_shape_vec((images, channels, height, width), values);
        Ok(Images::Floats(array.expect("every image was inverted once")))
    }

    /// Where the descent for the image at `index` starts.
    fn beginning(&self, set: &Dataset, index: usize, picture: &mut [f32]) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(index as u64);
        match self.start {
            Start::Images => set.images.copy_into(rng.gen_range(0..set.len()), picture),
            Start::Noise => picture.fill_with(|| {
                let noise: f32 = StandardNormal.sample(&mut rng);
                (NOISE.0 + NOISE.1 * noise).clamp(0.0, 1.0)
            }),
        }
    }
}

impl Maker for Inversion {
    fn check(&self, _: &Net) -> Result<()> {
        if self.step_size >= 0.0 && self.step_size.is_finite() {
            return Ok(());
        }
        let remedy = "Give an ℓ2 length in pixel units of [0, 1], such as 0.1.";
        Err(Error::invalid("a step size of 0 or more", self.step_size.to_string(), remedy))
    }

    fn make(
        &self,
        net: &dyn Ready,
        set: &Dataset,
        indices: &[usize],
        _: &[usize],
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<Vec<f32>> {
        let pixels = set.images.pixels();
        let originals = set.images.batch(indices);
        let aims = net.representations(originals.as_slice().expect("a batch is contiguous"))?;
        let mut starts = vec![0.0; indices.len() * pixels];
        let pictures = starts.par_chunks_mut(pixels).zip(indices);
        pictures.for_each(|(picture, index)| self.beginning(set, *index, picture));
        let (step_size, steps) = (self.step_size, self.steps);
        let walk = Walk { norm: Norm::L2, epsilon: f32::INFINITY, step_size, steps };
        // Up is toward the aim. A step has its own length, so the distance itself has no say.
        net.ascend(walk, &starts, starts.clone(), Hill::Toward(&aims), go_on)
    }
}

/// One line that names every number: `inversion from other images, 100 steps of 0.1 (seed 0)`.
impl fmt::Display for Inversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, steps, step_size, seed } = self;
        let start = match start {
            Start::Images => "other images",
            Start::Noise => "noise",
        };
        write!(f, "inversion from {start}, {steps} steps of {step_size} (seed {seed})")
    }
}
