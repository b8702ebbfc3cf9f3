//! Data sets on disk: one safetensors file a set, which PyTorch and NumPy read as well.
//!
//! Tensors `images` (u8 or f32, `(n, 3, height, width)`), `labels` and `origin` (i64, `(n)`); the name and
//! the class names are in the metadata.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use ndarray::{Array4, ArrayView4};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize_to_file};

use super::{Dataset, Images};
use crate::{Error, Result};

const FORMAT: &str = "erm data set 1";

impl Dataset {
    /// Writes the set to `path`, and makes the folder if there is none. The file appears only when
    /// it is complete, and replaces what was there.
    ///
    /// # Errors
    /// If the set is inconsistent, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.check()?;
        let path = path.as_ref();
        let remedy = "Make room, or choose a path where you may write";
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| Error::file(folder, e, remedy))?;
        }
        self.write(path).map_err(|problem| Error::file(path, problem, remedy))
    }

    /// Reads a set that [`Dataset::save`] wrote.
    ///
    /// # Errors
    /// If the file is missing, cut off, damaged, or holds something else.
    pub fn load(path: impl AsRef<Path>) -> Result<Dataset> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => {
                Error::file(path, "there is no such file", "Save a set there first")
            }
            _ => Error::file(path, e, "Check that it is a file you may read"),
        })?;
        let remedy = "Delete it and save the set again with `save`";
        let set = parse(bytes).map_err(|problem| Error::file(path, problem, remedy))?;
        set.check().map_err(|e| Error::file(path, format!("its set is broken: {e}"), remedy))?;
        Ok(set)
    }

    fn write(&self, path: &Path) -> std::result::Result<(), String> {
        let (dtype, images) = match &self.images {
            // Photographs may fill most of the memory: where they lie in order, they are not copied.
            Images::Bytes(a) => {
                (Dtype::U8, a.as_slice().map_or_else(|| a.iter().copied().collect(), Cow::Borrowed))
            }
            Images::Floats(a) => (Dtype::F32, Cow::Owned(floats_to_bytes(a.view()))),
        };
        let (labels, origin) = (integers_to_bytes(&self.labels), integers_to_bytes(&self.origin));
        let n = vec![self.len()];
        let shape = self.images.shape().to_vec();
        let view =
            |dtype, shape, data| TensorView::new(dtype, shape, data).map_err(|e| e.to_string());
        let tensors = [
            ("images", view(dtype, shape, &images)?),
            ("labels", view(Dtype::I64, n.clone(), &labels)?),
            ("origin", view(Dtype::I64, n, &origin)?),
        ];
        let classes = serde_json::to_string(&self.classes).map_err(|e| e.to_string())?;
        let metadata =
            [("format", FORMAT.into()), ("name", self.name.clone()), ("classes", classes)];
        let metadata = metadata.into_iter().map(|(key, value)| (key.into(), value)).collect();
        // It writes to a temporary file in the same folder and renames that when it is complete.
        serialize_to_file(tensors, Some(metadata), path).map_err(|e| e.to_string())
    }
}

fn parse(bytes: Vec<u8>) -> std::result::Result<Dataset, String> {
    let damaged = |e| format!("this is no complete safetensors file ({e})");
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let file = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let foreign = || "this safetensors file does not hold a data set of Erm".to_owned();
    let metadata: &HashMap<String, String> = header.metadata().as_ref().ok_or_else(foreign)?;
    let text = |key: &str| metadata.get(key).ok_or_else(foreign);
    if text("format")? != FORMAT {
        return Err(foreign());
    }
    let tensor = |name: &str| file.tensor(name).map_err(|e| e.to_string());
    let name = text("name")?.clone();
    let labels = integers(&tensor("labels")?)?;
    let classes = serde_json::from_str(text("classes")?).map_err(|e| e.to_string())?;
    let origin = integers(&tensor("origin")?)?;
    let images = tensor("images")?;
    let (dtype, shape) = (images.dtype(), images.shape().to_vec());
    let start = images.data().as_ptr() as usize - bytes.as_ptr() as usize;
    let place = start..start + images.data().len();
    Ok(Dataset {
        name,
        images: self::images(bytes, place, dtype, &shape)?,
        labels,
        classes,
        origin,
    })
}

/// The images at a place of the file, whose memory they take over if they are bytes.
fn images(
    mut bytes: Vec<u8>,
    place: Range<usize>,
    dtype: Dtype,
    shape: &[usize],
) -> std::result::Result<Images, String> {
    let &[n, c, h, w] = shape else {
        return Err(format!("expected images (n, 3, height, width), found {shape:?}"));
    };
    let shape = (n, c, h, w);
    let images = match dtype {
        Dtype::U8 => {
            bytes.truncate(place.end);
            bytes.drain(..place.start);
            Array4::from_shape_vec(shape, bytes).map(Images::Bytes)
        }
        Dtype::F32 => {
            let (values, _) = bytes[place].as_chunks::<4>();
            let values = values.iter().map(|v| f32::from_le_bytes(*v)).collect();
            Array4::from_shape_vec(shape, values).map(Images::Floats)
        }
        other => return Err(format!("expected images as U8 or F32, found {other:?}")),
    };
    images.map_err(|e| e.to_string())
}

fn integers(tensor: &TensorView) -> std::result::Result<Vec<usize>, String> {
    if tensor.dtype() != Dtype::I64 {
        return Err(format!("expected integers as I64, found {:?}", tensor.dtype()));
    }
    let (values, _) = tensor.data().as_chunks::<8>();
    let index = |v: i64| usize::try_from(v).map_err(|_| format!("{v} is no label or index"));
    values.iter().map(|v| index(i64::from_le_bytes(*v))).collect()
}

fn floats_to_bytes(values: ArrayView4<f32>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 * values.len());
    values.iter().for_each(|v| bytes.extend_from_slice(&v.to_le_bytes()));
    bytes
}

fn integers_to_bytes(values: &[usize]) -> Vec<u8> {
    values.iter().flat_map(|&v| (v as i64).to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::SeeFar;
    use super::*;

    /// An empty folder of this test's own.
    fn folder(test: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("erm-disk-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    fn set() -> Dataset {
        let set = SeeFar::new(1).data(6, 1).unwrap().train;
        set.select(&[5, 0, 3]).unwrap()
    }

    #[test]
    fn bytes_and_floats_come_back_as_they_were() {
        let folder = folder("round");
        let bytes = set();
        let mut floats = bytes.clone();
        floats.images = (floats.images.batch(&[0, 1, 2]) * 0.987).into();
        for (name, set) in [("bytes", bytes), ("floats", floats)] {
            // The folder is made on the way, and the second round replaces a file.
            let path = folder.join("deep").join(name);
            set.save(&path).unwrap();
            set.save(&path).unwrap();
            assert_eq!(Dataset::load(&path).unwrap(), set);
        }
        assert_eq!(fs::read_dir(folder.join("deep")).unwrap().count(), 2, "nothing else is left");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_cut_off_anywhere_is_an_error_that_says_so() {
        let folder = folder("cut");
        let path = folder.join("set.safetensors");
        set().save(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in [0, 5, 100, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            let error = Dataset::load(&path).unwrap_err().to_string();
            assert!(error.contains("no complete safetensors file"), "{length}: {error}");
            assert!(error.contains("set.safetensors"), "{error}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn foreign_missing_and_inconsistent_files_are_errors() {
        let folder = folder("foreign");
        let missing = Dataset::load(folder.join("none")).unwrap_err().to_string();
        assert!(missing.contains("no such file"), "{missing}");

        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("weights.safetensors");
        let weights = TensorView::new(Dtype::F32, vec![1], &[0; 4]).unwrap();
        serialize_to_file([("weight", weights)], None, &path).unwrap();
        let foreign = Dataset::load(&path).unwrap_err().to_string();
        assert!(foreign.contains("does not hold a data set of Erm"), "{foreign}");

        let wrong = Dataset { labels: vec![0, 10, 0], ..set() };
        wrong.write(&path).unwrap();
        let wrong = Dataset::load(&path).unwrap_err().to_string();
        assert!(wrong.contains("label 10 at image 1"), "{wrong}");
        assert!(wrong.contains("weights.safetensors"), "{wrong}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_set_that_cannot_be_written_leaves_nothing_behind() {
        let folder = folder("blocked");
        fs::create_dir_all(folder.join("taken/inside")).unwrap();
        let error = set().save(folder.join("taken")).unwrap_err().to_string();
        assert!(error.contains("taken"), "{error}");
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            1,
            "only the folder that was in the way"
        );
        let broken = Dataset { labels: vec![], ..set() };
        assert!(broken.save(folder.join("broken")).unwrap_err().to_string().contains("labels"));
        fs::remove_dir_all(folder).unwrap();
    }
}
