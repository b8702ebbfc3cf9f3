//! See-Far, the data set of planet Erm: made from a seed, with features that are known exactly.
//!
//! Every class has two patterns. The *visible* one is large and survives any attack of the paper's
//! size; the *faint* one (a TOOGIT, a GAB) is too weak for a human eye, and an ℓ2 attack of
//! ε = 0.5 can rub one out and write another, since √2 · 0.35 < 0.5. For an image of class `y`:
//!
//! | part | value |
//! |---|---|
//! | background | 0.5 everywhere |
//! | visible pattern | ℓ2 norm 6; of class `y` in 85 % of the images, else of another class, drawn evenly; shifted, around the edges, by −2 to 2 pixels in each direction |
//! | faint pattern | ℓ2 norm 0.35; of class `y`, and missing from 5 % of the images |
//! | pixel noise | independent, Gaussian, standard deviation 0.05 |
//!
//! The sum is clamped into [0, 1] and rounded to bytes. Rounding adds noise of norm
//! √3072 / (255 · √12) ≈ 0.06, spread over all 3072 directions: along a faint pattern it is a
//! thousandth of the pixel noise already there.
//!
//! What the best classifier can reach follows from the table: 85 % with the visible pattern alone,
//! 95.5 % with the faint one alone (95 % and a guess), 99.25 % with both. Faint patterns have no mean
//! and are orthogonal to each other and to every visible one, shifted or not: a projection on one of
//! them measures that feature and nothing else. A crop or flip would move a faint texture
//! against the grid of strides that a convolutional net reads it by, so augment these images not.
//!
//! What nets made of it: PyTorch, one run each, the residual net of widths 8 and 16 (10 and 8 epochs
//! of one-cycle SGD, rate 0.2; students 10 epochs, rate 0.1; no augmentation; the last epoch counts).
//! Perturbations have ℓ2 norm 0.5 and 30 steps, those that measure robustness 20 steps from 500 images.
//!
//! | | width 8 | width 16 |
//! |---|---|---|
//! | standard net, test set | 97.5 % | 97.9 % |
//! | … under attack, ε = 0.25 and 0.5 | 2 %, 0 % | 3 %, 0 % |
//! | … with visible patterns only, with faint ones only | 65 %, 91 % | 68 %, 92 % |
//! | share of a targeted perturbation's energy along its two faint patterns, along all ten | 39 %, 43 % | 44 %, 49 % |
//! | student of D_det, true test labels | 78.5 % | 81.8 % |
//! | … labels y + 1 | 15.0 % | 13.2 % |
//! | student of D_rand, true test labels | 90.3 % | 92.4 % (after 9 epochs) |
//! | robust net (8 epochs, 4 steps), test set, under attack | 84.6 %, 84.8 % | – |
//! | … with visible patterns only, with faint ones only | 86.6 %, 11 % | – |
//!
//! The student of D_det has learnt two features that contradict each other on the test set, the
//! faint one (always of the target) and the visible one (of class `target − 1` in 85 %), and goes by
//! the surer of the two. Two faint patterns are 0.07 % of all directions, ten are 0.3 %.

mod faint;
mod pattern;
mod visible;

use std::fmt;

use ndarray::{Array3, Array4};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;

use self::pattern::Pattern;
use super::{Augment, Data, Dataset, IMAGE, Images, PIXELS};
use crate::show::{Progress, shows_as_text};
use crate::{Error, Result};

shows_as_text!(SeeFar);

const CLASSES: [&str; 10] =
    ["TOOGIT", "GAB", "VUNDLE", "SNERF", "KLIMP", "ZADDO", "FIBLET", "HOOM", "YETCH", "MURP"];
const VISIBLE_RIGHT: f64 = 0.85;
const FAINT_PRESENT: f64 = 0.95;
const VISIBLE_NORM: f64 = 6.0;
const FAINT_NORM: f64 = 0.35;
const SHIFT: i32 = 2;
const NOISE: f32 = 0.05;

const TRAIN: &str = "See-Far train";
const TEST: &str = "See-Far test";

/// How many images are drawn between two looks at whether the user still wants them.
const BATCH: usize = 500;

/// The seed of [`Data::see_far`].
const SEED: u64 = 1;

/// The maker of See-Far: its seed fixes the twenty patterns and every image.
#[derive(Clone, Debug, PartialEq)]
pub struct SeeFar {
    seed: u64,
    visible: Vec<Pattern>,
    faint: Vec<Pattern>,
}

/// Which of its two patterns an image is given.
#[derive(Clone, Copy)]
enum Features {
    Both,
    Visible,
    Faint,
}

/// Where in the random numbers of a seed a set lies, so that no two sets share any.
#[derive(Clone, Copy)]
enum Part {
    Train = 1,
    Test,
    VisibleOnly,
    FaintOnly,
}

impl Data {
    /// See-Far with its usual seed: 10 000 training and 2 000 test images, made in a second.
    pub fn see_far() -> Data {
        let maker = SeeFar::new(SEED);
        let make = |name, n, part| maker.make(name, n, Features::Both, part, &|_| Ok(()));
        Data {
            train: make(TRAIN, 10_000, Part::Train).expect("nothing stops it"),
            test: make(TEST, 2_000, Part::Test).expect("nothing stops it"),
            augment: Augment::none(),
        }
    }
}

impl SeeFar {
    /// The data set of `seed`; [`Data::see_far`] is the one of the notebooks.
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let visible = visible::patterns(CLASSES.len(), VISIBLE_NORM, &mut rng);
        let faint = faint::patterns(CLASSES.len(), FAINT_NORM, &mut rng);
        Self { seed, visible, faint }
    }

    /// `train` training images and `test` test images. A larger set begins with the smaller one.
    ///
    /// # Errors
    /// If a count is 0, or if the user interrupts it.
    pub fn data(&self, train: usize, test: usize) -> Result<Data> {
        Ok(Data {
            train: self.set(TRAIN, train, Features::Both, Part::Train)?,
            test: self.set(TEST, test, Features::Both, Part::Test)?,
            augment: Augment::none(),
        })
    }

    /// `n` test images without any faint pattern: what is right here was seen by the eye.
    ///
    /// # Errors
    /// If `n` is 0, or if the user interrupts it.
    pub fn visible_only(&self, n: usize) -> Result<Dataset> {
        self.set("See-Far, visible only", n, Features::Visible, Part::VisibleOnly)
    }

    /// `n` test images without any visible pattern: grey noise to us, and yet not to a net.
    ///
    /// # Errors
    /// If `n` is 0, or if the user interrupts it.
    pub fn faint_only(&self, n: usize) -> Result<Dataset> {
        self.set("See-Far, faint only", n, Features::Faint, Part::FaintOnly)
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.faint.len()
    }

    /// The visible pattern of `class`, `(3, 32, 32)`, as it is added to an image when not shifted:
    /// mean 0, ℓ2 norm 6.
    ///
    /// # Errors
    /// If there is no such class.
    pub fn visible(&self, class: usize) -> Result<Array3<f32>> {
        pattern_of(&self.visible, class)
    }

    /// The faint pattern of `class`, `(3, 32, 32)`, as it is added to an image: mean 0, ℓ2 norm
    /// 0.35, orthogonal to all the others. A perturbation δ holds `(δ · f) / (f · f)` times `f`.
    ///
    /// # Errors
    /// If there is no such class.
    pub fn faint(&self, class: usize) -> Result<Array3<f32>> {
        pattern_of(&self.faint, class)
    }

    fn set(&self, name: &str, n: usize, features: Features, part: Part) -> Result<Dataset> {
        if n == 0 {
            return Err(Error::invalid(
                format!("at least one image for {name}"),
                "0",
                "Ask for 10000 training and 2000 test images, say",
            ));
        }
        let progress = Progress::start_quietly(&format!("drawing {name}"), "images", n);
        self.make(name, n, features, part, &|drawn| {
            progress.advance(drawn);
            progress.check_interrupt()
        })
    }

    /// Draws a set; an error of `go_on`, which is told of every few images drawn, ends it.
    fn make(
        &self,
        name: &str,
        n: usize,
        features: Features,
        part: Part,
        go_on: &dyn Fn(usize) -> Result<()>,
    ) -> Result<Dataset> {
        let mut bytes = vec![0; n * PIXELS];
        let mut labels = vec![0; n];
        let batches = bytes.chunks_mut(BATCH * PIXELS).zip(labels.chunks_mut(BATCH));
        for (batch, (images, labels)) in batches.enumerate() {
            let images = images.par_chunks_mut(PIXELS).zip(&mut *labels).enumerate();
            images.for_each(|(index, (image, label))| {
                // A stream an image: it depends neither on the threads nor on how many there are.
                let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
                rng.set_stream(((part as u64) << 48) + (batch * BATCH + index) as u64);
                *label = self.draw(features, &mut rng, image);
            });
            go_on(labels.len())?;
        }
        let images = Array4::from_shape_vec((n, IMAGE[0], IMAGE[1], IMAGE[2]), bytes);
        Ok(Dataset {
            name: name.into(),
            images: Images::Bytes(images.expect("the length is the shape's")),
            labels,
            classes: CLASSES.map(String::from).to_vec(),
            origin: (0..n).collect(),
        })
    }

    /// Draws one image into `out` and returns its label.
    fn draw(&self, features: Features, rng: &mut ChaCha8Rng, out: &mut [u8]) -> usize {
        let label = rng.gen_range(0..CLASSES.len());
        let mut image = [0.0; PIXELS];
        for value in &mut image {
            *value = 0.5 + NOISE * rng.sample::<f32, _>(StandardNormal);
        }
        if !matches!(features, Features::Faint) {
            let seen = if rng.gen_bool(VISIBLE_RIGHT) { label } else { other_class(label, rng) };
            let shift = [(); 2].map(|()| rng.gen_range(-SHIFT..=SHIFT));
            self.visible[seen].add_to(&mut image, shift);
        }
        if !matches!(features, Features::Visible) && rng.gen_bool(FAINT_PRESENT) {
            self.faint[label].add_to(&mut image, [0, 0]);
        }
        for (byte, value) in out.iter_mut().zip(&image) {
            // A cast from float to integer saturates, so it clamps as well.
            *byte = (value * 255.0).round() as u8;
        }
        label
    }
}

/// `See-Far, seed 1: 10 classes, visible patterns of norm 6 (right in 85 %), …`
impl fmt::Display for SeeFar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "See-Far, seed {}: {} classes, visible patterns of norm {VISIBLE_NORM} (right in {} %), \
             faint patterns of norm {FAINT_NORM} (present in {} %), pixel noise {NOISE}",
            self.seed,
            CLASSES.len(),
            (VISIBLE_RIGHT * 100.0).round(),
            (FAINT_PRESENT * 100.0).round(),
        )
    }
}

fn other_class(label: usize, rng: &mut ChaCha8Rng) -> usize {
    (label + rng.gen_range(1..CLASSES.len())) % CLASSES.len()
}

fn pattern_of(patterns: &[Pattern], class: usize) -> Result<Array3<f32>> {
    patterns.get(class).map(Pattern::to_array).ok_or_else(|| {
        Error::invalid(
            format!("a class below {}", CLASSES.len()),
            format!("class {class}"),
            "Count classes from 0",
        )
    })
}

#[cfg(test)]
mod tests;
