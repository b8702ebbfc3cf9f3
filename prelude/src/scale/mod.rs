//! How large an experiment is.

mod photographs;
mod transfer;

pub use transfer::{Contender, TransferSizes};

use crate::attack::Pgd;
use crate::data::{Augment, Data, Dataset};
use crate::features::Inversion;
use crate::net::{Architecture, Net};
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
    /// What every net is: a name among [`Architecture::NAMES`]. Paper: a ResNet-50 (C.1).
    pub architecture: &'static str,
    /// The width of every net; 64 is the published one.
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

impl Sizes {
    /// A fresh net for a data set.
    ///
    /// # Errors
    /// As for [`Net::of`].
    pub fn net(&self, data: &Dataset, seed: u64) -> Result<Net> {
        let make =
            |width, image, classes| Architecture::named(self.architecture, width, image, classes);
        Net::of(make, self.width, data, seed)
    }

    /// The same sizes with another net, such as `resnet18`, which learns several times as fast as the
    /// paper's at the same width.
    ///
    /// # Errors
    /// If the name is not among [`Architecture::NAMES`].
    pub fn with(self, architecture: &str) -> Result<Self> {
        let name = Architecture::NAMES.into_iter().find(|name| *name == architecture);
        let name = name.ok_or_else(|| {
            let expected = format!("one of {}", Architecture::NAMES.join(", "));
            Error::invalid(expected, architecture, "Choose the name of an architecture.")
        })?;
        Ok(Self { architecture: name, ..self })
    }

    /// The same sizes with recipes that have so many epochs at most, see [`Recipe::shortened`].
    pub fn shortened(self, epochs: usize) -> Self {
        Self {
            teacher: self.teacher.shortened(epochs),
            d_det: self.d_det.shortened(epochs),
            d_rand: self.d_rand.shortened(epochs),
            robust: self.robust.shortened(epochs),
            d_r: self.d_r.shortened(epochs),
            ..self
        }
    }
}

impl Scale {
    /// The sizes and recipes for a data set.
    ///
    /// At the paper's scale nets are ResNet-50s of the published width, and what the paper leaves open
    /// is as in its authors' library, see [`Recipe`]'s functions; [`Sizes::with`] asks for a smaller net.
    ///
    /// At demo scale nets are [`Architecture::resnet`]. A small set gets the narrower net and the recipes
    /// of [`Recipe`], but its students of D_R and D_NR learn briefly and with much weight decay: where a
    /// label contradicts what is left of the picture, as on See-Far, longer learning is learning by
    /// heart, and brittle. A large one gets others, found on held-out training images: more epochs for
    /// the teacher, whose perturbations then reach their targets more often; for the students of D_det
    /// and D_rand fewer epochs on more images, more weight decay, a lower rate for those of D_rand, and
    /// mirror images for those of D_det (see
    /// [`Augment::without_crop`](crate::data::Augment::without_crop)); and for those of D_R many images
    /// and epochs, since few make a net of the originals withstand attacks by itself.
    ///
    /// Pictures of 64 pixels a side and more have sizes of their own: at paper scale those of Restricted
    /// ImageNet, at demo scale a trial of the machinery and no result.
    pub fn sizes(self, data: &Data) -> Sizes {
        let all = data.train.len();
        let attack = |steps| Pgd::l2(0.5).steps(steps).step_size(0.1);
        let sizes = |width, images, attack| self.plain(data, width, images, attack);
        if photographs::are(data) {
            return photographs::sizes(self, data, sizes(64, all, attack(100)));
        }
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
            Self::Paper => {
                let sizes = sizes(64, all, attack(100));
                let d_rand = self.allowed(sizes.d_rand, data);
                Sizes { architecture: "resnet50", d_rand, ..sizes }
            }
        }
    }

    /// The sizes of this scale's recipes as they are, for nets of a width and so many images.
    fn plain(self, data: &Data, width: usize, images: usize, attack: Pgd) -> Sizes {
        let allowed = |recipe| self.allowed(recipe, data);
        Sizes {
            architecture: "resnet",
            width,
            images,
            attack,
            teacher: allowed(Recipe::standard(self)),
            d_det: Recipe::d_det(self),
            d_rand: Recipe::d_rand(self),
            robust: allowed(Recipe::robust(self)),
            inverted: images,
            inverted_from_noise: images,
            inversion: Inversion::from_images(INVERSION_SEED),
            from_noise: Inversion::from_noise(INVERSION_SEED),
            d_r: allowed(Recipe::d_r(self)),
            attacked: data.test.len(),
        }
    }

    /// A recipe with the augmentation of this scale: the paper's own at its scale, unless the data set
    /// allows none, and what the data set allows at the other.
    fn allowed(self, recipe: Recipe, data: &Data) -> Recipe {
        match self {
            Self::Paper if data.augment != Augment::none() => recipe,
            Self::Paper | Self::Demo => recipe.augment(data.augment),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{DATA, says};
    use crate::train::Schedule;

    #[test]
    fn a_scale_is_chosen_by_its_name_and_demo_by_none() {
        assert_eq!(Scale::named("").unwrap(), Scale::Demo);
        for scale in [Scale::Demo, Scale::Paper] {
            assert_eq!(Scale::named(scale.name()).unwrap(), scale);
        }
        let error = Scale::named("Paper!").unwrap_err().to_string();
        assert!(error.contains("ERM_SCALE to be demo or paper, found Paper!"), "{error}");
    }

    /// A set like CIFAR-10, which may be augmented.
    fn augmented() -> Data {
        Data { augment: Augment::crop_and_flip(), ..DATA.clone() }
    }

    /// Tables 3 to 6, and what they leave open from the authors' library.
    #[test]
    fn the_papers_scale_is_that_of_its_tables() {
        let sizes = Scale::Paper.sizes(&augmented());
        assert_eq!((sizes.architecture, sizes.width), ("resnet50", 64));
        let (some, none) = (Augment::published(), Augment::none());
        for (recipe, rate, augment) in [
            (&sizes.teacher, 0.1, some),
            (&sizes.robust, 0.1, some),
            (&sizes.d_r, 0.1, some),
            (&sizes.d_rand, 0.01, some),
            (&sizes.d_det, 0.1, none),
        ] {
            assert_eq!((recipe.learning_rate, recipe.augment), (rate, augment), "{recipe}");
            assert_eq!((recipe.batch, recipe.momentum, recipe.weight_decay), (128, 0.9, 5e-4));
            assert_eq!((recipe.epochs, recipe.validation), (150, 0), "{recipe}");
            assert_eq!(recipe.schedule, Schedule::Step { every: 50, factor: 0.1 });
            let is_robust = recipe.name == "robust";
            assert_eq!(recipe.adversary.is_some(), is_robust, "{recipe}");
        }
        let texts = [
            (sizes.robust.adversary.unwrap().to_string(), "PGD ℓ2 0.5, 7 steps of 0.1"),
            (sizes.attack.to_string(), "PGD ℓ2 0.5, 100 steps of 0.1"),
            (
                sizes.inversion.to_string(),
                "inversion from other images, 1000 steps of 0.1 (seed 3)",
            ),
            (sizes.from_noise.to_string(), "inversion from noise, 10000 steps of 0.1 (seed 3)"),
        ];
        texts.iter().for_each(|(here, paper)| assert_eq!(here, paper));
        let all = (DATA.train.len(), DATA.test.len());
        assert_eq!((sizes.images, sizes.attacked), all);
        assert_eq!((sizes.inverted, sizes.inverted_from_noise), (all.0, all.0));
    }

    #[test]
    fn a_set_that_allows_no_augmentation_gets_none_at_any_scale() {
        for scale in [Scale::Demo, Scale::Paper] {
            let Sizes { teacher, robust, d_rand, d_r, .. } = scale.sizes(&DATA);
            for recipe in [teacher, robust, d_rand, d_r] {
                assert_eq!(recipe.augment, Augment::none(), "{recipe}");
            }
        }
    }

    #[test]
    fn sizes_make_their_net_or_another_one() {
        let demo = Scale::Demo.sizes(&DATA);
        assert_eq!(demo.net(&DATA.train, 1).unwrap(), Net::resnet(8, &DATA.train, 1).unwrap());
        let net = demo.with("resnet18").unwrap().net(&DATA.train, 2).unwrap();
        assert_eq!(net, Net::of(Architecture::resnet18, 8, &DATA.train, 2).unwrap());
        says(Scale::Demo.sizes(&DATA).with("resnet19"), &["one of resnet, resnet18", "resnet19"]);
    }

    #[test]
    fn shorter_sizes_shorten_every_recipe() {
        let short = Scale::Paper.sizes(&DATA).shortened(30);
        for recipe in [short.teacher, short.d_det, short.d_rand, short.robust, short.d_r] {
            assert_eq!(recipe.epochs, 30);
            assert_eq!(recipe.schedule, Schedule::Step { every: 10, factor: 0.1 });
        }
        let demo = Scale::Demo.sizes(&DATA);
        assert_eq!(demo.clone().shortened(1000), demo, "nothing becomes longer");
    }
}
