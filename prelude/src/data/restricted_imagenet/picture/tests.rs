//! Pictures against PIL's and torchvision's, and files that are none.

use super::*;
use crate::fixture::{Scratch, says};
use image::{DynamicImage, ImageFormat, Rgb};

/// Uneven in both directions and different in each channel.
fn uneven(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([0, 1, 2].map(|c| ((x * 7 + y * 13 + c * 50 + x * y % 31 * 3) % 256) as u8))
    })
}

/// PIL rounds the rows to bytes before it goes on with the columns: a difference of one is rounding.
fn agree(what: &str, found: &[u8], expected: &[u8]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let furthest = found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(furthest <= Some(1), "{what}: {found:?}, expected {expected:?}");
}

/// ```python
/// import numpy as np
/// from PIL import Image
/// from torchvision import transforms as t
/// def picture(w, h):
///     y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing="ij")
///     return Image.fromarray(((x * 7 + y * 13 + c * 50 + x * y % 31 * 3) % 256).astype(np.uint8))
/// for (w, h), side in [((100, 60), 16), ((10, 20), 23), ((33, 17), 8)]:
///     a = np.asarray(t.Resize(side)(picture(w, h)))
///     print(a.shape, a[5, :, 0].tolist())
/// ```
#[test]
fn a_resized_picture_is_pils() {
    type Row<'a> = ([u32; 2], u32, [u32; 2], &'a [u8]);
    let rows: [Row; 3] = [
        (
            [100, 60],
            16,
            [26, 16],
            &[
                75, 89, 114, 142, 170, 186, 167, 130, 98, 78, 79, 101, 129, 158, 182, 181, 168,
                117, 87, 70, 89, 117, 142, 167, 181, 187,
            ],
        ),
        (
            [10, 20],
            23,
            [23, 46],
            &[
                25, 27, 32, 37, 43, 49, 54, 60, 65, 70, 76, 82, 87, 93, 98, 104, 109, 114, 120,
                126, 131, 137, 139,
            ],
        ),
        (
            [33, 17],
            8,
            [15, 8],
            &[175, 199, 175, 140, 85, 88, 84, 44, 66, 74, 93, 109, 126, 136, 132],
        ),
    ];
    for ([width, height], shorter, size, expected) in rows {
        let picture = resized(&uneven(width, height), shorter);
        assert_eq!(picture.dimensions(), size.into());
        let row: Vec<u8> = (0..size[0]).map(|x| picture.get_pixel(x, 5).0[0]).collect();
        agree(&format!("{width}×{height} to {shorter}"), &row, expected);
    }
}

/// ```python
/// for (w, h), side in [((100, 60), 14), ((20, 45), 14), ((9, 31), 21)]:
///     both = t.Compose([t.Resize(round(side * 8 / 7)), t.CenterCrop(side)])
///     print(np.asarray(both(picture(w, h)))[3, :, 1].tolist())
/// ```
/// The last has an odd rest to cut off in both directions.
#[test]
fn a_whole_picture_is_torchvisions() {
    let scratch = Scratch::new("imagenet-picture");
    let rows: [([u32; 2], &[u8]); 3] = [
        ([100, 60], &[164, 142, 107, 78, 76, 103, 130, 157, 181, 170, 171, 109, 75, 65]),
        ([20, 45], &[68, 84, 88, 123, 105, 120, 134, 146, 147, 162, 154, 175, 189, 204]),
        (
            [9, 31],
            &[
                209, 209, 178, 114, 49, 90, 152, 193, 129, 65, 38, 49, 59, 50, 38, 30, 46, 62, 62,
                43, 24,
            ],
        ),
    ];
    for ([width, height], expected) in rows {
        // A PNG under the name of a JPEG, as in ImageNet.
        let path = scratch.path().join("picture.JPEG");
        uneven(width, height).save_with_format(&path, ImageFormat::Png).unwrap();
        let side = expected.len();
        let mut out = vec![0; 3 * side * side];
        read(&path, side, &mut out).unwrap();
        let row = side * side + 3 * side;
        agree(&format!("{width}×{height}"), &out[row..row + side], expected);
    }
    assert_eq!([224, 64, 48].map(shorter_side), [256, 73, 55]);
}

#[test]
fn a_grey_picture_has_three_equal_channels_and_a_jpeg_is_near_what_it_shows() {
    let scratch = Scratch::new("imagenet-grey");
    let path = scratch.path().join("grey.JPEG");
    let smooth = RgbImage::from_fn(40, 40, |x, y| Rgb([3 * x as u8, 3 * y as u8, 90]));
    let mut out = vec![0; 3 * 14 * 14];
    DynamicImage::ImageRgb8(smooth.clone()).to_luma8().save(&path).unwrap();
    read(&path, 14, &mut out).unwrap();
    let (red, rest) = out.split_at(14 * 14);
    assert!(red == &rest[..14 * 14] && red == &rest[14 * 14..]);
    assert!(red.iter().max().unwrap() - red.iter().min().unwrap() > 40);

    smooth.save(&path).unwrap();
    read(&path, 14, &mut out).unwrap();
    let mut expected = out.clone();
    write_middle(&resized(&smooth, 16), 14, &mut expected);
    // What a JPEG of middling quality loses of a ramp.
    assert!(out.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 12));
}

/// ```python
/// Image.new("CMYK", (32, 32), (40, 160, 200, 30)).save("cmyk.jpeg", quality=95)
/// print(Image.open("cmyk.jpeg").convert("RGB").getpixel((5, 5)))
/// ```
#[test]
fn a_cmyk_picture_has_pils_colours() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pictures/cmyk.jpeg");
    let mut out = vec![0; 3 * 14 * 14];
    read(path.as_ref(), 14, &mut out).unwrap();
    for (plane, expected) in out.chunks(14 * 14).zip([190_u8, 84, 49]) {
        // Two decoders and two ways from four colours to three may round differently.
        assert!(plane.iter().all(|value| value.abs_diff(expected) <= 2), "{plane:?} {expected}");
    }
}

#[test]
fn what_is_no_picture_is_an_error_that_names_the_file() {
    let scratch = Scratch::new("imagenet-broken");
    let path = scratch.path().join("n1.JPEG");
    let refused = |bytes: &[u8], parts: &[&str]| {
        fs::write(&path, bytes).unwrap();
        says(read(&path, 14, &mut [0; 3 * 14 * 14]), &["n1.JPEG", "or delete it"]);
        says(read(&path, 14, &mut [0; 3 * 14 * 14]), parts);
    };
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        uneven(40, 30).save_with_format(&path, format).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in [0, 1, 10, whole.len() / 2, whole.len() * 9 / 10, whole.len() - 14] {
            refused(&whole[..length], &[]);
        }
    }
    uneven(40, 30).save_with_format(&path, ImageFormat::Jpeg).unwrap();
    let whole = fs::read(&path).unwrap();
    refused(&whole[..whole.len() - 2], &["this JPEG is cut off"]);
    refused(b"<html>no picture</html>", &["no whole JPEG or PNG"]);
    for (width, height) in [(7, 40), (1, 1), (2000, 10)] {
        uneven(width, height).save_with_format(&path, ImageFormat::Png).unwrap();
        let tiny = fs::read(&path).unwrap();
        refused(&tiny, &["at least 8 pixels a side", &format!("found {width}×{height}")]);
    }
    says(read(&scratch.path().join("gone.JPEG"), 14, &mut [0; 588]), &["gone.JPEG"]);
}
