//! The compiler's warnings about a cell that runs. evcxr drops them; cargo keeps them beside what
//! it has built, so that reading them costs nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::places::Places;
use super::report::Report;

/// The warnings about a cell from the last build in a work folder, ready to be shown.
pub fn of_last_build(built: &Path, work: &Path, cell: &str) -> Option<String> {
    let source = work.join("src/lib.rs");
    let written = fs::metadata(&source).ok()?.modified().ok()?;
    let text = fs::read_to_string(messages_since(written, built)?).ok()?;
    let source = fs::read_to_string(source).ok()?;
    let places = Places::find(cell, &source);
    let messages = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    let reports = messages.filter_map(|json| Report::of_warning(&json, &places));
    let lines: Vec<_> = reports.flat_map(|report| report.lines(cell)).collect();
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

/// What the compiler said about the crate of cells since its source was written, if it said
/// anything.
fn messages_since(written: SystemTime, built: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(built.join(".fingerprint")).ok()?.flatten();
    let of_cells = folders.filter(|entry| entry.file_name().to_string_lossy().starts_with("ctx-"));
    let mut files = of_cells.map(|entry| entry.path().join("output-lib-ctx"));
    let changed = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
    files.find(|path| changed(path).is_some_and(|changed| changed >= written))
}
