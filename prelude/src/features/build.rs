//! The work of building a set: shard by shard, each kept as soon as it is finished.

use super::store::Store;
use crate::Result;
use crate::attack::{Goal, Pgd};
use crate::data::{Dataset, Images};
use crate::net::Net;
use crate::show::Progress;
use ndarray::Array4;
use std::path::Path;

/// How many images a shard holds: what an interruption can lose at most.
pub(super) const SHARD: usize = 1000;

/// How many images go through the net at once.
const BATCH: usize = 125;

const REMEDY: &str = "Finished shards are kept: run the cell again to go on there.";

/// A set to be built: every image of `set` moved by `attack` on `net` toward its target.
pub(super) struct Work<'a> {
    pub net: &'a Net,
    pub set: &'a Dataset,
    pub attack: &'a Pgd,
    pub targets: &'a [usize],
}

impl Work<'_> {
    /// Errors unless net, set, attack and targets fit together.
    pub fn check(&self) -> Result<()> {
        self.set.check()?;
        self.attack.check()?;
        self.net.check(&self.set.images, Some(self.targets))
    }

    /// The built set, from the shards in a folder below `sets` and from new work where they are missing.
    pub fn build(&self, name: &str, sets: &Path) -> Result<Dataset> {
        self.check()?;
        let labelled = self.set.relabelled(self.targets.to_vec(), name)?;
        let store = Store::new(name, self, sets);
        store.begin()?;
        let progress = Progress::start(&format!("building {name}"), "images", self.set.len());
        let indices: Vec<usize> = (0..self.set.len()).collect();
        let mut values = Vec::with_capacity(self.set.len() * self.set.images.pixels());
        for (number, indices) in indices.chunks(SHARD).enumerate() {
            if let Some(shard) = store.load(number, indices.len()) {
                progress.skip(indices.len());
                values.extend(shard);
                continue;
            }
            let shard = self.shard(indices, &progress)?;
            store.save(number, indices.len(), &shard)?;
            values.extend(shard);
        }
        let [n, channels, height, width] = self.set.images.shape();
        let array = Array4::from_shape_vec((n, channels, height, width), values);
        let images = Images::Floats(array.expect("every image is in one shard"));
        Ok(Dataset { images, ..labelled })
    }

    /// The images at `indices`, perturbed.
    fn shard(&self, indices: &[usize], progress: &Progress) -> Result<Vec<f32>> {
        let frozen = self.net.freeze();
        let go_on = || progress.stop_if_interrupted(REMEDY);
        let mut values = Vec::with_capacity(indices.len() * self.set.images.pixels());
        for batch in indices.chunks(BATCH) {
            let pictures = self.set.images.batch(batch);
            let pictures = pictures.as_slice().expect("a batch is contiguous");
            let targets: Vec<usize> = batch.iter().map(|index| self.targets[*index]).collect();
            let first = batch[0] as u64;
            let moved =
                self.attack.batch(&frozen, pictures, &targets, Goal::Toward, first, &go_on)?;
            values.extend(moved);
            progress.advance(batch.len());
        }
        Ok(values)
    }
}
