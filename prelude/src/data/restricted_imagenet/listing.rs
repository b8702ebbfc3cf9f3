//! Which pictures of the nine super-classes a folder of ImageNet holds.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::LAYOUT;
use super::classes::{SUPER_CLASSES, label_of};
use crate::{Error, Result};

/// A picture on disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct File {
    /// The folder it lies in, such as `n02085620`.
    pub synset: String,
    /// Its name in there.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its super-class.
    pub label: usize,
}

/// How the names of pictures end.
const ENDINGS: [&str; 3] = ["jpeg", "jpg", "png"];

/// The pictures of every super-class below `folder`, sorted by synset and name. Folders of other synsets
/// and files that are no pictures are left aside.
///
/// # Errors
/// If there is no such folder, or no folder of a known synset in it, or a super-class has no picture.
pub(super) fn files(folder: &Path) -> Result<Vec<File>> {
    let synsets = synsets(folder)?;
    let files = synsets.par_iter().map(|(synset, label)| pictures(folder, synset, *label));
    let mut files = files.collect::<Result<Vec<_>>>()?.concat();
    files.sort();
    for (label, class) in SUPER_CLASSES.iter().enumerate() {
        if files.iter().all(|file| file.label != label) {
            let folders: Vec<_> = class.folders().collect();
            let problem = format!(
                "there is no picture of a {} (ImageNet's classes {} to {}, in the folders {} to {})",
                class.name,
                class.first,
                class.last(),
                folders[0],
                folders[folders.len() - 1],
            );
            let remedy = "Put at least one of these folders there; each of the nine needs pictures";
            return Err(Error::file(folder, problem, remedy));
        }
    }
    Ok(files)
}

/// The names of the folders that are synsets of the nine super-classes, with their labels.
fn synsets(folder: &Path) -> Result<Vec<(String, usize)>> {
    let names: Vec<String> = names(folder)?.collect();
    let labelled = |name: &String| Some((name.clone(), label_of(name)?));
    let mut known: Vec<_> = names.iter().filter_map(labelled).collect();
    known.sort();
    if !known.is_empty() {
        return Ok(known);
    }
    let some: Vec<_> = names.iter().take(3).map(String::as_str).collect();
    let problem = match some[..] {
        [] => "the folder is empty".to_owned(),
        _ => format!(
            "no folder in it is a synset of the nine super-classes, such as n02085620; there is {} …",
            some.join(", ")
        ),
    };
    Err(Error::file(folder, problem, LAYOUT))
}

fn pictures(folder: &Path, synset: &str, label: usize) -> Result<Vec<File>> {
    let folder = folder.join(synset);
    let is_picture = |name: &String| {
        let ending = Path::new(name).extension().unwrap_or_default().to_ascii_lowercase();
        ENDINGS.iter().any(|known| ending == *known) && !name.starts_with('.')
    };
    names(&folder)?
        .filter(is_picture)
        .map(|name| {
            let path = folder.join(&name);
            let about = fs::metadata(&path).map_err(|e| unreadable(&path, e))?;
            Ok(File { synset: synset.into(), name, bytes: about.len(), label })
        })
        .collect()
}

/// The names in a folder, in any order. One that is no text names no picture.
fn names(folder: &Path) -> Result<impl Iterator<Item = String>> {
    if !folder.is_dir() {
        return Err(Error::file(folder, "there is no such folder", LAYOUT));
    }
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|e| unreadable(folder, e))?;
    Ok(entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()))
}

fn unreadable(path: &Path, problem: std::io::Error) -> Error {
    Error::file(path, problem, "Check that you may read it")
}

impl File {
    /// Where it lies below the folder that was listed.
    pub fn path(&self) -> PathBuf {
        Path::new(&self.synset).join(&self.name)
    }
}
