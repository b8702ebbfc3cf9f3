//! CIFAR-10.1: new test images of the classes of CIFAR-10, in the published `.npy` files.

use std::fs::File;
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array4, Axis};
use ndarray_npy::ReadNpyExt;

use super::cifar10::CLASSES;
use super::{Dataset, IMAGE, Images};
use crate::{Error, Result, cache};

/// The published pairs of files, the newer version first.
const VERSIONS: [&str; 2] = ["v6", "v4"];

const REMEDY: &str = "Take cifar10.1_v6_data.npy and cifar10.1_v6_labels.npy from the folder `datasets` of \
     https://github.com/modestyachts/CIFAR-10.1 and set ERM_DATA to the folder where they are.";

impl Dataset {
    /// CIFAR-10.1 (Recht et al., 2018): 2000 images in version 6, 2021 in version 4. Paper: D.7.
    ///
    /// Its two files, such as `cifar10.1_v6_data.npy` and `cifar10.1_v6_labels.npy`, are looked for in
    /// `$ERM_DATA` and in the cache folder; they are not downloaded.
    ///
    /// # Errors
    /// If they are not there, or are damaged or something else.
    pub fn cifar10_1() -> Result<Dataset> {
        let given = std::env::var_os("ERM_DATA").filter(|path| !path.is_empty());
        let folders = given.map(PathBuf::from).into_iter().chain([cache::folder()?]);
        let folders: Vec<PathBuf> = folders.collect();
        for folder in &folders {
            for version in VERSIONS {
                let [data, labels] = files(folder, version);
                if data.is_file() {
                    return read(&data, &labels, version);
                }
            }
        }
        let places: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let found = format!("none in {}", places.join(" or in "));
        Err(Error::invalid("the files of CIFAR-10.1", found, REMEDY))
    }
}

fn files(folder: &Path, version: &str) -> [PathBuf; 2] {
    ["data", "labels"].map(|part| folder.join(format!("cifar10.1_{version}_{part}.npy")))
}

/// Pictures `(n, 32, 32, 3)` of bytes and as many labels.
fn read(data: &Path, labels: &Path, version: &str) -> Result<Dataset> {
    let pictures: Array4<u8> = array(data)?;
    let [channels, height, width] = IMAGE;
    let n = pictures.len_of(Axis(0));
    if pictures.shape() != [n, height, width, channels] {
        let problem = format!(
            "pictures of shape (n, {height}, {width}, {channels}) were expected, found {:?}",
            pictures.shape()
        );
        return Err(Error::file(data, problem, REMEDY));
    }
    let pictures = pictures.permuted_axes([0, 3, 1, 2]).as_standard_layout().into_owned();
    let set = Dataset {
        name: format!("CIFAR-10.1 {version}"),
        images: Images::Bytes(pictures),
        labels: labels_of(labels)?,
        classes: CLASSES.map(str::to_owned).to_vec(),
        origin: (0..n).collect(),
    };
    set.check().map_err(|problem| Error::file(labels, problem, REMEDY))?;
    Ok(set)
}

/// Labels in whichever of the usual types of integers.
fn labels_of(path: &Path) -> Result<Vec<usize>> {
    // A negative label becomes one that names no class.
    let wide = |label: i64| usize::try_from(label).unwrap_or(usize::MAX);
    let narrow = array::<Array1<i32>>(path).map(|it| it.mapv(i64::from));
    let bytes = || array::<Array1<u8>>(path).map(|it| it.mapv(i64::from));
    let labels = narrow.or_else(|_| bytes()).or_else(|_| array::<Array1<i64>>(path))?;
    Ok(labels.into_iter().map(wide).collect())
}

fn array<A: ReadNpyExt>(path: &Path) -> Result<A> {
    let file = File::open(path).map_err(|e| Error::file(path, e, REMEDY))?;
    A::read_npy(file).map_err(|e| Error::file(path, e, REMEDY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Scratch, says};
    use ndarray_npy::WriteNpyExt;

    /// Writes the two files of so many pictures, and reads them.
    fn written(pictures: &Array4<u8>, labels: &impl WriteNpyExt) -> Result<Dataset> {
        let scratch = Scratch::new(&format!("cifar10-1-{:?}", std::thread::current().id()));
        let [data, names] = files(scratch.path(), "v6");
        pictures.write_npy(File::create(&data).unwrap()).unwrap();
        labels.write_npy(File::create(&names).unwrap()).unwrap();
        read(&data, &names, "v6")
    }

    fn pictures() -> Array4<u8> {
        Array4::from_shape_fn((3, 32, 32, 3), |(n, y, x, c)| (n * 60 + y + x + 40 * c) as u8)
    }

    #[test]
    fn pictures_and_labels_of_any_integers_are_read() {
        let set = written(&pictures(), &Array1::from(vec![3_i64, 9, 0])).unwrap();
        assert_eq!((set.name.as_str(), &set.labels[..]), ("CIFAR-10.1 v6", &[3, 9, 0][..]));
        let second = set.images.batch(&[1]);
        assert_eq!(second[[0, 2, 5, 7]], f32::from((60 + 12 + 80) as u8) / 255.0);
        for set in [
            written(&pictures(), &Array1::from(vec![3_i32, 9, 0])),
            written(&pictures(), &Array1::from(vec![3_u8, 9, 0])),
        ] {
            assert_eq!(set.unwrap().labels, [3, 9, 0]);
        }
    }

    #[test]
    fn what_is_no_cifar_10_1_is_an_error_that_says_where_to_get_it() {
        let labels = Array1::from(vec![3_i32, 9, 0]);
        let parts = ["labels.npy", "github.com/modestyachts"];
        says(written(&pictures(), &Array1::from(vec![3_i32, 9])), &["3 labels", parts[1]]);
        says(written(&pictures(), &Array1::from(vec![3_i32, 9, 10])), &parts);
        says(written(&pictures(), &Array1::from(vec![3_i32, 9, -1])), &parts);
        says(written(&pictures(), &Array1::from(vec![0.5_f32; 3])), &parts);
        let flat = Array4::zeros((3, 28, 28, 1));
        says(written(&flat, &labels), &["(n, 32, 32, 3)", "28, 28"]);
        let scratch = Scratch::new("cifar10-1-cut");
        let [data, names] = files(scratch.path(), "v6");
        pictures().write_npy(File::create(&data).unwrap()).unwrap();
        labels.write_npy(File::create(&names).unwrap()).unwrap();
        let whole = std::fs::read(&data).unwrap();
        for length in [0, 20, whole.len() - 1] {
            std::fs::write(&data, &whole[..length]).unwrap();
            says(read(&data, &names, "v6"), &["data.npy", parts[1]]);
        }
        says(read(&scratch.path().join("none"), &names, "v6"), &["none"]);
    }
}
