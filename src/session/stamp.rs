//! Remembers with which sources the template was built, so that a start need not ask cargo, which
//! takes seconds on a busy machine.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::Path;
use std::{env, fs};

use super::cache::Cache;

/// The file in which the state is noted that was built.
const NOTE: &str = "built";

/// The state of the sources that the template is built from: their names, sizes and times. What
/// else matters, the compiler, the versions and the flags, is in the template's own name.
pub fn of_sources(cache: &Cache) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash(&cache.prelude.join("src"), &mut hasher);
    hash(&cache.prelude.join("Cargo.toml"), &mut hasher);
    // It may inherit from a workspace.
    hash(&cache.prelude.join("../Cargo.toml"), &mut hasher);
    hasher.finish()
}

/// Whether the template was built from these sources.
pub fn is_done(template: &Path, state: u64) -> bool {
    let library = format!("{}erm{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let hosts = fs::read_dir(template.join("target")).into_iter().flatten().flatten();
    let is_there = hosts.into_iter().any(|it| it.path().join("debug").join(&library).exists());
    let noted = fs::read_to_string(template.join(NOTE));
    is_there && noted.is_ok_and(|noted| noted == state.to_string())
}

/// Whether the template was ever built.
pub fn is_noted(template: &Path) -> bool {
    template.join(NOTE).exists()
}

/// Takes note that the template was built from these sources.
pub fn done(template: &Path, state: u64) -> io::Result<()> {
    fs::write(template.join(NOTE), state.to_string())
}

fn hash(path: &Path, into: &mut DefaultHasher) {
    let Ok(about) = fs::metadata(path) else { return };
    if about.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut inside: Vec<_> = entries.map(|entry| entry.path()).collect();
        inside.sort();
        inside.iter().for_each(|path| hash(path, into));
    } else {
        (path, about.len(), about.modified().ok()).hash(into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_another_state() {
        let folder = env::temp_dir().join(format!("erm-stamp-{}", std::process::id()));
        fs::create_dir_all(folder.join("prelude/src/net")).unwrap();
        let cache = Cache {
            folder: folder.clone(),
            prelude: folder.join("prelude"),
            rustc: String::new(),
            standard_library: folder.clone(),
            features: &[],
        };
        fs::write(folder.join("prelude/src/net/mod.rs"), "one").unwrap();
        let before = of_sources(&cache);
        assert_eq!(of_sources(&cache), before);
        fs::write(folder.join("prelude/src/net/mod.rs"), "three").unwrap();
        assert_ne!(of_sources(&cache), before);
        done(&folder, before).unwrap();
        assert!(!is_done(&folder, before), "nothing is built");
        fs::create_dir_all(folder.join("target/host/debug")).unwrap();
        let library = format!("{}erm{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
        fs::write(folder.join("target/host/debug").join(library), "").unwrap();
        assert!(is_done(&folder, before));
        assert!(!is_done(&folder, before + 1));
        fs::remove_dir_all(folder).unwrap();
    }
}
