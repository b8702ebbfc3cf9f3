//! What a training sees: the images it learns, those held out of them, and those only watched.

use super::Recipe;
use crate::attack::Pgd;
use crate::data::Dataset;
use crate::net::Net;
use crate::{Result, judge};
use std::borrow::Cow;

/// The sets of one training; no image is in the first two.
pub(super) struct Sets<'a> {
    pub learned: Cow<'a, Dataset>,
    held_out: Option<Dataset>,
    watched: &'a [&'a Dataset],
}

/// What is looked at after an epoch: accuracies in [0, 1].
pub(super) struct Looks {
    /// On the held-out images, if there are any.
    pub validation: Option<f64>,
    /// On them under the recipe's adversary, if it has one.
    pub robust: Option<f64>,
    /// On each watched set.
    pub watched: Vec<f64>,
}

impl<'a> Sets<'a> {
    /// Checks every set and the recipe, and splits `set` as the recipe says.
    pub fn new(
        net: &Net,
        set: &'a Dataset,
        recipe: &Recipe,
        watched: &'a [&'a Dataset],
    ) -> Result<Self> {
        for set in watched.iter().copied().chain([set]) {
            set.check()?;
            net.check(&set.images, Some(&set.labels))?;
        }
        recipe.check(set.len())?;
        if recipe.validation == 0 {
            return Ok(Self { learned: Cow::Borrowed(set), held_out: None, watched });
        }
        let (rest, held_out) = set.split(recipe.validation, recipe.seed)?;
        Ok(Self { learned: Cow::Owned(rest), held_out: Some(held_out), watched })
    }

    /// The accuracies of a net.
    pub fn look(&self, net: &Net, adversary: Option<&Pgd>) -> Result<Looks> {
        let held_out = self.held_out.as_ref();
        let validation = held_out.map(|set| judge::accuracy(net, set));
        let robust = held_out.zip(adversary);
        let robust = robust.map(|(set, adversary)| judge::robust_accuracy(net, set, adversary));
        let watched = self.watched.iter().map(|set| judge::accuracy(net, set));
        Ok(Looks {
            validation: validation.transpose()?,
            robust: robust.transpose()?,
            watched: watched.collect::<Result<_>>()?,
        })
    }

    /// The names of the watched sets.
    pub fn watched(&self) -> Vec<&str> {
        self.watched.iter().map(|set| set.name.as_str()).collect()
    }
}
