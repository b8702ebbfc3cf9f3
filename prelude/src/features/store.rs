//! Where a built set lies while it grows: one folder a recipe, one file a shard.

use super::build::Work;
use crate::{Error, Result, cache};
use md5::{Digest, Md5};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The folder of one built set.
pub(super) struct Store {
    folder: PathBuf,
    recipe: Recipe,
    /// Of one image.
    shape: [usize; 3],
}

/// Everything the set depends on; it lies beside the shards as `recipe.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Recipe {
    name: String,
    images: usize,
    from: String,
    attack: String,
    net: String,
    set: String,
    targets: String,
    version: String,
}

const REMEDY: &str = "Make room or set ERM_CACHE to a folder where you may write, then call again: \
                      what is done is kept.";

impl Store {
    /// The store of a piece of work in a folder of its own below `sets`; writes nothing yet.
    pub fn new(name: &str, work: &Work, sets: &Path) -> Self {
        let recipe = Recipe {
            name: name.into(),
            images: work.set.len(),
            from: work.set.name.clone(),
            attack: work.maker.to_string(),
            net: work.net.fingerprint(),
            set: work.set.fingerprint(),
            targets: fingerprint(work.labels),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let key = format!("{:x}", Md5::digest(recipe.text()));
        let folder = sets.join(format!("{}-{}", cache::plain(name), &key[..16]));
        let [_, shape @ ..] = work.set.images.shape();
        Self { folder, recipe, shape }
    }

    /// Makes the folder, and says in it what will lie there.
    pub fn begin(&self) -> Result<()> {
        let path = self.folder.join("recipe.json");
        cache::write_whole(&path, self.recipe.text().as_bytes(), REMEDY)
    }

    /// The values of a shard of so many images, or of the first ones of them, as far as it was made before;
    /// of a damaged one none.
    pub fn load(&self, number: usize, images: usize) -> Vec<f32> {
        self.read(number, images).unwrap_or_default()
    }

    fn read(&self, number: usize, images: usize) -> Option<Vec<f32>> {
        let bytes = std::fs::read(self.shard(number)).ok()?;
        let file = SafeTensors::deserialize(&bytes).ok()?;
        let tensor = file.tensor("images").ok()?;
        let there = *tensor.shape().first().filter(|there| **there <= images)?;
        let fits = tensor.shape() == self.shape_of(there) && tensor.dtype() == Dtype::F32;
        let values = tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b));
        fits.then(|| values.collect())
    }

    /// Keeps a shard as far as it is made, its first images first.
    pub fn save(&self, number: usize, values: &[f32]) -> Result<()> {
        let path = self.shard(number);
        let failed = |e: safetensors::SafeTensorError| Error::file(&path, e, REMEDY);
        let bytes = cache::bytes(values);
        let images = values.len() / self.shape.iter().product::<usize>();
        let shape = self.shape_of(images).to_vec();
        let view = TensorView::new(Dtype::F32, shape, &bytes).map_err(failed)?;
        let file = safetensors::serialize([("images", view)], None).map_err(failed)?;
        cache::write_whole(&path, &file, REMEDY)
    }

    fn shape_of(&self, images: usize) -> [usize; 4] {
        let [channels, height, width] = self.shape;
        [images, channels, height, width]
    }

    fn shard(&self, number: usize) -> PathBuf {
        self.folder.join(format!("shard-{number:04}.safetensors"))
    }
}

impl Recipe {
    fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("a recipe is plain text")
    }
}

fn fingerprint(targets: &[usize]) -> String {
    let mut md5 = Md5::new();
    targets.iter().for_each(|target| md5.update(target.to_le_bytes()));
    format!("{:x}", md5.finalize())
}
