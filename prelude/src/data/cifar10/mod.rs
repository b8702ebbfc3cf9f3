//! CIFAR-10 in its official binary format: found on this machine, or fetched once.

mod archive;
mod download;
mod place;
mod records;

use std::path::Path;
use std::time::Duration;

use self::download::Download;
use self::place::Place;
pub(super) use self::records::CLASSES;
use super::Data;
use crate::{Result, cache, show::Progress};

/// The name of the published archive, in a data folder and in the cache.
const ARCHIVE: &str = "cifar-10-binary.tar.gz";

/// Where its makers publish it.
const PUBLISHED: Download<'static> = Download {
    url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    md5: "c32a1d4ab5d03f1284b67883e8d87530",
    first_pause: Duration::from_secs(1),
};

impl Data {
    /// CIFAR-10: 50 000 training and 10 000 test images of ten classes, in the order of the files.
    ///
    /// It is looked for in `$ERM_DATA` (a folder with `cifar-10-binary.tar.gz`, with
    /// `cifar-10-batches-bin`, or with the six `.bin` files; or the archive itself), then in the
    /// cache folder, and else downloaded into the cache (170 MB; an interrupted download goes on
    /// where it stopped).
    ///
    /// # Errors
    /// If `$ERM_DATA` names nothing, what is found is damaged or incomplete, or the download fails.
    pub fn cifar10() -> Result<Data> {
        if let Some(place) = at_hand()? {
            return read(&place);
        }
        let archive = cache::folder()?.join(ARCHIVE);
        download(&archive)?;
        read(&Place::Archive(archive))
    }

    /// CIFAR-10 where it is on this machine already, without a download.
    ///
    /// # Errors
    /// If `$ERM_DATA` names nothing, or what is found is damaged or incomplete.
    pub(super) fn cifar10_at_hand() -> Result<Option<Data>> {
        at_hand()?.map(|place| read(&place)).transpose()
    }
}

fn at_hand() -> Result<Option<Place>> {
    let given = std::env::var_os("ERM_DATA").filter(|path| !path.is_empty());
    if let Some(place) = given.map(|path| place::named(path.as_ref())).transpose()?.flatten() {
        return Ok(Some(place));
    }
    Ok(place::inside(&cache::folder()?))
}

fn download(archive: &Path) -> Result<()> {
    let mut progress = None;
    PUBLISHED.fetch(archive, &mut |done, total| {
        // Only the server's first answer tells how much there is to do.
        let total = total.unwrap_or_default() as usize;
        let progress = progress.get_or_insert_with(|| {
            let progress = Progress::start("downloading CIFAR-10", "bytes", total);
            progress.skip(done as usize);
            progress
        });
        progress.advance((done as usize).saturating_sub(progress.done()));
        progress
            .stop_if_interrupted("What was received is kept: run the cell again to go on there.")
    })
}

fn read(place: &Place) -> Result<Data> {
    match place {
        Place::Archive(path) => archive::read(path),
        Place::Folder(path) => records::read_folder(path),
    }
}

#[cfg(test)]
mod tests;
