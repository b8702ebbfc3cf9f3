//! Whether pictures and classes fit a net, said before any work is done.

use super::Net;
use crate::data::Images;
use crate::engine::Normalisation;
use crate::{Error, Result};

impl Net {
    /// Errors unless there are images, they have this net's shape, and `classes` are its own, one each.
    pub(crate) fn check(&self, images: &Images, classes: Option<&[usize]>) -> Result<()> {
        let [n, shape @ ..] = images.shape();
        if n == 0 {
            return Err(Error::invalid("at least one image", "none", "Choose a set with images."));
        }
        if shape != self.architecture.image {
            return Err(Error::invalid(
                format!("images of {:?} (channels, height, width)", self.architecture.image),
                format!("images of {shape:?}"),
                "Use the data that the net was made for, or make a net for this data.",
            ));
        }
        if let Some(value) = images.outside() {
            return Err(Error::invalid(
                "pixel values in [0, 1]",
                value.to_string(),
                "Divide bytes by 255, and clamp what leaves the range.",
            ));
        }
        let Some(classes) = classes else { return Ok(()) };
        if classes.len() != n {
            return Err(Error::invalid(
                format!("one class for each of {n} images"),
                format!("{} classes", classes.len()),
                "Pass the labels that belong to these images.",
            ));
        }
        match classes.iter().find(|class| **class >= self.architecture.classes) {
            Some(class) => Err(Error::invalid(
                format!("classes from 0 to {}", self.architecture.classes - 1),
                format!("class {class}"),
                "Use labels of the data that the net was made for.",
            )),
            None => Ok(()),
        }
    }
}

/// A normalisation by finite means and deviations above 0, one a channel.
pub(super) fn normalisation(
    channels: usize,
    mean: Vec<f32>,
    deviation: Vec<f32>,
) -> Result<Normalisation> {
    let whole = |values: &[f32]| values.len() == channels && values.iter().all(|v| v.is_finite());
    if whole(&mean) && whole(&deviation) && deviation.iter().all(|deviation| *deviation > 0.0) {
        return Ok(Normalisation { mean, deviation });
    }
    Err(Error::invalid(
        format!("a mean and a deviation above 0 for each of {channels} channels"),
        format!("means {mean:?}, deviations {deviation:?}"),
        "Use `mean_std` of the training set, and a deviation of 1 for a channel that never changes.",
    ))
}
