//! Where CIFAR-10 may lie on this machine.

use std::path::{Path, PathBuf};

use super::ARCHIVE;
use super::records::FILES;
use crate::{Error, Result};

/// Something that holds CIFAR-10.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The six files as one `.tar.gz`.
    Archive(PathBuf),
    /// A folder with the six files themselves.
    Folder(PathBuf),
}

/// CIFAR-10 at a path that the user named: an archive, or a folder that may hold it.
///
/// # Errors
/// If there is nothing at all at `path`: it is a slip that a download should not hide.
pub(super) fn named(path: &Path) -> Result<Option<Place>> {
    if path.is_file() {
        return Ok(Some(Place::Archive(path.to_owned())));
    }
    if path.is_dir() {
        return Ok(inside(path));
    }
    Err(Error::file(
        path,
        "ERM_DATA names this path, and nothing is there",
        format!("Set ERM_DATA to a folder with {ARCHIVE}, or unset it to have CIFAR-10 downloaded"),
    ))
}

/// CIFAR-10 inside a folder. One file of six is enough: what is missing is then said by name.
pub(super) fn inside(folder: &Path) -> Option<Place> {
    let unpacked = [folder.join("cifar-10-batches-bin"), folder.to_owned()];
    let has_files = |place: &PathBuf| FILES.iter().any(|file| place.join(file).is_file());
    let archive = Some(folder.join(ARCHIVE)).filter(|path| path.is_file());
    unpacked.into_iter().find(has_files).map(Place::Folder).or(archive.map(Place::Archive))
}
