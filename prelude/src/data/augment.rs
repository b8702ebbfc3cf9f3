//! Random crops and mirror images, so that a net sees no training picture twice.

use std::fmt;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result};

crate::show::shows_as_text!(Augment);

/// What happens to a training picture before the net sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Augment(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nothing,
    Flip,
    CropAndFlip,
}

/// How far a picture moves at most, in pixels: the paper's library pads by 4 before it crops.
const PAD: usize = 4;

impl Augment {
    /// Pictures stay as they are.
    pub fn none() -> Self {
        Self(Kind::Nothing)
    }

    /// Mirrors every second picture left to right. Unlike a crop it moves no pixel off its
    /// neighbours, so what an attack wrote stays whole.
    pub fn flip() -> Self {
        Self(Kind::Flip)
    }

    /// Pads with 4 black pixels on each side, crops the picture's own size at a random place, and mirrors
    /// every second picture left to right.
    pub fn crop_and_flip() -> Self {
        Self(Kind::CropAndFlip)
    }

    /// The same augmentation less the crop, for students of perturbed pictures: a perturbation that
    /// is cut off at a new border is no longer what the attack wrote.
    pub fn without_crop(self) -> Self {
        match self.0 {
            Kind::CropAndFlip => Self::flip(),
            Kind::Nothing | Kind::Flip => self,
        }
    }

    /// Changes one image in place; `shape`: its channels, height and width, whose values `image` holds
    /// in that order.
    ///
    /// # Errors
    /// If `image` does not hold as many values, or none.
    pub fn apply(&self, image: &mut [f32], shape: [usize; 3], rng: &mut ChaCha8Rng) -> Result<()> {
        let [channels, height, width] = shape;
        if image.is_empty() || image.len() != channels * height * width {
            return Err(Error::invalid(
                format!("an image of {channels}×{height}×{width} values"),
                format!("{}", image.len()),
                "Pass one image at a time, with its own shape",
            ));
        }
        match self.0 {
            Kind::Nothing => {}
            Kind::Flip => flip_every_second(image, width, rng),
            Kind::CropAndFlip => {
                let [down, right] = [(); 2].map(|()| rng.gen_range(-(PAD as isize)..=PAD as isize));
                flip_every_second(image, width, rng);
                image
                    .chunks_mut(height * width)
                    .for_each(|channel| shift(channel, width, down, right));
            }
        }
        Ok(())
    }

    /// The random numbers for one image in one epoch. They depend on nothing else, so neither
    /// batches nor threads change what an image becomes.
    pub fn rng(seed: u64, epoch: usize, index: usize) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(((epoch as u64) << 32) + index as u64);
        rng
    }
}

fn flip_every_second(image: &mut [f32], width: usize, rng: &mut ChaCha8Rng) {
    if rng.gen_bool(0.5) {
        image.chunks_mut(width).for_each(<[f32]>::reverse);
    }
}

/// `crop and flip`, `flip` or `no augmentation`.
impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Nothing => "no augmentation",
            Kind::Flip => "flip",
            Kind::CropAndFlip => "crop and flip",
        })
    }
}

/// Moves one channel by whole pixels, and fills with black what comes in from outside.
fn shift(channel: &mut [f32], width: usize, down: isize, right: isize) {
    let rows = (channel.len() / width) as isize;
    let whole = down * width as isize + right;
    let distance = whole.unsigned_abs().min(channel.len());
    // One move of everything also wraps row ends onto the next rows; the borders blank them.
    if whole >= 0 {
        channel.copy_within(..channel.len() - distance, distance);
    } else {
        channel.copy_within(distance.., 0);
    }
    let blank = right.unsigned_abs().min(width);
    for (row, values) in channel.chunks_mut(width).enumerate() {
        let from = row as isize - down;
        if !(0..rows).contains(&from) {
            values.fill(0.0);
        } else if right >= 0 {
            values[..blank].fill(0.0);
        } else {
            values[width - blank..].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// The pictures of most tests.
    const SHAPE: [usize; 3] = [3, 32, 32];

    fn image() -> Vec<f32> {
        of_shape(SHAPE)
    }

    fn of_shape(shape: [usize; 3]) -> Vec<f32> {
        let pixels: usize = shape.iter().product();
        (1..=pixels).map(|i| i as f32 / pixels as f32).collect()
    }

    /// The definition, written out: pixel by pixel from the padded picture.
    fn cropped(shape: [usize; 3], down: isize, right: isize, mirrored: bool) -> Vec<f32> {
        let [channels, height, width] = shape;
        let image = of_shape(shape);
        let at = |c: usize, row: isize, column: isize| {
            let inside = |v: isize, size: usize| (0..size as isize).contains(&v);
            if !inside(row, height) || !inside(column, width) {
                return 0.0;
            }
            let column = if mirrored { width as isize - 1 - column } else { column };
            image[(c * height + row as usize) * width + column as usize]
        };
        let place =
            |i: usize| (i / (height * width), (i / width % height) as isize, (i % width) as isize);
        (0..channels * height * width)
            .map(place)
            .map(|(c, row, column)| at(c, row - down, column - right))
            .collect()
    }

    #[test]
    fn every_shift_equals_a_crop_of_the_padded_picture() {
        // The last two are smaller than the padding.
        for shape in [SHAPE, [3, 12, 48], [3, 48, 5], [3, 3, 2], [1, 1, 1]] {
            for (down, right) in (-4..=4).flat_map(|down| (-4..=4).map(move |right| (down, right)))
            {
                let mut moved = of_shape(shape);
                let plane = shape[1] * shape[2];
                moved.chunks_mut(plane).for_each(|it| shift(it, shape[2], down, right));
                assert_eq!(moved, cropped(shape, down, right, false), "{shape:?} {down} {right}");
            }
        }
    }

    #[test]
    fn all_crops_and_both_sides_come_up_and_nothing_else() {
        let moves = || (-4..=4).flat_map(|down| (-4..=4).map(move |right| (down, right)));
        let candidates: Vec<_> = moves()
            .flat_map(|(a, b)| [false, true].map(|flip| cropped(SHAPE, a, b, flip)))
            .collect();
        let mut seen = vec![0; candidates.len()];
        for index in 0..2000 {
            let mut image = image();
            Augment::crop_and_flip()
                .apply(&mut image, SHAPE, &mut Augment::rng(1, 0, index))
                .unwrap();
            // The first half's first difference is found early, so this comparison is cheap.
            seen[candidates.iter().position(|c| *c == image).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&n| n > 0), "{seen:?}");
    }

    #[test]
    fn without_a_crop_only_the_mirror_is_left() {
        let less = |augment: Augment| augment.without_crop();
        assert_eq!(less(Augment::crop_and_flip()), Augment::flip());
        assert_eq!(less(Augment::flip()), Augment::flip());
        assert_eq!(less(Augment::none()), Augment::none());
    }

    #[test]
    fn a_flip_leaves_the_picture_or_mirrors_it() {
        for shape in [SHAPE, [3, 7, 48]] {
            let [whole, mirrored] = [false, true].map(|flip| cropped(shape, 0, 0, flip));
            let mut seen = [0, 0];
            for index in 0..200 {
                let mut image = of_shape(shape);
                Augment::flip().apply(&mut image, shape, &mut Augment::rng(1, 0, index)).unwrap();
                assert!(image == whole || image == mirrored);
                seen[usize::from(image == mirrored)] += 1;
            }
            assert!(seen.iter().all(|&n| n > 60), "{seen:?}");
        }
    }

    #[test]
    fn an_image_depends_on_seed_epoch_and_index_alone() {
        let crop = |seed, epoch, index| {
            let mut image = image();
            Augment::crop_and_flip()
                .apply(&mut image, SHAPE, &mut Augment::rng(seed, epoch, index))
                .unwrap();
            image
        };
        assert_eq!(crop(1, 2, 3), crop(1, 2, 3));
        let differ = |a: fn(u64) -> (u64, usize, usize)| {
            (0..20).any(|i| {
                let (seed, epoch, index) = a(i);
                crop(seed, epoch, index) != crop(0, 0, 0)
            })
        };
        assert!(differ(|i| (i, 0, 0)) && differ(|i| (0, i as usize, 0)));
        assert!(differ(|i| (0, 0, i as usize)));
    }

    #[test]
    fn none_changes_nothing_and_a_wrong_size_is_an_error() {
        let mut same = image();
        Augment::none().apply(&mut same, SHAPE, &mut Augment::rng(1, 0, 0)).unwrap();
        assert_eq!(same, image());
        let error = Augment::none().apply(&mut same[..10], SHAPE, &mut Augment::rng(1, 0, 0));
        assert!(error.unwrap_err().to_string().contains("found 10"));
    }

    #[test]
    fn an_image_takes_microseconds() {
        let (mut image, start) = (image(), Instant::now());
        for index in 0..10_000 {
            Augment::crop_and_flip()
                .apply(&mut image, SHAPE, &mut Augment::rng(1, 0, index))
                .unwrap();
        }
        let each = start.elapsed().as_secs_f64() * 1e6 / 10_000.0;
        println!("{each:.2} µs an image");
        assert!(each < 100.0, "{each:.2} µs an image");
    }
}
