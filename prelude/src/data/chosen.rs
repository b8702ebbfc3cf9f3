//! Which data set a notebook runs on.

use super::{Data, RestrictedImageNet};
use crate::{Error, Result, Scale};
use std::ffi::OsString;

/// The pictures of Restricted ImageNet at demo scale: what the machinery can be tried with in minutes.
const SMALL: (usize, [usize; 2]) = (64, [200, 40]);

impl Data {
    /// The data set that `erm run --data` chose (`ERM_DATASET`): `cifar10`, `see-far`, or
    /// `restricted-imagenet`, whose folder `ERM_IMAGENET` names. Of the last, demo scale takes 200 training
    /// and 40 test pictures of a class with 64 pixels a side, and paper scale all of it with 224.
    ///
    /// Where nobody chose it is CIFAR-10 if that is on this machine, else See-Far, which needs no
    /// download.
    ///
    /// # Errors
    /// If `ERM_DATASET` is something else, or CIFAR-10 is damaged or cannot be fetched, or as
    /// [`RestrictedImageNet::data`] says.
    pub fn chosen() -> Result<Data> {
        Self::named(&std::env::var("ERM_DATASET").unwrap_or_default(), Scale::chosen()?)
    }

    /// The data set of a name at a scale, as [`Data::chosen`] takes it from `ERM_DATASET`.
    ///
    /// # Errors
    /// As for [`Data::chosen`].
    pub fn named(name: &str, scale: Scale) -> Result<Data> {
        match name {
            "" => Ok(Self::cifar10_at_hand()?.unwrap_or_else(Self::see_far)),
            "cifar10" => Self::cifar10(),
            "see-far" => Ok(Self::see_far()),
            "restricted-imagenet" => {
                restricted_imagenet(std::env::var_os("ERM_IMAGENET"), scale)?.data()
            }
            other => Err(Error::invalid(
                "cifar10, see-far or restricted-imagenet as the data set",
                other,
                "Choose with `erm run --data see-far`.",
            )),
        }
    }
}

/// Restricted ImageNet in a folder that the user named, as large as a scale has it.
fn restricted_imagenet(folder: Option<OsString>, scale: Scale) -> Result<RestrictedImageNet> {
    let folder = folder.filter(|folder| !folder.is_empty()).ok_or_else(|| {
        Error::invalid(
            "ERM_IMAGENET to name the folder of ImageNet",
            "nothing in it",
            "Set it to the folder that holds train/ and val/; ImageNet cannot be downloaded for you.",
        )
    })?;
    let whole = RestrictedImageNet::at(folder);
    Ok(match scale {
        Scale::Demo => {
            let (side, [train, test]) = SMALL;
            whole.side(side).per_class(train, test)
        }
        Scale::Paper => whole,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::says;

    #[test]
    fn imagenet_is_where_the_variable_says_and_as_large_as_the_scale() {
        let at = |scale| restricted_imagenet(Some("/i".into()), scale).unwrap();
        assert_eq!(at(Scale::Paper), RestrictedImageNet::at("/i"));
        assert_eq!(at(Scale::Demo), RestrictedImageNet::at("/i").side(64).per_class(200, 40));
        for nothing in [None, Some(OsString::new())] {
            says(restricted_imagenet(nothing, Scale::Demo), &["ERM_IMAGENET", "train/ and val/"]);
        }
    }
}
