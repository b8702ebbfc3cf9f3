//! Reading CIFAR-10 straight out of its `.tar.gz`, which needs no room for the unpacked files.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use tar::{Archive, Entry};

use super::super::Data;
use super::records::{FILE_SIZE, Files, REMEDY};
use crate::{Error, Result};

/// Reads the six files of the archive at `path`.
///
/// # Errors
/// If it is not a complete gzipped tar archive, or its files are missing or not what they should
/// be. Its checksum is not asked: a repacked archive with whole files will do.
pub(super) fn read(path: &Path) -> Result<Data> {
    let problem = |problem: String| Error::file(path, problem, REMEDY);
    let file = File::open(path).map_err(|e| problem(e.to_string()))?;
    read_files(BufReader::with_capacity(1 << 17, file)).and_then(Files::into_data).map_err(problem)
}

fn read_files(compressed: impl io::BufRead) -> std::result::Result<Files, String> {
    let damaged = |e: io::Error| format!("this is no complete .tar.gz archive ({e})");
    let mut tar = Archive::new(GzDecoder::new(compressed));
    let mut files = Files::default();
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = file_name(&entry);
        files.add(&name, read_entry(&mut entry).map_err(damaged)?)?;
    }
    // The end of the tar is not the end of the gzip: its own checksum comes last.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(damaged)?;
    Ok(files)
}

fn file_name<R: Read>(entry: &Entry<R>) -> String {
    let path = entry.path().ok();
    let name = path.as_ref().and_then(|path| path.file_name());
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// At most one byte more than a right file has, so that a wrong archive cannot fill the memory.
fn read_entry<R: Read>(entry: &mut Entry<R>) -> io::Result<Vec<u8>> {
    let expected = entry.size().min(FILE_SIZE as u64 + 1);
    let mut bytes = Vec::with_capacity(expected as usize);
    entry.take(expected).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < expected {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a file"));
    }
    Ok(bytes)
}
