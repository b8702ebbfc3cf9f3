use std::time::Instant;

use ndarray::Axis;

use super::*;
use crate::show::interrupted_after;

fn images(set: &Dataset) -> &Array4<u8> {
    match &set.images {
        Images::Bytes(bytes) => bytes,
        Images::Floats(_) => panic!("See-Far is stored as bytes"),
    }
}

/// The ten patterns of one kind at every place where they are looked for, and how much the kind
/// counts beside others.
struct Filters<'a> {
    patterns: &'a [Pattern],
    shifts: Vec<[i32; 2]>,
    weight: f32,
}

impl<'a> Filters<'a> {
    /// Visible patterns are smooth, so that every second pixel is near enough.
    fn visible(maker: &'a SeeFar) -> Self {
        let shifts = [-2, 0, 2].iter().flat_map(|&a| [-2, 0, 2].map(|b| [a, b])).collect();
        Self { patterns: &maker.visible, shifts, weight: 1.0 }
    }

    /// A faint pattern that is there is never wrong, so it outweighs a visible one.
    fn faint(maker: &'a SeeFar) -> Self {
        Self { patterns: &maker.faint, shifts: vec![[0, 0]], weight: 2.0 }
    }

    /// How much of each class's pattern is in `image`, at the place where there is most of it.
    fn scores(&self, image: &[f32]) -> Vec<f32> {
        let score = |pattern: &Pattern| {
            let norm = pattern.to_array().mapv(|v| v * v).sum();
            let along = self.shifts.iter().map(|&shift| {
                let mut moved = vec![0.0; PIXELS];
                pattern.add_to(&mut moved, shift);
                moved.iter().zip(image).map(|(a, b)| a * b).sum::<f32>()
            });
            self.weight * along.fold(f32::MIN, f32::max) / norm
        };
        self.patterns.iter().map(score).collect()
    }
}

/// The share of `set` that is right when each image is given the class whose patterns it holds
/// most of.
fn matched(set: &Dataset, filters: &[Filters]) -> f64 {
    let right = |index: &usize| {
        let mut image = vec![0.0; PIXELS];
        set.images.copy_into(*index, &mut image);
        let mut scores = vec![0.0; CLASSES.len()];
        for kind in filters {
            scores.iter_mut().zip(kind.scores(&image)).for_each(|(sum, score)| *sum += score);
        }
        (0..CLASSES.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
            == Some(set.labels[*index])
    };
    (0..set.len()).into_par_iter().filter(right).count() as f64 / set.len() as f64
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let set = |seed| SeeFar::new(seed).data(20, 10).unwrap();
    assert_eq!(set(3), set(3));
    assert_ne!(images(&set(3).train), images(&set(4).train));
}

#[test]
fn a_larger_set_begins_with_the_smaller_one() {
    let maker = SeeFar::new(3);
    let (small, large) = (maker.data(7, 5).unwrap(), maker.data(30, 40).unwrap());
    assert_eq!(small.train, large.train.take(7).unwrap());
    assert_eq!(small.test, large.test.take(5).unwrap());
}

#[test]
fn train_and_test_share_no_image() {
    let data = SeeFar::new(3).data(50, 50).unwrap();
    for image in images(&data.train).axis_iter(Axis(0)) {
        assert!(images(&data.test).axis_iter(Axis(0)).all(|other| other != image));
    }
}

#[test]
fn faint_patterns_are_orthogonal_to_every_other_and_have_no_mean() {
    let maker = SeeFar::new(1);
    for class in 0..CLASSES.len() {
        let faint = maker.faint(class).unwrap();
        assert!((faint.mapv(|v| v * v).sum().sqrt() - 0.35).abs() < 1e-5);
        for channel in faint.axis_iter(Axis(0)) {
            assert!(channel.sum().abs() < 1e-4);
        }
        for other in 0..CLASSES.len() {
            let along = (&faint * &maker.faint(other).unwrap()).sum();
            assert!(other == class || along.abs() < 1e-6, "{class} and {other}: {along}");
            for shift in [[0, 0], [2, -1], [-2, 2]] {
                let mut visible = vec![0.0; PIXELS];
                maker.visible[other].add_to(&mut visible, shift);
                let along: f32 = visible.iter().zip(&faint).map(|(a, b)| a * b).sum();
                assert!(along.abs() < 1e-5, "{class}, visible {other} at {shift:?}: {along}");
            }
        }
    }
}

#[test]
fn visible_patterns_are_orthogonal_smooth_and_large() {
    let maker = SeeFar::new(1);
    for class in 0..CLASSES.len() {
        let visible = maker.visible(class).unwrap();
        let norm = visible.mapv(|v| v * v).sum().sqrt();
        assert!((f64::from(norm) - VISIBLE_NORM).abs() < 1e-4);
        let slope = (&visible.slice(ndarray::s![.., .., 1..])
            - &visible.slice(ndarray::s![.., .., ..-1]))
            .mapv(|v| v * v)
            .sum()
            .sqrt();
        assert!(slope < norm * 0.6, "three cycles in 32 pixels climb at most 0.59 a pixel");
        for other in 0..class {
            assert!((&visible * &maker.visible(other).unwrap()).sum().abs() < 1e-4);
        }
    }
}

#[test]
fn a_shift_moves_rows_and_columns_around_the_edges() {
    let pattern = &SeeFar::new(1).visible[0];
    let (still, mut moved) = (pattern.to_array(), vec![0.0; PIXELS]);
    pattern.add_to(&mut moved, [2, -1]);
    for ((c, row, column), value) in still.indexed_iter() {
        let to = c * 1024 + (row + 2) % 32 * 32 + (column + 31) % 32;
        assert_eq!(moved[to], *value);
    }
}

#[test]
fn matched_filters_reach_the_shares_of_the_table() {
    let maker = SeeFar::new(1);
    let seen = matched(&maker.visible_only(800).unwrap(), &[Filters::visible(&maker)]);
    let unseen = matched(&maker.faint_only(800).unwrap(), &[Filters::faint(&maker)]);
    let test = maker.data(1, 800).unwrap().test;
    let both = matched(&test, &[Filters::faint(&maker), Filters::visible(&maker)]);
    println!("visible {seen}, faint {unseen}, both {both}");
    assert!((seen - 0.85).abs() < 0.03, "visible only: {seen}");
    assert!((unseen - 0.955).abs() < 0.02, "faint only: {unseen}");
    assert!(both > 0.98, "both: {both}");
}

#[test]
fn a_feature_left_out_of_an_image_cannot_be_read_from_it() {
    let maker = SeeFar::new(1);
    let unseen = matched(&maker.visible_only(500).unwrap(), &[Filters::faint(&maker)]);
    let seen = matched(&maker.faint_only(500).unwrap(), &[Filters::visible(&maker)]);
    assert!(seen < 0.15 && unseen < 0.15, "chance is 0.1, found {seen} and {unseen}");
}

#[test]
fn the_usual_set_is_consistent_balanced_and_quickly_made() {
    let start = Instant::now();
    let data = Data::see_far();
    println!("12000 images in {:.2} s", start.elapsed().as_secs_f64());
    data.train.check().unwrap();
    data.test.check().unwrap();
    assert_eq!((data.train.len(), data.test.len()), (10_000, 2_000));
    assert!(data.train.per_class().unwrap().iter().all(|n| (850..1150).contains(n)));
    let (mean, std) = data.train.mean_std().unwrap();
    assert!(mean.iter().all(|m| (m - 0.5).abs() < 1e-3), "{mean:?}");
    assert!(std.iter().all(|s| (0.06..0.15).contains(s)), "{std:?}");
}

#[test]
fn no_image_and_no_class_are_errors_that_say_what_was_asked() {
    let maker = SeeFar::new(1);
    let error = maker.data(0, 5).unwrap_err().to_string();
    assert!(error.contains("See-Far train") && error.contains("found 0"), "{error}");
    assert!(maker.faint(10).unwrap_err().to_string().contains("class 10"));
    assert!(maker.visible(10).is_err());
}

#[test]
fn an_interrupt_stops_the_drawing_between_batches() {
    let maker = SeeFar::new(1);
    let n = 2 * BATCH + 10;
    let error = interrupted_after(1, || maker.faint_only(n)).unwrap_err().to_string();
    let said = "drawing See-Far, faint only stopped at 1000 of 1010 images";
    assert!(error.contains(said), "{error}");
    let (whole, first) = (maker.faint_only(n).unwrap(), maker.faint_only(10).unwrap());
    assert_eq!(images(&whole).slice(ndarray::s![..10, .., .., ..]), images(&first).view());
    assert_eq!(whole.labels[..10], first.labels);
    let last: Vec<_> = images(&whole).index_axis(Axis(0), n - 1).iter().copied().collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    rng.set_stream(((Part::FaintOnly as u64) << 48) + n as u64 - 1);
    let mut drawn = vec![0; PIXELS];
    assert_eq!(maker.draw(Features::Faint, &mut rng, &mut drawn), whole.labels[n - 1]);
    assert_eq!(last, drawn, "a stream an image, whatever the batch");
}
