//! The command line.

use super::stage::Stage;
use erm::prelude::*;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub const USAGE: &str = "\
The paper's experiments one after the other; the same command goes on where the last one stopped.

  --scale paper       paper or demo (paper)
  --net NAME          another net than the scale's, such as resnet18
  --data NAME         cifar10, see-far or restricted-imagenet (CIFAR-10 if it is on this machine)
  --epochs N          so many at most in each training, with the drops of the rate at the same shares
  --minutes M         stop after so long, with everything kept
  --stages A,B        of standard, d_det, d_rand, d_rand_wrong, robust, d_r, d_nr; with those that they
                      need (all but d_rand_wrong)
  --cache FOLDER      where nets and sets lie (ERM_CACHE)
  --out FOLDER        where the records lie (the cache folder)";

/// What to do, and for how long.
pub struct Arguments {
    pub scale: Scale,
    pub net: Option<String>,
    pub data: Option<String>,
    pub epochs: Option<usize>,
    minutes: Option<f64>,
    /// In their order.
    pub stages: Vec<Stage>,
    pub out: Option<PathBuf>,
}

impl Arguments {
    /// `None` if the usage was asked for.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut all = Self {
            scale: Scale::Paper,
            net: None,
            data: None,
            epochs: None,
            minutes: None,
            stages: with_needed(Stage::USUAL),
            out: None,
        };
        while let Some(word) = words.next() {
            let none = || Error::invalid(format!("a value after {word}"), "none", "See --help.");
            let mut value = || words.next().ok_or_else(none);
            match word.as_str() {
                "--scale" => all.scale = scale(&value()?)?,
                "--net" => all.net = Some(value()?),
                "--data" => all.data = Some(value()?),
                "--epochs" => all.epochs = Some(positive(&word, &value()?)?),
                "--minutes" => all.minutes = Some(positive(&word, &value()?)?),
                "--stages" => all.stages = stages(&value()?)?,
                "--cache" => keep_the_cache_in(&value()?),
                "--out" => all.out = Some(value()?.into()),
                "--help" | "-h" => return Ok(None),
                _ => return Err(Error::invalid("an option of the program", word, USAGE)),
            }
        }
        Ok(Some(all))
    }

    /// From now on the time runs, and a Ctrl-C loses nothing.
    pub fn set_the_clock(&self) {
        show::stop_on_signals();
        if let Some(minutes) = self.minutes {
            // A time too long to be counted never comes.
            let time = Duration::try_from_secs_f64(60.0 * minutes).unwrap_or(Duration::MAX);
            show::stop_after(time);
        }
    }
}

fn scale(name: &str) -> Result<Scale> {
    let known = [Scale::Demo, Scale::Paper].into_iter().find(|scale| scale.name() == name);
    known.ok_or_else(|| Error::invalid("paper or demo after --scale", name, "See --help."))
}

/// Names with commas between them.
fn stages(list: &str) -> Result<Vec<Stage>> {
    let stages = list.split(',').map(Stage::named).collect::<Result<Vec<_>>>()?;
    Ok(with_needed(stages))
}

/// The stages in their order, with those that they need.
fn with_needed(stages: impl IntoIterator<Item = Stage>) -> Vec<Stage> {
    let all = stages.into_iter().flat_map(|stage| [Some(stage), stage.needed()]);
    all.flatten().collect::<BTreeSet<_>>().into_iter().collect()
}

/// A number above zero.
fn positive<T: FromStr + PartialOrd + Default>(option: &str, value: &str) -> Result<T> {
    let number = value.parse().ok().filter(|number| *number > T::default());
    let expected = || format!("a number above 0 after {option}");
    number.ok_or_else(|| Error::invalid(expected(), format!("`{value}`"), "See --help."))
}

fn keep_the_cache_in(folder: &str) {
    // SAFETY: the program has started no thread yet.
    unsafe { std::env::set_var("ERM_CACHE", folder) };
}
