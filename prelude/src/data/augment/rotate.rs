//! An image turned around its middle.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Turns an image by an angle drawn evenly from `−degrees` to `degrees`.
pub(super) fn randomly(image: &mut [f32], size: [usize; 2], degrees: f64, rng: &mut ChaCha8Rng) {
    rotate(image, size, rng.gen_range(-degrees..=degrees));
}

/// Turns an image of `[height, width]` against the clock; each new pixel is the nearest old one, and black
/// where there was none.
fn rotate(image: &mut [f32], [height, width]: [usize; 2], degrees: f64) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let from_middle = |place: usize, size: usize| place as f64 - (size as f64 - 1.0) / 2.0;
    let nearest = |along: f64, size: usize| {
        let place = (along + (size as f64 - 1.0) / 2.0).round_ties_even();
        (0.0..size as f64).contains(&place).then_some(place as usize)
    };
    let sources: Vec<Option<usize>> = (0..height * width)
        .map(|place| {
            let (y, x) = (from_middle(place / width, height), from_middle(place % width, width));
            let row = nearest(sin * x + cos * y, height)?;
            Some(row * width + nearest(cos * x - sin * y, width)?)
        })
        .collect();
    for channel in image.chunks_mut(height * width) {
        let still = channel.to_vec();
        for (value, source) in channel.iter_mut().zip(&sources) {
            *value = source.map_or(0.0, |source| still[source]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::uneven;
    use super::*;
    use rand::SeedableRng;

    /// ```python
    /// for angle in [1.7, -2.0]:  # `picture` as in `colour.rs`
    ///     r = f.rotate(picture(40, 30), angle) * 255
    ///     print(r[0, 0].round().int().tolist(), r[1, 27].round().int().tolist())
    /// ```
    #[test]
    fn a_turned_image_is_torchvisions() {
        let rows: [(f64, [[u8; 40]; 2]); 2] = [
            (
                1.7,
                [
                    [
                        0, 0, 0, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 91, 98, 105, 112, 119,
                        126, 133, 140, 147, 154, 161, 168, 175, 182, 189, 196, 203, 210, 217, 224,
                        231, 238, 245, 252, 34, 44, 54,
                    ],
                    [
                        132, 217, 209, 223, 218, 213, 208, 203, 35, 30, 25, 20, 15, 10, 5, 0, 88,
                        83, 78, 73, 68, 63, 58, 53, 141, 136, 131, 126, 121, 116, 111, 106, 194,
                        189, 184, 179, 174, 200, 198, 196,
                    ],
                ],
            ),
            (
                -2.0,
                [
                    [
                        13, 23, 33, 43, 53, 63, 42, 49, 56, 63, 63, 70, 77, 84, 91, 98, 105, 112,
                        119, 126, 133, 140, 147, 154, 161, 168, 175, 182, 189, 196, 203, 210, 217,
                        224, 231, 0, 0, 0, 0, 0,
                    ],
                    [
                        158, 249, 247, 245, 243, 213, 208, 203, 35, 30, 25, 20, 15, 10, 5, 0, 88,
                        83, 78, 73, 68, 63, 58, 53, 141, 136, 131, 126, 121, 116, 111, 106, 194,
                        189, 162, 154, 146, 138, 223, 215,
                    ],
                ],
            ),
        ];
        for (degrees, [first, last]) in rows {
            let mut image = uneven([3, 30, 40]);
            rotate(&mut image, [30, 40], degrees);
            for (start, expected) in [(0, first), ((30 + 27) * 40, last)] {
                let row: Vec<u8> =
                    image[start..start + 40].iter().map(|v| (v * 255.0).round() as u8).collect();
                assert_eq!(row, expected, "{degrees}");
            }
        }
    }

    #[test]
    fn no_angle_moves_nothing_and_a_right_one_moves_whole_rows() {
        for size in [[4, 4], [5, 5], [7, 4]] {
            let mut image = uneven([3, size[0], size[1]]);
            let still = image.clone();
            rotate(&mut image, size, 0.0);
            assert_eq!(image, still);
        }
        // Against the clock, the right column comes to the top.
        let mut image = vec![1.0, 2.0, 3.0, 4.0];
        rotate(&mut image, [2, 2], 90.0);
        assert_eq!(image, [2.0, 4.0, 1.0, 3.0]);
    }

    /// At the right end of a middle row, the old pixel lies up to 0.7 rows above or below.
    #[test]
    fn angles_come_from_both_sides() {
        let still = uneven([1, 40, 40]);
        let end_of = |row: usize| still[row * 40 + 39];
        let mut seen = [0; 3];
        for seed in 0..60 {
            let mut image = still.clone();
            randomly(&mut image, [40, 40], 2.0, &mut ChaCha8Rng::seed_from_u64(seed));
            let found = image[20 * 40 + 39];
            seen[[19, 20, 21].map(end_of).iter().position(|end| *end == found).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&count| count > 0), "{seen:?}");
    }
}
