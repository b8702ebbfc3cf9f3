//! How large an experiment is.

use crate::{Error, Result};

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
        match std::env::var("ERM_SCALE").unwrap_or_default().as_str() {
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
