//! Where a built set lies while it grows: one folder a recipe, one file a shard.

use crate::attack::Pgd;
use crate::data::{Dataset, Images};
use crate::net::Net;
use crate::{Error, Result, cache};
use md5::{Digest, Md5};
use ndarray::Array4;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The folder of one built set.
pub(crate) struct Store {
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
                      finished shards are kept.";

impl Store {
    pub fn open(
        name: &str,
        net: &Net,
        set: &Dataset,
        attack: &Pgd,
        targets: &[usize],
    ) -> Result<Self> {
        let recipe = Recipe {
            name: name.into(),
            images: set.len(),
            from: set.name.clone(),
            attack: attack.to_string(),
            net: net.fingerprint(),
            set: set.fingerprint(),
            targets: fingerprint(targets),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let text = serde_json::to_string_pretty(&recipe).expect("a recipe is plain text");
        let key = format!("{:x}", Md5::digest(&text));
        let folder = cache::folder()?.join("sets").join(format!("{name}-{}", &key[..16]));
        cache::write_whole(&folder.join("recipe.json"), text.as_bytes())?;
        let [_, shape @ ..] = set.images.shape();
        Ok(Self { folder, recipe, shape })
    }

    /// The images of a shard that was finished before; a damaged one counts as not finished.
    pub fn load(&self, number: usize, images: usize) -> Result<Option<Images>> {
        let path = self.shard(number);
        let Ok(bytes) = std::fs::read(&path) else { return Ok(None) };
        let [channels, height, width] = self.shape;
        let shape = [images, channels, height, width];
        let floats = SafeTensors::deserialize(&bytes).ok().and_then(|file| {
            let tensor = file.tensor("images").ok()?;
            let fits = tensor.shape() == shape && tensor.dtype() == Dtype::F32;
            let values = tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b));
            fits.then(|| values.collect::<Vec<f32>>())
        });
        let array = floats.and_then(|f| Array4::from_shape_vec(shape, f).ok());
        Ok(array.map(Images::Floats))
    }

    /// Keeps a finished shard and how long it took.
    pub fn save(&self, number: usize, images: &Images, seconds: f64) -> Result<()> {
        let path = self.shard(number);
        let failed = |e: safetensors::SafeTensorError| Error::file(&path, e, REMEDY);
        let all: Vec<usize> = (0..images.len()).collect();
        let bytes: Vec<u8> = images.batch(&all).iter().flat_map(|v| v.to_le_bytes()).collect();
        let shape = images.shape().to_vec();
        let view = TensorView::new(Dtype::F32, shape, &bytes).map_err(failed)?;
        let metadata = [("seconds".to_string(), seconds.to_string())].into();
        let file = safetensors::serialize([("images", view)], Some(metadata)).map_err(failed)?;
        cache::write_whole(&path, &file)
    }

    /// How long the shards that lie here took together.
    pub fn seconds(&self) -> Result<f64> {
        let shards = 0..self.recipe.images.div_ceil(super::SHARD);
        Ok(shards.filter_map(|number| seconds_of(&self.shard(number))).sum())
    }

    /// Says in the folder that the set is whole.
    pub fn finish(&self) -> Result<()> {
        let seconds = self.seconds()?;
        cache::write_whole(&self.folder.join("seconds.txt"), format!("{seconds:.1}\n").as_bytes())
    }

    fn shard(&self, number: usize) -> PathBuf {
        self.folder.join(format!("shard-{number:04}.safetensors"))
    }
}

fn seconds_of(path: &Path) -> Option<f64> {
    let file = std::fs::File::open(path).ok()?;
    let mut head = Vec::new();
    // The header of a shard is a few hundred bytes.
    std::io::Read::read_to_end(&mut std::io::Read::take(file, 8192), &mut head).ok()?;
    let length = u64::from_le_bytes(head.get(..8)?.try_into().ok()?) as usize;
    let header: serde_json::Value = serde_json::from_slice(head.get(8..8 + length)?).ok()?;
    header["__metadata__"]["seconds"].as_str()?.parse().ok()
}

fn fingerprint(targets: &[usize]) -> String {
    let mut md5 = Md5::new();
    targets.iter().for_each(|target| md5.update(target.to_le_bytes()));
    format!("{:x}", md5.finalize())
}
