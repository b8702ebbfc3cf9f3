//! Finds JupyterLab, or makes a Python environment that has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};

/// Where the program is in an environment.
const LAB: &str = "bin/jupyter-lab";

/// The program that starts JupyterLab: the one on the PATH, else that of our own environment in
/// the cache folder, which is made if it is not there yet.
pub fn jupyter_lab(cache: &Path) -> Result<PathBuf> {
    match find(cache) {
        Some(program) => Ok(program),
        None => make(&own(cache)).map(|()| own(cache).join(LAB)),
    }
}

/// The program that starts JupyterLab, if there is one already.
pub fn find(cache: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join("jupyter-lab"));
    on_path.chain([own(cache).join(LAB)]).find(|program| is_working(program))
}

fn own(cache: &Path) -> PathBuf {
    cache.join("python")
}

/// A version manager may have put a name on the PATH with nothing behind it.
fn is_working(program: &Path) -> bool {
    let asked = program.is_file().then(|| Command::new(program).arg("--version").output());
    asked.is_some_and(|answer| answer.is_ok_and(|answer| answer.status.success()))
}

fn make(own: &Path) -> Result<()> {
    println!("no JupyterLab found; making a Python environment with it in {}", own.display());
    // What an interrupted attempt left behind would only be in the way.
    let _ = fs::remove_dir_all(own);
    step(Command::new("python3").args(["-m", "venv"]).arg(own), "python3 with its module venv")?;
    let pip = own.join("bin/python");
    step(Command::new(pip).args(["-m", "pip", "install", "jupyterlab>=4,<5"]), "pip and a network")
}

fn step(command: &mut Command, needs: &str) -> Result<()> {
    let hint = || format!("this needs {needs}; or install JupyterLab yourself and try again");
    let status = command.status().with_context(hint)?;
    ensure!(status.success(), "{command:?} failed; {}", hint());
    Ok(())
}
