//! Python, JupyterLab, and whether Jupyter knows our kernel.

use std::fs;
use std::path::Path;

use super::ask::{first_line, install};
use super::program;
use super::report::Finding;
use crate::{lab, session};

/// Prints the version, where Python can make environments; Debian packs that part apart.
const PROBE: &str = "import sys, venv, ensurepip; print(sys.version.split()[0])";

/// Looks at Python, JupyterLab and the registered kernel.
pub fn examine() -> Vec<Finding> {
    let cache = session::cache_folder().unwrap_or_default();
    let lab = lab::find_jupyter_lab(&cache);
    vec![python(lab.is_some()), jupyter_lab(lab.as_deref()), kernel()]
}

/// Python is needed to make an environment with JupyterLab, not where there is one.
fn python(has_lab: bool) -> Finding {
    let thing = "Python 3 with venv";
    if let Some(version) = first_line("python3", &["-c", PROBE]) {
        return Finding::fine(thing, version);
    }
    let (found, mend) = match first_line("python3", &["--version"]) {
        Some(version) => (
            format!("{version} without the module venv or ensurepip"),
            install("python3-venv", "python3", "python", "python"),
        ),
        None => (
            "no python3 on the PATH that runs; Jupyter is made of it".to_owned(),
            install("python3-venv", "python3", "python", "python"),
        ),
    };
    if has_lab { Finding::better(thing, found, mend) } else { Finding::missing(thing, found, mend) }
}

fn jupyter_lab(found: Option<&Path>) -> Finding {
    let thing = "JupyterLab";
    match found {
        Some(lab) => {
            let version = first_line(&lab.to_string_lossy(), &["--version"]).unwrap_or_default();
            Finding::fine(thing, format!("{version} ({})", lab.display()))
        }
        None => {
            let found = "none found; `lab` makes a Python environment that has it";
            Finding::better(thing, found, format!("{} lab", program()))
        }
    }
}

fn kernel() -> Finding {
    let thing = "kernel in Jupyter";
    let mend = format!("{} install", program());
    let Some((folder, registered)) = lab::registered() else {
        return Finding::better(thing, "not registered for this user", mend);
    };
    let same = std::env::current_exe().and_then(fs::canonicalize).ok();
    let target = fs::canonicalize(&registered).ok();
    let place = folder.display();
    if target.is_some() && target == same {
        return Finding::fine(thing, place.to_string());
    }
    let state = if target.is_some() { "another program" } else { "a program that is gone" };
    let found = format!("{place} starts {state}, {}", registered.display());
    Finding::better(thing, found, mend)
}
