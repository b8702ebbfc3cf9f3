//! The one folder where Erm keeps what it should not fetch or compute twice.

use std::path::PathBuf;

use crate::{Error, Result};

/// The cache folder: `$ERM_CACHE`, else `$XDG_CACHE_HOME/erm`, else `~/.cache/erm`. It need not
/// exist yet.
///
/// # Errors
/// If none of these variables and no home folder is set.
pub fn cache_folder() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("ERM_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("erm")))
        .or_else(|| Some(std::env::home_dir()?.join(".cache").join("erm")))
        .ok_or_else(|| {
            Error::invalid(
                "a cache folder in $ERM_CACHE, or a home folder",
                "neither",
                "Set ERM_CACHE to a folder where Erm may write",
            )
        })
}
