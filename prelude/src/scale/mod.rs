//! How large an experiment is.

mod transfer;

pub use transfer::{Contender, TransferSizes};

use crate::attack::Pgd;
use crate::data::Data;
use crate::features::Inversion;
use crate::train::Recipe;
use crate::{Error, Result};
use std::fmt;

crate::show::shows_as_text!(Scale);

/// Two sizes of every experiment; a figure always says which one it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// What a laptop does in minutes, with recipes found on a validation split.
    Demo,
    /// The paper's own steps, epochs and images.
    Paper,
}

impl Scale {
    /// What `erm run --scale` chose (`ERM_SCALE`); demo where nobody did.
    ///
    /// # Errors
    /// If `ERM_SCALE` is neither `demo` nor `paper`.
    pub fn chosen() -> Result<Self> {
        Self::named(&std::env::var("ERM_SCALE").unwrap_or_default())
    }

    fn named(name: &str) -> Result<Self> {
        match name {
            "" | "demo" => Ok(Self::Demo),
            "paper" => Ok(Self::Paper),
            other => Err(Error::invalid(
                "ERM_SCALE to be demo or paper",
                other,
                "Choose with `erm run --scale demo`.",
            )),
        }
    }

    /// `demo` or `paper`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Paper => "paper",
        }
    }
}

/// `demo` or `paper`.
impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An experiment's sizes and recipes: the same cells run small on a laptop and large on a GPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    /// The width of every net.
    pub width: usize,
    /// How many training images a built set starts from.
    pub images: usize,
    /// The attack that builds D_det and D_rand. Paper: Table 6 (100 steps of 0.1 in an ℓ2 ball of 0.5).
    pub attack: Pgd,
    /// Of the teacher.
    pub teacher: Recipe,
    /// Of a student of D_det. Paper: Table 3.
    pub d_det: Recipe,
    /// Of a student of D_rand. Paper: Table 3.
    pub d_rand: Recipe,
    /// Of the robust net. Paper: Table 4.
    pub robust: Recipe,
    /// How many training images D_R and D_NR start from.
    pub inverted: usize,
    /// How many of them are also made from noise.
    pub inverted_from_noise: usize,
    /// How D_R and D_NR are made from other images. Paper: Table 5.
    pub inversion: Inversion,
    /// How they are made from noise. Paper: appendix D.1.
    pub from_noise: Inversion,
    /// Of a student of D_R or D_NR. Paper: Table 3.
    pub d_r: Recipe,
    /// How many test images the strongest attacks are tried on.
    pub attacked: usize,
}

/// From how many training images on a set counts as large: smaller ones are See-Far, or a small set
/// of somebody's own.
const LARGE: usize = 20_000;

/// Of the starts of the inversions.
const INVERSION_SEED: u64 = 3;

impl Scale {
    /// The sizes and recipes for a data set. The paper's net is a ResNet-50; here it is
    /// [`crate::net::Net::resnet`].
    ///
    /// At demo scale a small set gets the narrower net and the recipes of [`Recipe`], but its students of
    /// D_R and D_NR learn briefly and with much weight decay: where a label contradicts what is left of
    /// the picture, as on See-Far, longer learning is learning by heart, and brittle. A large one gets
    /// others, found on held-out training images: more epochs for the teacher, whose perturbations
    /// then reach their targets more often; for the students of D_det and D_rand fewer epochs on more
    /// images, more weight decay, a lower rate for those of D_rand, and mirror images for those of D_det
    /// (see [`Augment::without_crop`](crate::data::Augment::without_crop)); and for those of D_R many
    /// images and epochs, since few make a net of the originals withstand attacks by itself.
    pub fn sizes(self, data: &Data) -> Sizes {
        let all = data.train.len();
        let attack = |steps| Pgd::l2(0.5).steps(steps).step_size(0.1);
        let sizes = |width, images, attack| Sizes {
            width,
            images,
            attack,
            teacher: Recipe::standard(self).augment(data.augment),
            d_det: Recipe::d_det(self),
            d_rand: Recipe::d_rand(self),
            robust: Recipe::robust(self).augment(data.augment),
            inverted: images,
            inverted_from_noise: images,
            inversion: Inversion::from_images(INVERSION_SEED),
            from_noise: Inversion::from_noise(INVERSION_SEED),
            d_r: Recipe::d_r(self).augment(data.augment),
            attacked: data.test.len(),
        };
        let short = |inversion: Inversion| inversion.steps(100).step_size(0.2);
        match self {
            Self::Demo if all < LARGE => {
                let sizes = sizes(8, all.min(6_000), attack(10));
                Sizes {
                    robust: sizes.robust.clone().epochs(6),
                    inverted: all.min(3_000),
                    inverted_from_noise: all.min(3_000),
                    inversion: short(sizes.inversion),
                    from_noise: short(sizes.from_noise),
                    d_r: Recipe { epochs: 8, weight_decay: 5e-3, ..sizes.d_r },
                    attacked: data.test.len().min(200),
                    ..sizes
                }
            }
            Self::Demo => {
                let sizes = sizes(16, all.min(45_000), attack(12));
                let d_det = Recipe { weight_decay: 2e-3, ..sizes.d_det };
                let d_rand = Recipe { learning_rate: 0.05, weight_decay: 4e-3, ..sizes.d_rand };
                Sizes {
                    teacher: sizes.teacher.epochs(12),
                    d_det: d_det.epochs(11).augment(data.augment.without_crop()),
                    d_rand: d_rand.epochs(6),
                    inverted: all.min(20_000),
                    inverted_from_noise: all.min(5_000),
                    d_r: sizes.d_r.epochs(30),
                    inversion: short(sizes.inversion),
                    from_noise: short(sizes.from_noise),
                    attacked: data.test.len().min(500),
                    ..sizes
                }
            }
            Self::Paper => sizes(64, all, attack(100)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_chosen_by_its_name_and_demo_by_none() {
        assert_eq!(Scale::named("").unwrap(), Scale::Demo);
        for scale in [Scale::Demo, Scale::Paper] {
            assert_eq!(Scale::named(scale.name()).unwrap(), scale);
        }
        let error = Scale::named("Paper!").unwrap_err().to_string();
        assert!(error.contains("ERM_SCALE to be demo or paper, found Paper!"), "{error}");
    }
}
