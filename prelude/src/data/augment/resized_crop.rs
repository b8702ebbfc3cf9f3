//! A part of an image, enlarged or reduced to the image's own size.

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The share of the image's area that is cut out.
const AREA: (f64, f64) = (0.08, 1.0);

/// How many times as wide as high a part is at most, and as high as wide.
const OBLONG: f64 = 4.0 / 3.0;

/// How often another part is drawn where one does not fit into the image.
const TRIALS: usize = 10;

/// A part of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

/// Makes of an image of `[height, width]` a random part of itself, of its own size.
pub(super) fn randomly(image: &mut [f32], size: [usize; 2], rng: &mut ChaCha8Rng) {
    let part = Part::draw(size, rng);
    for channel in image.chunks_mut(size[0] * size[1]) {
        let new = resized(channel, size[1], part, size);
        channel.copy_from_slice(&new);
    }
}

impl Part {
    fn draw([height, width]: [usize; 2], rng: &mut ChaCha8Rng) -> Self {
        for _ in 0..TRIALS {
            let area = (height * width) as f64 * rng.gen_range(AREA.0..=AREA.1);
            let ratio = rng.gen_range(-OBLONG.ln()..=OBLONG.ln()).exp();
            let [w, h] =
                [area * ratio, area / ratio].map(|it| it.sqrt().round_ties_even() as usize);
            if (1..=width).contains(&w) && (1..=height).contains(&h) {
                let (top, left) = (rng.gen_range(0..=height - h), rng.gen_range(0..=width - w));
                return Self { top, left, height: h, width: w };
            }
        }
        Self::middle([height, width])
    }

    /// The largest part from the middle that is no more oblong than a drawn one may be.
    fn middle([height, width]: [usize; 2]) -> Self {
        let longest = |shorter: usize| (shorter as f64 * OBLONG).round_ties_even() as usize;
        let (h, w) = (height.min(longest(width)), width.min(longest(height)));
        Self { top: (height - h) / 2, left: (width - w) / 2, height: h, width: w }
    }
}

/// A part of a channel that is `width` wide, in another size, by linear interpolation over as many pixels
/// as one of the new ones covers.
fn resized(
    channel: &[f32],
    width: usize,
    part: Part,
    [to_height, to_width]: [usize; 2],
) -> Vec<f32> {
    let size = |number: usize| number as u32;
    let whole =
        ImageBuffer::<Luma<f32>, _>::from_raw(size(width), size(channel.len() / width), channel);
    let whole = whole.expect("a channel has rows of its width");
    let Part { top, left, height, width } = part;
    let part = imageops::crop_imm(&whole, size(left), size(top), size(width), size(height));
    imageops::resize(&*part, size(to_width), size(to_height), FilterType::Triangle).into_raw()
}

#[cfg(test)]
mod tests {
    use super::super::tests::uneven;
    use super::*;
    use rand::SeedableRng;

    /// ```python
    /// for crop, side in [((3, 5, 20, 26), (30, 40)), ((1, 2, 28, 37), (9, 7))]:  # `picture` as in `colour.rs`
    ///     r = f.resized_crop(picture(40, 30), *crop, list(side), antialias=True)
    ///     print([round(v, 5) for v in r[1, 4].tolist()], [round(v, 5) for v in r[2, :, 5].tolist()])
    /// ```
    #[test]
    fn a_resized_part_is_torchvisions() {
        type Row<'a> = ([usize; 4], [usize; 2], &'a [f32], &'a [f32]);
        let rows: [Row; 2] = [
            (
                [3, 5, 20, 26],
                [30, 40],
                &[0.93725, 0.89441, 0.83578, 0.77716, 0.79603, 0.81828, 0.55191, 0.47377, 0.52912],
                &[0.04784, 0.44044, 0.84482, 0.89194, 0.5124, 0.14085, 0.21993, 0.14402, 0.07266],
            ),
            (
                [1, 2, 28, 37],
                [9, 7],
                &[0.26398, 0.37401, 0.51927, 0.65666, 0.71397, 0.63585, 0.37536],
                &[0.51231, 0.63871, 0.71973, 0.5392, 0.35562, 0.28307, 0.42941, 0.58649, 0.65415],
            ),
        ];
        let image = uneven([3, 30, 40]);
        let [_, green, blue] = [0, 1, 2].map(|channel| &image[channel * 1200..][..1200]);
        for ([top, left, height, width], size, row, column) in rows {
            let part = Part { top, left, height, width };
            let found = resized(green, 40, part, size);
            agree(&found[4 * size[1]..][..row.len()], row);
            let found: Vec<f32> =
                resized(blue, 40, part, size).into_iter().skip(5).step_by(size[1]).collect();
            agree(&found[..column.len()], column);
        }
    }

    /// Half of the literals' last digit, and the rounding of sums of at most 100 terms.
    fn agree(found: &[f32], expected: &[f32]) {
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 5e-6 + 6e-6;
        assert!(found.iter().zip(expected).all(near), "{found:?} {expected:?}");
    }

    #[test]
    fn parts_lie_inside_and_have_the_areas_and_shapes_that_they_may_have() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let parts: Vec<Part> = (0..2000).map(|_| Part::draw([224, 224], &mut rng)).collect();
        let areas = parts.iter().map(|part| (part.height * part.width) as f64 / 224.0_f64.powi(2));
        let ratios = parts.iter().map(|part| part.width as f64 / part.height as f64);
        let range = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((9.0_f64, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)))
        };
        // Sides are whole pixels: the smallest are 60 or so, and a rounding moves them by a hundredth.
        let (low, high) = range(&mut areas.clone());
        assert!((0.078..0.1).contains(&low) && (0.9..=1.0).contains(&high), "{low} {high}");
        let (low, high) = range(&mut ratios.clone());
        assert!((0.74..0.78).contains(&low) && (1.3..1.35).contains(&high), "{low} {high}");
        assert!(
            parts.iter().all(|part| part.top + part.height <= 224 && part.left + part.width <= 224)
        );
        assert!(
            parts.iter().any(|part| part.top > 100) && parts.iter().any(|part| part.left > 100)
        );
    }

    #[test]
    fn an_image_too_oblong_for_any_part_gives_its_middle() {
        let middle = |size| Part::middle(size);
        assert_eq!(middle([10, 100]), Part { top: 0, left: 43, height: 10, width: 13 });
        assert_eq!(middle([100, 10]), Part { top: 43, left: 0, height: 13, width: 10 });
        assert_eq!(middle([30, 40]), Part { top: 0, left: 0, height: 30, width: 40 });
        assert_eq!(Part::draw([1, 100], &mut ChaCha8Rng::seed_from_u64(1)).height, 1);
    }

    #[test]
    fn the_whole_image_in_its_own_size_is_itself() {
        let image = uneven([1, 6, 9]);
        let whole = Part { top: 0, left: 0, height: 6, width: 9 };
        assert_eq!(resized(&image, 9, whole, [6, 9]), image);
    }
}
