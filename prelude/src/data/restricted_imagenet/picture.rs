//! A picture from its file to bytes of one size, as the authors' library prepares a test picture: the
//! shorter side is made an eighth longer than wanted, and the middle is cut out.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{ImageReader, RgbImage};

use crate::{Error, Result};

/// What to do about a picture that is none.
const REMEDY: &str =
    "Take this file from ImageNet once more, or delete it: the set does without it";

/// A picture with fewer pixels a side shows nothing, however much it is enlarged.
const TINY: u32 = 8;

/// So many times as long as wide is no photograph, and resizing it would take the memory of hundreds.
const LONGEST: u32 = 32;

/// Reads a picture into `out`: 3×side×side bytes, channels first.
///
/// # Errors
/// If the file cannot be read, is no whole JPEG or PNG, or shows a few pixels only.
pub(super) fn read(path: &Path, side: usize, out: &mut [u8]) -> Result<()> {
    let failed = |problem: String| Error::file(path, problem, REMEDY);
    let bytes = fs::read(path).map_err(|e| failed(e.to_string()))?;
    let picture = decoded(&bytes).map_err(failed)?;
    let (width, height) = picture.dimensions();
    if width.min(height) < TINY || width.max(height) > LONGEST * width.min(height) {
        return Err(failed(format!(
            "a picture of at least {TINY} pixels a side, and at most {LONGEST} times as long as wide, was \
             expected, found {width}×{height}"
        )));
    }
    write_middle(&resized(&picture, shorter_side(side)), side, out);
    Ok(())
}

/// The shorter side before the middle of `side` pixels is cut out: 256 for 224.
fn shorter_side(side: usize) -> u32 {
    (side as f64 * 8.0 / 7.0).round() as u32
}

/// Whatever its name says (ImageNet holds a PNG called `.JPEG`); grey and CMYK become RGB.
fn decoded(bytes: &[u8]) -> std::result::Result<RgbImage, String> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(|e| e.to_string())?;
    if reader.format() == Some(image::ImageFormat::Jpeg) && is_cut_off(bytes) {
        return Err("this JPEG is cut off: it has no end".into());
    }
    let picture = reader.decode().map_err(|e| format!("this is no whole JPEG or PNG ({e})"))?;
    Ok(picture.into_rgb8())
}

/// Whether a JPEG lacks the marker at its end; the decoder would leave the missing part grey.
fn is_cut_off(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    // Each segment before the scan has its length; a preview in one of them has an end of its own.
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == START_OF_SCAN {
            return !bytes[at..].windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    // The decoder says what is wrong with headers like these.
    false
}

/// The picture with a shorter side of so many pixels, by linear interpolation over as many pixels as one
/// of the new ones covers, as PIL does it. The longer side is rounded down.
fn resized(picture: &RgbImage, shorter: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let longer = u64::from(shorter) * u64::from(width.max(height)) / u64::from(width.min(height));
    let longer = longer as u32;
    let (width, height) = if width <= height { (shorter, longer) } else { (longer, shorter) };
    imageops::resize(picture, width, height, FilterType::Triangle)
}

/// Writes the middle of a picture, channels first. Half a pixel goes to the even side, as in Python.
fn write_middle(picture: &RgbImage, side: usize, out: &mut [u8]) {
    let (width, height) = picture.dimensions();
    let [left, top] = [width, height]
        .map(|size| ((f64::from(size) - side as f64) / 2.0).round_ties_even() as u32);
    for (channel, plane) in out.chunks_mut(side * side).enumerate() {
        for (place, value) in plane.iter_mut().enumerate() {
            let (row, column) = ((place / side) as u32, (place % side) as u32);
            *value = picture.get_pixel(left + column, top + row).0[channel];
        }
    }
}

#[cfg(test)]
mod tests;
