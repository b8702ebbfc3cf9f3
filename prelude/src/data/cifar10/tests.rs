//! Local copies, whole and broken. What the download does is tested beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::Images;
use super::records::{FILE_SIZE, FILES};
use super::*;

const RECORD: usize = 3073;

/// An empty folder of this test's own.
pub(super) fn folder(test: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("erm-cifar-{test}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// 10 000 records: label `i % 10`, every pixel `file`, but the very first one 255.
fn file(index: usize) -> Vec<u8> {
    let mut bytes = vec![index as u8; FILE_SIZE];
    bytes.iter_mut().step_by(RECORD).enumerate().for_each(|(i, label)| *label = (i % 10) as u8);
    bytes[1] = 255;
    bytes
}

fn write_archive(path: &Path, names: &[&str], mut change: impl FnMut(&str, &mut Vec<u8>)) {
    let gzip = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for name in names {
        let mut bytes = FILES.iter().position(|f| f == name).map_or(b"names".to_vec(), file);
        change(name, &mut bytes);
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, format!("cifar-10-batches-bin/{name}"), &bytes[..]).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}

fn is_the_test_copy(data: &Data) {
    data.train.check().unwrap();
    data.test.check().unwrap();
    assert_eq!((data.train.len(), data.test.len()), (50_000, 10_000));
    assert_eq!(data.train.per_class().unwrap(), [5_000; 10]);
    let Images::Bytes(images) = &data.train.images else { panic!("bytes stay bytes") };
    // The files lie one after the other, in the order of their numbers.
    assert_eq!(
        [images[[0, 0, 0, 0]], images[[0, 0, 0, 1]], images[[49_999, 2, 31, 31]]],
        [255, 0, 4]
    );
    assert_eq!(data.train.labels[10_003], 3);
    assert_eq!(data.test.origin[7], 7);
}

#[test]
fn a_folder_an_archive_and_a_folder_with_either_all_hold_the_data() {
    let folder = folder("places");
    let archive = folder.join(ARCHIVE);
    // The published archive has its files in no particular order, and one that is no data.
    let order = [FILES[5], FILES[1], "batches.meta.txt", FILES[0], FILES[4], FILES[3], FILES[2]];
    write_archive(&archive, &order, |_, _| {});
    assert_eq!(place::named(&folder).unwrap(), Some(Place::Archive(archive.clone())));
    is_the_test_copy(&read(&Place::Archive(archive)).unwrap());

    let unpacked = folder.join("cifar-10-batches-bin");
    fs::create_dir(&unpacked).unwrap();
    for (index, name) in FILES.iter().enumerate() {
        fs::write(unpacked.join(name), file(index)).unwrap();
    }
    for named in [&folder, &unpacked] {
        assert_eq!(place::named(named).unwrap(), Some(Place::Folder(unpacked.clone())));
    }
    is_the_test_copy(&read(&Place::Folder(unpacked.clone())).unwrap());

    fs::remove_file(unpacked.join(FILES[2])).unwrap();
    let error = read(&Place::Folder(unpacked)).unwrap_err().to_string();
    assert!(error.contains("data_batch_3.bin") && error.contains("ERM_DATA"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_path_with_nothing_there_is_an_error_and_a_folder_without_cifar_is_not() {
    let folder = folder("nothing");
    assert_eq!(place::named(&folder).unwrap(), None);
    let error = place::named(&folder.join("gone")).unwrap_err().to_string();
    assert!(error.contains("gone") && error.contains("unset"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn broken_archives_are_errors_that_name_the_trouble() {
    let folder = folder("broken");
    let path = folder.join(ARCHIVE);
    let error = || read(&Place::Archive(path.clone())).unwrap_err().to_string();
    let has = |part: &str| assert!(error().contains(part), "`{part}` is not in: {}", error());

    write_archive(&path, &FILES[..2], |_, _| {});
    has("data_batch_3.bin, data_batch_4.bin, data_batch_5.bin, test_batch.bin is missing");

    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    has("no complete .tar.gz archive");
    // Only the gzip checksum, at the very end, is damaged: the files themselves arrive.
    let mut damaged = whole.clone();
    let crc = damaged.len() - 8;
    damaged[crc] ^= 1;
    fs::write(&path, &damaged).unwrap();
    has("no complete .tar.gz archive");
    fs::write(&path, b"<html>not an archive</html>").unwrap();
    has("no complete .tar.gz archive");

    write_archive(&path, &FILES[..1], |_, bytes| bytes.truncate(FILE_SIZE - 1));
    has("data_batch_1.bin should have 30730000 bytes");
    write_archive(&path, &FILES[..1], |_, bytes| bytes.push(0));
    has("found 30730001");
    write_archive(&path, &FILES[..1], |_, bytes| bytes[7 * RECORD] = 10);
    has("label 10 in record 7");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_real_archive_has_the_published_statistics() {
    let Some(path) = std::env::var_os("ERM_DATA") else {
        println!("skipped: set ERM_DATA to a folder with CIFAR-10 to test on the real pictures");
        return;
    };
    let place = place::named(path.as_ref()).unwrap().expect("ERM_DATA holds CIFAR-10");
    let start = Instant::now();
    let data = read(&place).unwrap();
    println!("60000 images read in {:.2} s", start.elapsed().as_secs_f64());
    data.train.check().unwrap();
    data.test.check().unwrap();
    assert_eq!(data.train.per_class().unwrap(), [5_000; 10]);
    assert_eq!(data.test.per_class().unwrap(), [1_000; 10]);
    let (mean, std) = data.train.mean_std().unwrap();
    let near = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(near(mean, [0.4914, 0.4822, 0.4465]), "{mean:?}");
    assert!(near(std, [0.2470, 0.2435, 0.2616]), "{std:?}");
}
