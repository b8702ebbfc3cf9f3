//! `kind,name=value,…`: what differs from a demo recipe.

use erm::prelude::*;

/// One of the words on the command line.
pub struct Words<'a> {
    /// What it is about.
    pub kind: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Words<'a> {
    /// Takes a word apart.
    pub fn of(text: &'a str) -> Self {
        let mut words = text.split(',');
        let kind = words.next().unwrap_or_default();
        Self { kind, pairs: words.map(|word| word.split_once('=').unwrap_or((word, ""))).collect() }
    }

    /// The recipe with what these words change in it.
    pub fn recipe(&self, recipe: Recipe) -> Result<Recipe> {
        let augment = match self.text("augment") {
            None => recipe.augment,
            Some("none") => Augment::none(),
            Some("flip") => Augment::flip(),
            Some("crop") => Augment::crop_and_flip(),
            Some(other) => {
                return Err(Error::invalid("augment=none, flip or crop", other, "Correct it."));
            }
        };
        let schedule = match (recipe.schedule, self.number("warm", f32::NAN)?) {
            (schedule, warm_up) if warm_up.is_nan() => schedule,
            (_, warm_up) => Schedule::OneCycle { warm_up },
        };
        Ok(Recipe {
            schedule,
            epochs: self.number("epochs", recipe.epochs)?,
            batch: self.number("batch", recipe.batch)?,
            learning_rate: self.number("rate", recipe.learning_rate)?,
            weight_decay: self.number("decay", recipe.weight_decay)?,
            momentum: self.number("momentum", recipe.momentum)?,
            seed: self.number("seed", recipe.seed)?,
            validation: 0,
            augment,
            ..recipe
        })
    }

    /// What stands behind that name.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1)
    }

    /// The number of that name, or the usual one.
    pub fn number<T: std::str::FromStr>(&self, name: &str, usual: T) -> Result<T> {
        let Some(text) = self.text(name) else {
            return Ok(usual);
        };
        text.parse()
            .map_err(|_| Error::invalid(format!("a number for {name}"), text, "Correct it."))
    }
}
