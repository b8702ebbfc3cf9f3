//! The launcher: registers the kernel, finds or makes a Python environment, opens JupyterLab. It
//! speaks no wire protocol.

mod kernelspec;
mod python;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::notebook::{self, Screen};
use crate::session::{Cache, warm};

pub use kernelspec::registered;

/// Opens the walkthrough in JupyterLab, with everything in place for it.
pub fn open(arguments: &[String]) -> Result<()> {
    let notebooks = notebook::folder()?;
    warm_up()?;
    install(None)?;
    let program = python::jupyter_lab(&Cache::open()?.folder)?;
    let mut command = Command::new(&program);
    let status = command.current_dir(&notebooks).args(arguments).status();
    let status = status.with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(status.success(), "JupyterLab ended with {status}");
    Ok(())
}

/// The program that starts JupyterLab, if there is one; the cache folder may hold our own.
pub fn find_jupyter_lab(cache: &Path) -> Option<PathBuf> {
    python::find(cache)
}

/// Registers the kernel with Jupyter.
pub fn install(prefix: Option<&Path>) -> Result<()> {
    let folder = kernelspec::install(prefix)?;
    println!("registered the kernel \"Erm (Rust)\" in {}", folder.display());
    Ok(())
}

/// Takes the kernel away from Jupyter.
pub fn uninstall(prefix: Option<&Path>) -> Result<()> {
    let folder = kernelspec::uninstall(prefix)?;
    println!("removed the kernel \"Erm (Rust)\" from {}", folder.display());
    Ok(())
}

/// Builds what cells need, so that no kernel has to.
pub fn warm_up() -> Result<()> {
    let cache = Cache::open()?;
    let mut screen = Screen::new();
    let warmed = warm(&cache, &mut |warmth| screen.warm_up(&warmth));
    screen.settle();
    warmed?;
    println!("warm: cells start without building anything ({})", cache.template().display());
    Ok(())
}
