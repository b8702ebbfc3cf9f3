//! evcxr's own settings for our sessions.

use std::ffi::OsString;
use std::path::Path;
use std::{env, fs};

use anyhow::Result;

use super::cache::Cache;

/// What every cell can use without asking for it.
pub const PRELUDE: &str = "use erm::prelude::*;";

/// Writes evcxr's settings into a work folder: cells are built in that very folder. The last two
/// files are for evcxr's own Jupyter kernel, which reads them after its first build; that build has
/// no dependency yet and drops all versions from the lock file, so they are put back.
pub fn write_settings(cache: &Cache, work: &Path) -> Result<()> {
    fs::write(work.join("evcxr.toml"), format!("[evcxr]\ntmpdir = {work:?}\n"))?;
    let (from, to) = (cache.template().join("Cargo.lock"), work.join("Cargo.lock"));
    let init =
        format!("!cp {} {}\n:dep {}\n", shell_quoted(&from), shell_quoted(&to), cache.dependency());
    fs::write(work.join("init.evcxr"), init)?;
    fs::write(work.join("prelude.rs"), PRELUDE)?;
    Ok(())
}

/// The folders in which a cell process looks for libraries first, without those that hold another
/// build of the prelude: `cargo run` and `cargo test` name such a folder.
pub fn library_path() -> OsString {
    let path = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let holds_prelude = |folder: &Path| folder.join("liberm.so").exists();
    let kept: Vec<_> = env::split_paths(&path).filter(|folder| !holds_prelude(folder)).collect();
    env::join_paths(kept).unwrap_or_default()
}

fn shell_quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
