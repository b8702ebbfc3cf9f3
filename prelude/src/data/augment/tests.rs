//! What happens to a picture, and that nothing else does.

use std::time::Instant;

use super::shift::shift;
use super::*;

/// The pictures of most tests.
const SHAPE: [usize; 3] = [3, 32, 32];

fn image() -> Vec<f32> {
    of_shape(SHAPE)
}

/// Uneven in both directions and different in each channel.
pub(super) fn uneven([channels, height, width]: [usize; 3]) -> Vec<f32> {
    let value = |place: usize| {
        let (c, y, x) = (place / (height * width), place / width % height, place % width);
        ((x * 7 + y * 13 + c * 50 + x * y % 31 * 3) % 256) as f32 / 255.0
    };
    (0..channels * height * width).map(value).collect()
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
        for (down, right) in (-4..=4).flat_map(|down| (-4..=4).map(move |right| (down, right))) {
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
    let candidates: Vec<_> =
        moves().flat_map(|(a, b)| [false, true].map(|flip| cropped(SHAPE, a, b, flip))).collect();
    let mut seen = vec![0; candidates.len()];
    for index in 0..2000 {
        let mut image = image();
        Augment::crop_and_flip().apply(&mut image, SHAPE, &mut Augment::rng(1, 0, index)).unwrap();
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
    assert_eq!(less(Augment::published()), Augment::flip());
    assert_eq!(less(Augment::resized_crop()), Augment::flip());
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
    for shape in [[1, 32, 32], [3, 0, 32]] {
        let mut image = vec![0.0; shape.iter().product()];
        let error = Augment::none().apply(&mut image, shape, &mut Augment::rng(1, 0, 0));
        assert!(error.unwrap_err().to_string().contains("expected an image of 3×height×width"));
    }
}

#[test]
fn an_image_takes_microseconds() {
    let (mut image, start) = (image(), Instant::now());
    for index in 0..10_000 {
        Augment::crop_and_flip().apply(&mut image, SHAPE, &mut Augment::rng(1, 0, index)).unwrap();
    }
    let each = start.elapsed().as_secs_f64() * 1e6 / 10_000.0;
    println!("{each:.2} µs an image");
    assert!(each < 100.0, "{each:.2} µs an image");
}

#[test]
fn the_published_ones_keep_an_image_an_image_of_any_size() {
    for augment in [Augment::published(), Augment::resized_crop()] {
        for shape in [SHAPE, [3, 48, 20], [3, 1, 1]] {
            let still = uneven(shape);
            let changed = |index| {
                let mut image = still.clone();
                augment.apply(&mut image, shape, &mut Augment::rng(1, 0, index)).unwrap();
                assert!(image.iter().all(|v| (0.0..=1.0).contains(v)), "{augment} of {shape:?}");
                image
            };
            assert_eq!(changed(7), changed(7));
            assert!((0..20).any(|index| changed(index) != still), "{augment} of {shape:?}");
        }
    }
}

/// A white picture keeps its black borders whatever its colours become, and a turn by two degrees moves
/// them by half a pixel. Drawn otherwise, up to a quarter of the pixels would differ.
#[test]
fn the_published_one_begins_with_the_crop_of_the_plain_one() {
    let white = |augment: Augment, index| {
        let mut image = vec![1.0; 3072];
        augment.apply(&mut image, SHAPE, &mut Augment::rng(3, 0, index)).unwrap();
        image.iter().map(|v| *v > 0.5).collect::<Vec<_>>()
    };
    for index in 0..20 {
        let (plain, published) =
            (white(Augment::crop_and_flip(), index), white(Augment::published(), index));
        let alike = plain.iter().zip(&published).filter(|(a, b)| a == b).count();
        assert!(alike >= 3072 * 85 / 100, "{index}: {alike}");
    }
}

#[test]
fn each_says_what_it_does() {
    let named = |augment: Augment| augment.to_string();
    assert_eq!(named(Augment::none()), "no augmentation");
    assert_eq!(named(Augment::flip()), "flip");
    assert_eq!(named(Augment::crop_and_flip()), "crop and flip");
    let published = "crop and flip, brightness, contrast and saturation ±0.25, turn ±2°";
    assert_eq!(named(Augment::published()), published);
    let resized = "resized crop and flip, brightness, contrast and saturation ±0.1, light 0.05";
    assert_eq!(named(Augment::resized_crop()), resized);
}
