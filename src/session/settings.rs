//! evcxr's own settings for our sessions.

use std::ffi::OsString;
use std::path::Path;
use std::{env, fs};

use anyhow::Result;

use super::cache::{Cache, cache_folder};

/// The variable by which rust-analyzer is told of another standard library.
pub const LIBRARY: &str = "RUST_SRC_PATH";

/// What every cell can use without asking for it.
pub const PRELUDE: &str = "use erm::prelude::*;";

/// Has evcxr build cells in this very folder.
pub fn write_settings(folder: &Path) -> Result<()> {
    Ok(fs::write(folder.join("evcxr.toml"), format!("[evcxr]\ntmpdir = {folder:?}\n"))?)
}

/// Writes what evcxr's own Jupyter kernel runs after its first build. That build has no dependency
/// yet and drops all versions from the lock file, so they are put back.
pub fn write_beginning(cache: &Cache, work: &Path) -> Result<()> {
    let (from, to) = (cache.template().join("Cargo.lock"), work.join("Cargo.lock"));
    let init =
        format!("!cp {} {}\n:dep {}\n", shell_quoted(&from), shell_quoted(&to), cache.dependency());
    fs::write(work.join("init.evcxr"), init)?;
    Ok(fs::write(work.join("prelude.rs"), PRELUDE)?)
}

/// Keeps the rust-analyzer inside of evcxr from reading the standard library before the first cell,
/// for all sessions of this process: [`super::Analyst`] does that beside the cells. Without a folder
/// for it, sessions start more slowly.
pub fn hide_library() {
    let Ok(cache) = cache_folder() else { return };
    let nothing = cache.join("no-library");
    if fs::create_dir_all(nothing.join("core")).is_ok() {
        // SAFETY: the program calls this before it starts any thread.
        unsafe { env::set_var(LIBRARY, nothing) };
    }
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
