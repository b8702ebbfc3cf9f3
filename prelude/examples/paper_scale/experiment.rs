//! The stages at one scale, each with a record that says what came out, or how long it has taken so far.

use super::arguments::Arguments;
use super::made::{Made, TEACHER_SEED};
use super::stage::Stage;
use erm::prelude::*;
use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

/// All stages at one scale, for one net and data set.
pub struct Experiment {
    scale: Scale,
    made: Made,
    epochs: Option<usize>,
    out: Option<PathBuf>,
}

impl Experiment {
    /// Reads the data, and looks up the sizes.
    pub fn of(arguments: &Arguments) -> Result<Self> {
        let name = arguments.data.as_deref().unwrap_or_default();
        let data = Data::named(name, arguments.scale)?;
        let sizes = arguments.scale.sizes(&data);
        let sizes = match &arguments.net {
            None => sizes,
            Some(name) => sizes.with(name)?,
        };
        let sizes = match arguments.epochs {
            None => sizes,
            Some(epochs) => sizes.shortened(epochs),
        };
        let (scale, epochs, out) = (arguments.scale, arguments.epochs, arguments.out.clone());
        Ok(Self { scale, made: Made::of(data, sizes), epochs, out })
    }

    /// What is learned from.
    pub fn data(&self) -> &str {
        &self.made.data.train.name
    }

    /// The record of a stage that has been finished, now or before.
    ///
    /// # Errors
    /// [`Error::Interrupted`], if the time is over before the stage is; its record then has no values,
    /// and only says how long it has taken so far.
    pub fn record(&self, stage: Stage) -> Result<Record> {
        let (begun, start) = (self.begun(stage), Instant::now());
        let kept = self.kept(&begun)?;
        let before = kept.as_ref().and_then(|record| record.seconds).unwrap_or_default();
        if let Some(kept) = kept.filter(|record| !record.values.is_empty()) {
            println!("{stage}: finished before, in {before:.0} seconds");
            return Ok(kept);
        }
        println!("{stage}: {}", if before > 0.0 { "going on" } else { "beginning" });
        let done = self.made.results(stage, begun.clone());
        let seconds = before + start.elapsed().as_secs_f64();
        if let Err(Error::Interrupted { .. }) = &done {
            self.keep(&begun.seconds(seconds))?;
        }
        let record = done?.seconds(seconds);
        self.keep(&record)?;
        println!("{record}");
        Ok(record)
    }

    /// A record with everything that the results of a stage depend on.
    fn begun(&self, stage: Stage) -> Record {
        let record = Record::new(format!("paper scale, {stage}"))
            .seed(TEACHER_SEED)
            .with("scale", self.scale.name());
        let record = match self.epochs {
            None => record,
            Some(epochs) => record.with(
                "shortened",
                format!("{epochs} epochs at most, drops of the rate at the same shares of them"),
            ),
        };
        self.made.settings(stage, record)
    }

    fn kept(&self, begun: &Record) -> Result<Option<Record>> {
        match &self.out {
            None => begun.kept(),
            Some(folder) => Ok(begun.kept_in(folder)),
        }
    }

    fn keep(&self, record: &Record) -> Result<()> {
        match &self.out {
            None => record.keep(),
            Some(folder) => record.keep_in(folder),
        }
    }
}

/// `paper scale, CIFAR-10 train: resnet50 of width 64`
impl fmt::Display for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Made { data, sizes, .. } = &self.made;
        let Sizes { architecture, width, .. } = sizes;
        write!(f, "{} scale, {}: {architecture} of width {width}", self.scale, data.train.name)
    }
}
