//! One JSON file a run, written at once: what was done, with which seed, on which machine, how
//! long it took, and every raw value. Tables and charts are drawn from these files.

mod commit;
mod kept;
mod machine;
mod time;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, process};

pub use machine::Machine;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chart::{Align, Table};
use crate::show::{Forms, Show, shows};
use crate::{Error, Result, cache};

shows!(Record);

/// Counts the files that this process has written.
static NEXT_FILE: AtomicU64 = AtomicU64::new(1);

/// What a run did and what came out of it.
///
/// ```
/// use erm::prelude::*;
/// let record = Record::new("d_det").with("epsilon", 0.5).seed(7).value("test accuracy, %", 27.1);
/// assert_eq!(record.values["test accuracy, %"], [27.1]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What was run: "d_det".
    pub name: String,
    /// When the record was begun, in UTC: "2026-01-31T12:00:00Z".
    pub time: String,
    /// The version of Erm.
    pub version: String,
    /// The git commit, or "unknown".
    pub commit: String,
    /// What it ran on.
    pub machine: Machine,
    /// The seed of everything random.
    pub seed: Option<u64>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// Every setting by its name.
    pub config: BTreeMap<String, Value>,
    /// Every raw value by its name; a number that is not finite is kept as `null`.
    #[serde(with = "values")]
    pub values: BTreeMap<String, Vec<f64>>,
}

impl Record {
    /// Begins a record of a run, here and now.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            time: time::now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: commit::here(),
            machine: Machine::here(),
            seed: None,
            seconds: None,
            config: BTreeMap::new(),
            values: BTreeMap::new(),
        }
    }

    /// Keeps a setting: a number, a text or a truth value.
    pub fn with(mut self, name: impl Into<String>, setting: impl Into<Value>) -> Self {
        self.config.insert(name.into(), setting.into());
        self
    }

    /// Keeps the seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Keeps how long the run took.
    pub fn seconds(mut self, seconds: f64) -> Self {
        self.seconds = Some(seconds);
        self
    }

    /// Keeps one result; its name says the unit: "test accuracy, %".
    pub fn value(self, name: impl Into<String>, value: f64) -> Self {
        self.values(name, &[value])
    }

    /// Keeps a list of results, such as one an epoch.
    pub fn values(mut self, name: impl Into<String>, values: &[f64]) -> Self {
        self.values.insert(name.into(), values.to_vec());
        self
    }

    /// Writes the record as a new file in `$ERM_RECORDS`, else in `records` of the cache folder,
    /// and gives its path. The file is there whole or not at all.
    ///
    /// # Errors
    /// If the folder cannot be made or written to.
    pub fn save(&self) -> Result<PathBuf> {
        self.save_in(&folder()?)
    }

    fn save_in(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(self.file_name());
        let remedy = "Set ERM_RECORDS to a folder that you can write to.";
        cache::write_whole(&path, self.text().as_bytes(), remedy)?;
        Ok(path)
    }

    /// What stands in a file.
    fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("names and numbers serialise") + "\n"
    }

    /// The run, its time, the process and a count, so that no two files meet.
    fn file_name(&self) -> String {
        let count = NEXT_FILE.fetch_add(1, Ordering::Relaxed);
        let name = cache::plain(&self.name);
        let time: String = self.time.chars().filter(|letter| letter.is_alphanumeric()).collect();
        format!("{name}-{time}-{}-{count:03}.json", process::id())
    }

    /// Reads a record.
    ///
    /// # Errors
    /// If the file cannot be read or is not a record.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|problem| {
            Error::file(path, problem, "Give the path of a record, as `.save()` returned it.")
        })?;
        serde_json::from_str(&text).map_err(|problem| {
            let problem = format!("not a record: {problem}");
            Error::file(path, problem, "Move the file away, and run what it recorded again.")
        })
    }

    /// Reads every record (`*.json`) in a folder, the oldest first.
    ///
    /// # Errors
    /// If the folder cannot be read, or if one of the files is not a record.
    pub fn load_all(folder: impl AsRef<Path>) -> Result<Vec<Self>> {
        let folder = folder.as_ref();
        let list = || -> std::io::Result<Vec<PathBuf>> {
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
        };
        let mut paths = list().map_err(|problem| {
            Error::file(folder, problem, "Give a folder of records, as ERM_RECORDS names it.")
        })?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let mut records = paths.iter().map(Self::load).collect::<Result<Vec<_>>>()?;
        records.sort_by(|a, b| a.time.cmp(&b.time));
        Ok(records)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["", ""]).align([Align::Left, Align::Left]).title(&self.name);
        for (name, values) in &self.values {
            table = table.row([name, &self::values::listed(values)]);
        }
        for (name, setting) in &self.config {
            let text = setting.as_str().map_or_else(|| setting.to_string(), str::to_owned);
            table = table.row([name, &text]);
        }
        let seed = self.seed.map_or("none".to_owned(), |seed| seed.to_string());
        let seconds = self.seconds.map_or("unknown".to_owned(), |s| format!("{s:.1}"));
        table
            .row(["seed", &seed])
            .row(["seconds", &seconds])
            .row(["machine", &self.machine.to_string()])
            .row(["erm", &format!("{}, commit {}", self.version, self.commit)])
            .row(["time", &self.time])
    }
}

/// A table of it.
impl Show for Record {
    fn forms(&self) -> Forms {
        self.table().forms()
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}

/// `$ERM_RECORDS`, else `records` in the cache folder.
fn folder() -> Result<PathBuf> {
    match env::var_os("ERM_RECORDS").filter(|folder| !folder.is_empty()) {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(cache::folder()?.join("records")),
    }
}

#[cfg(test)]
mod tests;
