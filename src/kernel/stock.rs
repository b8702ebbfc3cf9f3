//! evcxr's own kernel, on a work folder in which the prelude is already built.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::session::{Cache, WorkDir, library_path, warm, write_beginning, write_settings};

/// Becomes a process of this program that runs [`serve`]: evcxr's kernel reads the name of the
/// connection file from the command line itself.
pub fn start(file: &Path) -> Result<()> {
    let error = Command::new(env::current_exe()?).arg("--control_file").arg(file).exec();
    Err(error).context("this program cannot start itself")
}

/// Serves the connection that is described in the file named after `--control_file`.
pub fn serve() -> Result<()> {
    let cache = Cache::open()?;
    let work = {
        let _unchanging = warm(&cache, &mut |_| ())?;
        WorkDir::clone_of(&cache)?
    };
    write_settings(&work.path)?;
    write_beginning(&cache, &work.path)?;
    let variables = [
        ("EVCXR_CONFIG_DIR", work.path.clone().into_os_string()),
        library_path(&cache, &work.path)?,
        // evcxr's kernel renews its own registration on start; this is not it.
        ("JUPYTER_PATH", work.path.join("jupyter").into_os_string()),
    ];
    for (name, value) in variables {
        // SAFETY: no other thread runs yet; the warm-up has ended and joined its own.
        unsafe { env::set_var(name, value) };
    }
    evcxr_jupyter::main()
}
