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

/// The variable that says where a cell process looks for libraries first, and its value: the
/// session's own build of the prelude, before any other that `cargo run` or `cargo test` may have
/// named, and the compiler's standard library. Cells know the way to the latter only from the folder
/// below the one into which evcxr moves them.
pub fn library_path(cache: &Cache, work: &Path) -> Result<(&'static str, OsString)> {
    let name = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
    let before = env::var_os(name).unwrap_or_default();
    let built = work.join("target").join(cache.host()?).join("debug");
    let folders = [built, cache.standard_library.clone()].into_iter();
    Ok((name, env::join_paths(folders.chain(env::split_paths(&before)))?))
}

fn shell_quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
