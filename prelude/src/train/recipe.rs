//! Every hyper-parameter of a training, by name.

use super::Schedule;
use crate::attack::Pgd;
use crate::data::Augment;
use crate::{Error, Result, Scale};
use std::fmt;
use std::path::PathBuf;

crate::show::shows_as_text!(Recipe);

/// Every hyper-parameter of a training. The fields are public: an experiment edits them directly.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// What the recipe is for: `standard`, `D_det`.
    pub name: String,
    /// How often each image is seen.
    pub epochs: usize,
    /// How many images a step averages over.
    pub batch: usize,
    /// The learning rate that `schedule` takes shares of.
    pub learning_rate: f32,
    /// How the learning rate moves.
    pub schedule: Schedule,
    /// Share of the last step that goes into the next, in [0, 1).
    pub momentum: f32,
    /// Pulls every parameter toward 0: added to its gradient times the parameter.
    pub weight_decay: f32,
    /// What happens to a picture before the net sees it.
    pub augment: Augment,
    /// What moves each batch away from its labels before the net learns it: adversarial training.
    pub adversary: Option<Pgd>,
    /// How many images of the training set are held out to watch accuracy on.
    pub validation: usize,
    /// Of the order of images, their augmentation and the validation split.
    pub seed: u64,
    /// A file that keeps the state as the training goes, and that a broken run goes on from.
    pub checkpoint: Option<PathBuf>,
}

impl Recipe {
    /// Standard training on the original images. Paper: C.1 and C.2.
    ///
    /// Demo: 10 epochs, one cycle up to 0.2. Paper: 150 epochs at 0.1, a tenth every 50, and every image
    /// is learned. The paper prints no table for this net and nowhere a number of epochs: these are the
    /// defaults of its authors' library for CIFAR-10, as are momentum, weight decay and batch, which
    /// Table 3 repeats for the other sets.
    pub fn standard(scale: Scale) -> Self {
        let recipe = Self {
            name: "standard".into(),
            epochs: 10,
            batch: 128,
            learning_rate: 0.2,
            schedule: Schedule::OneCycle { warm_up: 0.25 },
            momentum: 0.9,
            weight_decay: 5e-4,
            augment: Augment::crop_and_flip(),
            adversary: None,
            validation: 1000,
            seed: 0,
            checkpoint: None,
        };
        match scale {
            Scale::Demo => recipe,
            Scale::Paper => Self { augment: Augment::published(), ..recipe.of_the_paper(0.1) },
        }
    }

    /// Standard training on D_det. Paper: Table 3 (rate 0.1, batch 128, with drops, no augmentation,
    /// momentum 0.9, weight decay 5e-4); epochs and drops are the library's.
    ///
    /// Demo: 20 epochs, one cycle up to 0.1, twice the usual weight decay.
    pub fn d_det(scale: Scale) -> Self {
        let standard = Self::standard(scale);
        let recipe = Self { name: "D_det".into(), augment: Augment::none(), ..standard };
        match scale {
            Scale::Demo => Self { epochs: 20, learning_rate: 0.1, weight_decay: 1e-3, ..recipe },
            Scale::Paper => recipe.of_the_paper(0.1),
        }
    }

    /// Standard training on D_rand. Paper: Table 3 (rate 0.01, batch 128, with drops, with augmentation,
    /// momentum 0.9, weight decay 5e-4); epochs and drops are the library's.
    ///
    /// Demo: 15 epochs, one cycle up to 0.1, no augmentation.
    pub fn d_rand(scale: Scale) -> Self {
        let recipe = Self { name: "D_rand".into(), ..Self::standard(scale) };
        match scale {
            Scale::Demo => {
                Self { epochs: 15, learning_rate: 0.1, augment: Augment::none(), ..recipe }
            }
            Scale::Paper => recipe.of_the_paper(0.01),
        }
    }

    /// Adversarial training (Madry et al., 2018): the net learns each batch as an attack on the net of
    /// that moment has left it. Paper: C.3 and Table 4 (ℓ2 0.5, 7 steps of a fifth of it, no random
    /// start).
    ///
    /// Demo: 15 epochs, one cycle up to 0.2. Paper: everything else as in [`Recipe::standard`], by the
    /// library's defaults.
    pub fn robust(scale: Scale) -> Self {
        let standard = Self { name: "robust".into(), ..Self::standard(scale) };
        let recipe = standard.adversary(Pgd::l2(0.5).steps(7).step_size(0.1));
        match scale {
            Scale::Demo => recipe.epochs(15),
            Scale::Paper => recipe,
        }
    }

    /// Standard training on D_R or D_NR. Paper: Table 3 (rate 0.1, batch 128, with drops, with augmentation,
    /// momentum 0.9, weight decay 5e-4); epochs and drops are the library's.
    ///
    /// Demo: 15 epochs, one cycle up to 0.1.
    pub fn d_r(scale: Scale) -> Self {
        let recipe = Self { name: "D_R".into(), ..Self::standard(scale) };
        match scale {
            Scale::Demo => Self { epochs: 15, learning_rate: 0.1, ..recipe },
            Scale::Paper => recipe,
        }
    }

    /// The epochs and the drops of the authors' library for CIFAR-10, and no image held out.
    fn of_the_paper(self, learning_rate: f32) -> Self {
        let schedule = Schedule::Step { every: 50, factor: 0.1 };
        Self { epochs: 150, learning_rate, schedule, validation: 0, ..self }
    }

    /// The same recipe with another number of epochs.
    pub fn epochs(self, epochs: usize) -> Self {
        Self { epochs, ..self }
    }

    /// The same recipe in `epochs` at most, with its drops of the rate at the same shares of them.
    pub fn shortened(self, epochs: usize) -> Self {
        let fewer = epochs.min(self.epochs);
        Self { schedule: self.schedule.stretched(self.epochs, fewer), epochs: fewer, ..self }
    }

    /// The same recipe with another augmentation.
    pub fn augment(self, augment: Augment) -> Self {
        Self { augment, ..self }
    }

    /// The same recipe with adversarial training against this attack.
    pub fn adversary(self, adversary: Pgd) -> Self {
        Self { adversary: Some(adversary), ..self }
    }

    /// The same recipe with another seed.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The same recipe, with the state of its training kept in a file.
    pub fn checkpoint(self, path: impl Into<PathBuf>) -> Self {
        Self { checkpoint: Some(path.into()), ..self }
    }

    /// Whether every number is in its range for a set of `images`.
    pub(crate) fn check(&self, images: usize) -> Result<()> {
        let (expected, found) = if self.epochs == 0 {
            ("one epoch or more", "0 epochs".to_string())
        } else if self.batch == 0 {
            ("one image a batch or more", "a batch of 0".to_string())
        } else if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            ("a learning rate above 0", self.learning_rate.to_string())
        } else if !(0.0..1.0).contains(&self.momentum) {
            ("a momentum of at least 0 and below 1", self.momentum.to_string())
        } else if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            ("a weight decay of 0 or more", self.weight_decay.to_string())
        } else if self.validation >= images {
            let found = format!("a validation of {} from {images} images", self.validation);
            ("fewer images held out for validation than there are", found)
        } else {
            self.adversary.as_ref().map_or(Ok(()), Pgd::check)?;
            return self.schedule.check();
        };
        Err(Error::invalid(expected, found, "Change that field of the recipe."))
    }
}

/// One line that names every hyper-parameter.
impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} epochs, batch {}, rate {} ({}), momentum {}, weight decay {}, {}, {} held out, seed {}",
            self.name,
            self.epochs,
            self.batch,
            self.learning_rate,
            self.schedule,
            self.momentum,
            self.weight_decay,
            self.augment,
            self.validation,
            self.seed,
        )?;
        self.adversary.as_ref().map_or(Ok(()), |adversary| write!(f, ", against {adversary}"))
    }
}
