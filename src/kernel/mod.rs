//! The Jupyter kernel: evcxr's own, on a work folder in which the prelude is already built.

use std::env;

use anyhow::Result;

use crate::session::{Cache, Warming, WorkDir, library_path, warm, write_settings};

/// Serves the connection that Jupyter describes in the file named after `--control_file`, which
/// evcxr's kernel reads from the command line itself, until Jupyter ends it.
pub fn serve() -> Result<()> {
    let cache = Cache::open()?;
    let work = {
        let _unchanging = warm(&cache, Warming::Build, &mut |_| ())?;
        WorkDir::clone_of(&cache)?
    };
    write_settings(&cache, &work.path)?;
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
