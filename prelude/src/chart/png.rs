//! One picture as a PNG, enlarged without blur, in base64 as an SVG embeds it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::imageops::{self, FilterType as Resampling};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};

use crate::data::Images;
use crate::{Error, Result};

/// Picture `index` of `images`, every pixel `factor` pixels wide and high.
///
/// # Errors
/// If `images` has neither one channel (grey) nor three (red, green, blue), or no pixels.
pub(super) fn base64(images: &Images, index: usize, factor: u32) -> Result<String> {
    let small = picture(images, index)?;
    let (width, height) = (small.width() * factor, small.height() * factor);
    let large = imageops::resize(&small, width, height, Resampling::Nearest);
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
        .write_image(&large, width, height, ExtendedColorType::Rgb8)
        .map_err(|problem| {
            Error::invalid("a picture that fits a PNG", problem.to_string(), "Show a smaller one.")
        })?;
    Ok(STANDARD.encode(png))
}

fn picture(images: &Images, index: usize) -> Result<RgbImage> {
    let [_, channels, height, width] = images.shape();
    if !(channels == 1 || channels == 3) || height == 0 || width == 0 {
        return Err(Error::invalid(
            "images of shape (n, 3, height, width), or with 1 channel for grey",
            format!("{:?}", images.shape()),
            "Bring the axes into this order: image, channel, row, column.",
        ));
    }
    let mut values = vec![0.0; images.pixels()];
    images.copy_into(index, &mut values);
    let byte = |channel: usize, x: u32, y: u32| {
        let place = ((channel % channels) * height + y as usize) * width + x as usize;
        (values[place].clamp(0.0, 1.0) * 255.0).round() as u8
    };
    Ok(RgbImage::from_fn(width as u32, height as u32, |x, y| {
        Rgb([byte(0, x, y), byte(1, x, y), byte(2, x, y)])
    }))
}

#[cfg(test)]
mod tests {
    use ndarray::Array4;

    use super::*;

    #[test]
    fn a_picture_comes_back_from_its_png_with_every_pixel_enlarged() {
        let image =
            Array4::from_shape_fn((2, 3, 2, 2), |(n, c, y, x)| (n + c + 2 * y + x) as f32 / 10.0);
        let text = base64(&image.into(), 1, 3).unwrap();
        let back = image::load_from_memory(&STANDARD.decode(text).unwrap()).unwrap().to_rgb8();
        assert_eq!(back.dimensions(), (6, 6));
        let byte = |tenths: u32| (tenths as f32 / 10.0 * 255.0).round() as u8;
        for (x, y, pixel) in back.enumerate_pixels() {
            let first = 1 + 2 * (y / 3) + x / 3;
            assert_eq!(pixel.0, [byte(first), byte(first + 1), byte(first + 2)]);
        }
    }

    #[test]
    fn values_outside_the_range_are_clamped_and_grey_is_grey() {
        let grey = Array4::from_shape_vec((1, 1, 1, 2), vec![-0.5, 7.0]).unwrap();
        let picture = picture(&grey.into(), 0).unwrap();
        assert_eq!(picture.into_raw(), [0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn axes_in_another_order_are_refused_with_the_right_order() {
        let last = Images::from(Array4::<f32>::zeros((1, 4, 4, 3)));
        let message = base64(&last, 0, 1).unwrap_err().to_string();
        assert!(message.contains("[1, 4, 4, 3]") && message.contains("channel, row"), "{message}");
    }
}
