//! How large an experiment is.

use crate::attack::Pgd;
use crate::data::Data;
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

/// The sizes of an experiment: the same cells run small on a laptop and large on a GPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    /// The width of every net.
    pub width: usize,
    /// How many training images a built set starts from.
    pub images: usize,
    /// The attack that builds D_det and D_rand. Paper: Table 6 (100 steps of 0.1 in an ℓ2 ball of 0.5).
    pub attack: Pgd,
}

impl Scale {
    /// The sizes for a data set. The paper's net is a ResNet-50; here it is [`crate::net::Net::resnet`].
    ///
    /// At demo scale a set of under 20 000 images gets the narrower net: it is See-Far, or a small set
    /// of somebody's own.
    pub fn sizes(self, data: &Data) -> Sizes {
        let all = data.train.len();
        let small = all < 20_000;
        let attack = |steps| Pgd::l2(0.5).steps(steps).step_size(0.1);
        match self {
            Self::Demo if small => Sizes { width: 8, images: all.min(6_000), attack: attack(10) },
            Self::Demo => Sizes { width: 16, images: 20_000, attack: attack(30) },
            Self::Paper => Sizes { width: 64, images: all, attack: attack(100) },
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
