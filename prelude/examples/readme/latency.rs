//! The table of how long a cell takes, from the record that `tests/latency/measure.py` has left.

use std::fs;
use std::path::{Path, PathBuf};

use erm::prelude::*;
use serde_json::Value;

use super::median;

/// What is timed, as the record names it.
const WORK: [&str; 8] = [
    "start, until the first result of a prelude cell",
    "1 + 1",
    "let x = 5;",
    "a cell that calls the prelude",
    "a type error",
    "a syntax error",
    "a gallery of 20 pictures",
    "start, until Jupyter calls it ready",
];

/// The kernels, as the README and the record name them.
const KERNELS: [(&str, &str); 3] =
    [("Erm", "erm"), ("evcxr's own kernel", "erm-stock"), ("IPython", "python3")];

/// Medians in seconds of all rounds of the newest record, and the slowest first time after a start.
pub fn table(folder: &Path) -> Result<String> {
    let path = newest(folder)?;
    let remedy = "Run tests/latency/measure.py.";
    let text = fs::read_to_string(&path).map_err(|e| Error::file(&path, e, remedy))?;
    let record: Value = serde_json::from_str(&text)
        .map_err(|e| Error::invalid("a record of latencies", e.to_string(), remedy))?;
    let mut table = Table::new(std::iter::once("seconds").chain(KERNELS.map(|kernel| kernel.0)));
    for work in WORK {
        let times = KERNELS.map(|(_, kernel)| shown(&record["seconds"][kernel][work]));
        table = table.row(std::iter::once(work).chain(times.iter().map(String::as_str)));
    }
    table.markdown()
}

/// A list of times for each start.
fn shown(starts: &Value) -> String {
    let starts: Vec<Vec<f64>> = serde_json::from_value(starts.clone()).unwrap_or_default();
    let first = starts.iter().filter_map(|start| start.first()).copied().fold(f64::NAN, f64::max);
    format!("{:.2} ({first:.2})", median(&starts.concat()))
}

fn newest(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).map_err(|e| Error::file(folder, e, "Restore it."))?;
    let records = entries.filter_map(|entry| Some(entry.ok()?.path()));
    records
        .max()
        .ok_or_else(|| Error::invalid("a record of latencies", "an empty folder", "Restore it."))
}
