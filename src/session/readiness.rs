//! Says from the outside whether the template is ready, without asking cargo and without waiting
//! for whoever is building it.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::cache::Cache;

/// How far the template is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing is built.
    Absent,
    /// The prelude's source was changed since it was built.
    Outdated,
    /// Cells can be built; the first mistake in one has to wait for a check.
    Unchecked,
    /// Cells and their mistakes are fast.
    Warm,
}

/// How far the template of this compiler, these versions and flags is.
pub fn readiness(cache: &Cache) -> Readiness {
    let template = cache.template();
    let name = format!("{}erm{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let host = cache.host().unwrap_or_default();
    let built = changed(&template.join("target").join(host).join("debug").join(name));
    let Some(built) = built else { return Readiness::Absent };
    let sources = [cache.prelude.join("src"), cache.prelude.join("Cargo.toml")];
    if sources.iter().any(|source| is_newer(source, built)) {
        return Readiness::Outdated;
    }
    if template.join("checked").exists() { Readiness::Warm } else { Readiness::Unchecked }
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// Whether a file, or one in a folder, was changed after a point in time.
fn is_newer(path: &Path, than: SystemTime) -> bool {
    if path.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        return entries.map(|entry| entry.path()).any(|inside| is_newer(&inside, than));
    }
    changed(path).is_some_and(|changed| changed > than)
}
