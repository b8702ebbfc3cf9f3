//! A run that has ended is not done again: its record lies in the cache folder.

use super::Record;
use crate::{Result, cache};
use md5::{Digest, Md5};
use std::path::{Path, PathBuf};

impl Record {
    /// What the same run has left with [`Record::keep`], in this notebook or another one: a run of the
    /// same name, seed and settings, by the same version of Erm. Whatever its values depend on belongs
    /// into the settings, data by their [`fingerprint`](crate::data::Dataset::fingerprint).
    ///
    /// A damaged file counts as none.
    ///
    /// # Errors
    /// If the cache folder cannot be made.
    pub fn kept(&self) -> Result<Option<Self>> {
        Ok(self.kept_in(runs()?))
    }

    /// Keeps the record of a run that has ended, for [`Record::kept`] of the same run. The file is
    /// there whole or not at all.
    ///
    /// # Errors
    /// If the cache folder cannot be made or written to.
    pub fn keep(&self) -> Result<()> {
        self.keep_in(runs()?)
    }

    /// [`Record::kept`] of a run that was kept in another folder.
    pub fn kept_in(&self, folder: impl AsRef<Path>) -> Option<Self> {
        let found = Self::load(self.place(folder.as_ref())).ok()?;
        (found.key() == self.key()).then_some(found)
    }

    /// [`Record::keep`] in another folder, in place of what the same run has left there.
    ///
    /// # Errors
    /// If the folder cannot be made or written to.
    pub fn keep_in(&self, folder: impl AsRef<Path>) -> Result<()> {
        let remedy = "Make room or choose a folder that you can write to, such as with ERM_CACHE.";
        cache::write_whole(&self.place(folder.as_ref()), self.text().as_bytes(), remedy)
    }

    fn place(&self, folder: &Path) -> PathBuf {
        let key = format!("{:x}", Md5::digest(self.key()));
        folder.join(format!("{}-{}.json", cache::plain(&self.name), &key[..16]))
    }

    /// What makes it the same run.
    fn key(&self) -> String {
        let Self { name, version, seed, config, .. } = self;
        serde_json::to_string(&(name, version, seed, config)).expect("names and numbers serialise")
    }
}

fn runs() -> Result<PathBuf> {
    Ok(cache::folder()?.join("runs"))
}
