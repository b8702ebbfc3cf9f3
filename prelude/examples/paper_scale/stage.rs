//! The experiments, in the order in which they are done.

use erm::prelude::*;
use std::fmt;

/// One experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Standard training. Paper: C.2, Table 7.
    Standard,
    /// A student of D_det. Paper: section 3.2, Tables 1 and 10.
    DDet,
    /// A student of D_rand. Paper: section 3.2, Table 1.
    DRand,
    /// A student of D_rand without the images that kept their label. Not in the paper.
    DRandWrong,
    /// Adversarial training. Paper: C.3, Table 7.
    Robust,
    /// A student of D_R. Paper: section 3.1, Table 7.
    DR,
    /// A student of D_NR. Paper: section 3.1, Table 7.
    DNr,
}

impl Stage {
    const ALL: [Self; 7] = [
        Self::Standard,
        Self::DDet,
        Self::DRand,
        Self::DRandWrong,
        Self::Robust,
        Self::DR,
        Self::DNr,
    ];

    /// Those of the paper.
    pub const USUAL: [Self; 6] =
        [Self::Standard, Self::DDet, Self::DRand, Self::Robust, Self::DR, Self::DNr];

    /// The stage that makes the net which this one reads, if it reads one.
    pub fn needed(self) -> Option<Self> {
        match self {
            Self::Standard | Self::Robust => None,
            Self::DDet | Self::DRand | Self::DRandWrong | Self::DNr => Some(Self::Standard),
            Self::DR => Some(Self::Robust),
        }
    }

    /// `d_det`
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::DDet => "d_det",
            Self::DRand => "d_rand",
            Self::DRandWrong => "d_rand_wrong",
            Self::Robust => "robust",
            Self::DR => "d_r",
            Self::DNr => "d_nr",
        }
    }

    /// The stage of that name.
    pub fn named(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|stage| stage.name() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::invalid(format!("stages among {names}"), name, "See --help.")
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
