//! The folder where Erm keeps what it downloads, builds and records.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Error, Result};

/// How much work may be lost when a process dies without a word: long jobs keep theirs so often.
pub(crate) const KEPT_EVERY: Duration = Duration::from_secs(180);

/// The cache folder, made if it is not there yet.
///
/// `$ERM_CACHE`, else `$XDG_CACHE_HOME/erm`, else `$HOME/.cache/erm`.
///
/// # Errors
/// If none of the three variables is set, or if the folder cannot be made.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = choose(|name| env::var_os(name).filter(|value| !value.is_empty()))?;
    fs::create_dir_all(&folder).map_err(|problem| {
        Error::file(&folder, problem, "Set ERM_CACHE to a folder that you can write to.")
    })?;
    Ok(folder)
}

/// Writes a file that appears only when it is complete, and replaces what was there.
///
/// # Errors
/// If the folder or the file cannot be written, with `remedy` as the way out; nothing half-written
/// stays.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], remedy: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| Error::file(folder, e, remedy))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let partial = path.with_file_name(name);
    fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path)).map_err(|problem| {
        // It may never have been made, and there is nothing to say about that.
        let _ = fs::remove_file(&partial);
        Error::file(path, problem, remedy)
    })
}

/// Numbers as they lie in a file. A collected `flat_map` takes several times as long, which is felt where a
/// large net is kept every few minutes.
pub(crate) fn bytes(values: &[f32]) -> Vec<u8> {
    let mut bytes = vec![0; size_of_val(values)];
    for (bytes, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
        *bytes = value.to_le_bytes();
    }
    bytes
}

/// `text` as part of a file's name: letters and digits stay, everything else becomes `_`.
pub(crate) fn plain(text: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    text.chars().map(plain).collect()
}

fn choose(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    if let Some(own) = variable("ERM_CACHE") {
        return Ok(PathBuf::from(own));
    }
    if let Some(shared) = variable("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(shared).join("erm"));
    }
    let home = variable("HOME").ok_or_else(|| {
        Error::invalid(
            "a home folder to keep the cache in",
            "neither ERM_CACHE nor XDG_CACHE_HOME nor HOME set",
            "Set ERM_CACHE to a folder that you can write to.",
        )
    })?;
    Ok(PathBuf::from(home).join(".cache/erm"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Scratch;

    fn chosen(set: &[(&str, &str)]) -> Result<PathBuf> {
        choose(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn the_own_variable_wins_over_the_shared_one_and_that_over_home() {
        let all = [("HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("ERM_CACHE", "/e")];
        assert_eq!(chosen(&all).unwrap(), PathBuf::from("/e"));
        assert_eq!(chosen(&all[..2]).unwrap(), PathBuf::from("/x/erm"));
        assert_eq!(chosen(&all[..1]).unwrap(), PathBuf::from("/h/.cache/erm"));
    }

    #[test]
    fn without_a_home_the_error_names_the_variable_to_set() {
        let message = chosen(&[]).unwrap_err().to_string();
        assert!(message.contains("Set ERM_CACHE"), "{message}");
    }

    #[test]
    fn a_file_is_replaced_whole_and_its_folder_is_made() {
        let scratch = Scratch::new("whole");
        let path = scratch.path().join("deep/er/file");
        for text in ["first", "second"] {
            write_whole(&path, text.as_bytes(), "").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing_and_names_the_remedy() {
        let scratch = Scratch::new("taken");
        let taken = scratch.path().join("taken");
        fs::create_dir_all(taken.join("inside")).unwrap();
        let under_a_file = scratch.path().join("file/below");
        fs::write(scratch.path().join("file"), "").unwrap();
        for path in [taken, under_a_file] {
            let message = write_whole(&path, b"x", "Move it.").unwrap_err().to_string();
            assert!(message.contains(scratch.path().to_str().unwrap()), "{message}");
            assert!(message.ends_with("Move it."), "{message}");
        }
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_name_stays_inside_its_folder() {
        assert_eq!(plain("../D_det 0.5"), "___D_det_0_5");
    }
}
