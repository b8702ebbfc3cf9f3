//! How large an experiment is.

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
