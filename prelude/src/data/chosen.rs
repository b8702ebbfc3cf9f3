//! Which data set a notebook runs on.

use super::Data;
use crate::{Error, Result};

impl Data {
    /// The data set that `erm run --data` chose (`ERM_DATASET`): `cifar10` or `see-far`.
    ///
    /// Where nobody chose it is CIFAR-10 if that is on this machine, else See-Far, which needs no
    /// download.
    ///
    /// # Errors
    /// If `ERM_DATASET` is something else, or CIFAR-10 is damaged or cannot be fetched.
    pub fn chosen() -> Result<Data> {
        match std::env::var("ERM_DATASET").unwrap_or_default().as_str() {
            "" => Ok(Self::cifar10_at_hand()?.unwrap_or_else(Self::see_far)),
            "cifar10" => Self::cifar10(),
            "see-far" => Ok(Self::see_far()),
            other => Err(Error::invalid(
                "ERM_DATASET to be cifar10 or see-far",
                other,
                "Choose with `erm run --data see-far`.",
            )),
        }
    }
}
