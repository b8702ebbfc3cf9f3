//! The folders of our own: the cache, room on the disk, the prelude's source, the warm template.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::Access;

use super::program;
use super::report::Finding;
use crate::session::{self, Cache, Readiness};

/// A template takes 420 MiB, a JupyterLab of our own as much.
const FOR_THE_FIRST_TIME: u64 = 1024 * MIB;
/// A session shares most of the template's files; the rest, with what its cells build, fits here.
const FOR_A_SESSION: u64 = 256 * MIB;
/// What compilers and linkers write to the folder of temporary files while they work.
const FOR_TEMPORARY_FILES: u64 = 256 * MIB;
const MIB: u64 = 1024 * 1024;

/// Looks at the cache folder, the disks, and what is built.
pub fn examine() -> Vec<Finding> {
    let (template, is_built) = template();
    let needed = if is_built { FOR_A_SESSION } else { FOR_THE_FIRST_TIME };
    let temporary = room("temporary files", &std::env::temp_dir(), FOR_TEMPORARY_FILES, "TMPDIR");
    let cache = match session::cache_folder().and_then(writable) {
        Ok(folder) => room("cache folder", &folder, needed, "ERM_CACHE"),
        Err(error) => {
            let mend = "export ERM_CACHE=/a/folder/that/can/be/written";
            Finding::missing("cache folder", format!("{error:#}"), mend)
        }
    };
    vec![cache, temporary, prelude(), template]
}

/// The folder, if it can be written or made; nothing is made here.
fn writable(folder: PathBuf) -> Result<PathBuf> {
    rustix::fs::access(existing(&folder), Access::WRITE_OK | Access::EXEC_OK)
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    Ok(folder)
}

/// The folder, or the nearest one above it that is there.
fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|above| above.exists()).unwrap_or(folder)
}

fn room(thing: &str, folder: &Path, needed: u64, variable: &str) -> Finding {
    let Ok(disk) = rustix::fs::statvfs(existing(folder)) else {
        let mend = format!("mkdir -p {}", folder.display());
        return Finding::missing(thing, format!("no folder {}", folder.display()), mend);
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{}, {} free", folder.display(), size(free));
    if free >= needed {
        return Finding::fine(thing, found);
    }
    let found = format!("{found}, {} needed", size(needed));
    Finding::missing(thing, found, format!("export {variable}=/a/folder/on/a/larger/disk"))
}

fn size(bytes: u64) -> String {
    let gib = bytes as f64 / (1024 * MIB) as f64;
    if gib >= 1.0 { format!("{gib:.1} GiB") } else { format!("{} MiB", bytes / MIB) }
}

fn prelude() -> Finding {
    let thing = "crate of the cells";
    match session::prelude_folder() {
        Ok(folder) => Finding::fine(thing, folder.display().to_string()),
        Err(error) => {
            let mend = "export ERM_PRELUDE=/the/clone/of/this/repository/prelude";
            Finding::missing(thing, format!("{error:#}"), mend)
        }
    }
}

/// How the template is, and whether anything of it is built.
fn template() -> (Finding, bool) {
    let (thing, mend) = ("warm template", format!("{} warm", program()));
    // To open a cache is to make it, which is not for us to do.
    let is_there = session::cache_folder().is_ok_and(|folder| folder.is_dir());
    let cache = is_there.then(Cache::open).transpose();
    let Ok(cache) = cache else {
        let found = "cannot be looked for before the lines above are mended";
        return (Finding::better(thing, found, mend), false);
    };
    let readiness = cache.as_ref().map_or(Readiness::Absent, session::readiness);
    let found = match readiness {
        Readiness::Warm => {
            let place = cache.map(|cache| cache.template().display().to_string());
            return (Finding::fine(thing, place.unwrap_or_default()), true);
        }
        Readiness::Absent => "not made yet; the first session takes minutes to make it",
        Readiness::Outdated => "older than the crate of the cells; the next session builds it anew",
    };
    (Finding::better(thing, found, mend), readiness != Readiness::Absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_too_full_is_named_with_what_is_needed() {
        let here = std::env::temp_dir();
        let full = room("cache folder", &here, u64::MAX, "ERM_CACHE");
        assert!(full.found.contains("needed"), "{full:?}");
        assert!(full.mend.is_some_and(|mend| mend.contains("ERM_CACHE")));
        assert_eq!(room("cache folder", &here, 0, "ERM_CACHE").mend, None);
    }

    #[test]
    fn sizes_are_for_people() {
        assert_eq!([300 * MIB, 1536 * MIB].map(size), ["300 MiB", "1.5 GiB"]);
    }
}
