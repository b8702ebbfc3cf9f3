//! Notebooks without Jupyter: which ones to run, and running them from top to bottom. This room
//! knows no sockets.

mod file;
pub mod interrupt;
mod recorder;
mod run;
mod screen;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

pub use file::language_info;
pub use recorder::content;
pub use screen::{Screen, figures};

/// What to run, and how.
pub struct Order {
    /// The notebook; without one, all of the walkthrough.
    pub notebook: Option<PathBuf>,
    /// Where to write it; without a file, over the notebook itself.
    pub out: Option<PathBuf>,
    /// Variables of the environment that are set for the cells.
    pub variables: Vec<(&'static str, String)>,
}

/// Runs what was ordered, in order of the names, until a cell fails.
pub fn run(order: &Order) -> Result<()> {
    // A session changes the current folder, so no path may depend on it from here on.
    let out = order.out.as_deref().map(std::path::absolute).transpose()?;
    let variables: Vec<_> = order.variables.iter().map(|(k, v)| (*k, v.as_str())).collect();
    if let Some(notebook) = &order.notebook {
        let notebook = std::path::absolute(notebook)?;
        return run::run(&notebook, out.as_deref().unwrap_or(&notebook), &variables);
    }
    ensure!(out.is_none(), "--out names one file, so name the one notebook that goes there");
    for notebook in walkthrough()? {
        run::run(&notebook, &notebook, &variables)?;
    }
    Ok(())
}

/// The folder of the walkthrough: `notebooks` here, or else that of the clone this was built from.
pub fn folder() -> Result<PathBuf> {
    let here = env::current_dir()?.join("notebooks");
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("notebooks");
    let found = [here, built].into_iter().find(|folder| folder.is_dir());
    found.context("no folder `notebooks` here; run this in the clone, or name a notebook")
}

fn walkthrough() -> Result<Vec<PathBuf>> {
    let folder = folder()?;
    let entries = fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
    let is_notebook = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "ipynb");
    let mut paths: Vec<_> = entries.iter().map(|e| e.path()).filter(is_notebook).collect();
    paths.sort();
    ensure!(!paths.is_empty(), "there is no notebook in {}", folder.display());
    Ok(paths)
}
