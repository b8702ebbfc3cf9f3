//! The official binary format: a record is one label byte and 3072 pixels, channel by channel.

use std::fs;
use std::path::Path;

use ndarray::Array4;

use super::super::{Augment, Data, Dataset, IMAGE, Images, PIXELS};
use crate::{Error, Result};

/// The six files, training first.
pub(super) const FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// The classes, in the order of their labels.
pub(in crate::data) const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const RECORD: usize = 1 + PIXELS;

/// How many bytes each file has: 10 000 records.
pub(super) const FILE_SIZE: usize = 10_000 * RECORD;

/// Reads the six files of a folder.
///
/// # Errors
/// If one is missing, cannot be read, or is not what it should be.
pub(super) fn read_folder(folder: &Path) -> Result<Data> {
    let mut files = Files::default();
    for name in FILES {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|e| Error::file(&path, e, REMEDY))?;
        files.add(name, bytes).map_err(|problem| Error::file(&path, problem, REMEDY))?;
    }
    files.into_data().map_err(|problem| Error::file(folder, problem, REMEDY))
}

/// What helps when a local copy is not what it should be.
pub(super) const REMEDY: &str = "Delete it to have CIFAR-10 downloaded, or set ERM_DATA to a whole copy \
     (the binary version, cifar-10-binary.tar.gz)";

/// The files read so far; archives hold them in any order.
#[derive(Default)]
pub(super) struct Files([Option<Vec<u8>>; 6]);

impl Files {
    /// Takes a file by its name, and leaves others (`batches.meta.txt`) aside.
    ///
    /// # Errors
    /// What is wrong with the file: its length, or a label that does not exist.
    pub(super) fn add(&mut self, name: &str, bytes: Vec<u8>) -> std::result::Result<(), String> {
        let Some(at) = FILES.iter().position(|file| *file == name) else { return Ok(()) };
        if bytes.len() != FILE_SIZE {
            return Err(format!(
                "{name} should have {FILE_SIZE} bytes (10000 records of {RECORD}), found {}",
                bytes.len()
            ));
        }
        let mut labels = bytes.iter().step_by(RECORD);
        if let Some(record) = labels.position(|&label| usize::from(label) >= CLASSES.len()) {
            let label = bytes[record * RECORD];
            return Err(format!("{name} has label {label} in record {record}, expected 0 to 9"));
        }
        self.0[at] = Some(bytes);
        Ok(())
    }

    /// Both sets, when all six files are there.
    ///
    /// # Errors
    /// Which files are missing.
    pub(super) fn into_data(self) -> std::result::Result<Data, String> {
        let missing = FILES.iter().zip(&self.0).filter(|(_, file)| file.is_none());
        let missing: Vec<_> = missing.map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            return Err(format!("{} is missing", missing.join(", ")));
        }
        let files: Vec<_> = self.0.into_iter().flatten().collect();
        let (train, test) = files.split_at(5);
        Ok(Data {
            train: dataset("CIFAR-10 train", train),
            test: dataset("CIFAR-10 test", test),
            augment: Augment::crop_and_flip(),
        })
    }
}

fn dataset(name: &str, files: &[Vec<u8>]) -> Dataset {
    let n = files.iter().map(Vec::len).sum::<usize>() / RECORD;
    let (mut labels, mut pixels) = (Vec::with_capacity(n), Vec::with_capacity(n * PIXELS));
    for record in files.iter().flat_map(|file| file.chunks_exact(RECORD)) {
        labels.push(usize::from(record[0]));
        pixels.extend_from_slice(&record[1..]);
    }
    let images = Array4::from_shape_vec((n, IMAGE[0], IMAGE[1], IMAGE[2]), pixels);
    Dataset {
        name: name.into(),
        images: Images::Bytes(images.expect("whole records were counted")),
        labels,
        classes: CLASSES.map(String::from).to_vec(),
        origin: (0..n).collect(),
    }
}
