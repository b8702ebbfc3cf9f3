//! The judge on nets and pictures whose answers are known.

use super::*;
use crate::attack::Norm;
use crate::attack::Pgd;
use crate::fixture::{DATA, TRAINED, net, says};
use crate::show::interrupted_after;
use ndarray::Array4;

/// A net that gives every image the same logits.
fn constant(logits: [f32; 10]) -> Net {
    let mut net = net(1);
    net.weights.head.weight.fill(0.0);
    net.weights.head.bias.copy_from_slice(&logits);
    net
}

fn sees(class: usize) -> Net {
    constant(std::array::from_fn(|c| if c == class { 2.0 } else { 0.5 }))
}

#[test]
fn a_net_that_always_says_three_is_right_about_the_threes() {
    let set = &DATA.test;
    let threes = set.labels.iter().filter(|label| **label == 3).count();
    assert!(threes > 0);
    assert_eq!(accuracy(&sees(3), set).unwrap(), threes as f64 / set.len() as f64);
    assert_eq!(predictions(&sees(3), &set.images).unwrap(), vec![3; set.len()]);
    assert_eq!(success(&sees(3), &set.images, &vec![3; set.len()]).unwrap(), 1.0);
    assert_eq!(success(&sees(3), &set.images, &vec![4; set.len()]).unwrap(), 0.0);
    let all = logits(&sees(3), &set.images).unwrap();
    assert_eq!(all.dim(), (set.len(), 10));
    assert!(all.column(3).iter().all(|v| *v == 2.0) && all.column(4).iter().all(|v| *v == 0.5));
}

#[test]
fn a_net_is_right_about_exactly_the_images_that_accuracy_counts() {
    let threes = right(&sees(3), &DATA.test).unwrap();
    let expected = (0..DATA.test.len()).filter(|index| DATA.test.labels[*index] == 3);
    assert_eq!(threes, expected.collect::<Vec<_>>());
    let share = right(&TRAINED, &DATA.test).unwrap().len() as f64 / DATA.test.len() as f64;
    assert_eq!(share, accuracy(&TRAINED, &DATA.test).unwrap());
}

#[test]
fn of_equal_logits_the_first_counts() {
    assert_eq!(highest([0.0, 2.0, 2.0]), 1);
    let predictions = predictions(&constant([0.0; 10]), &DATA.test.images).unwrap();
    assert!(predictions.iter().all(|class| *class == 0));
}

#[test]
fn an_image_is_judged_the_same_in_any_company() {
    let all = logits(&TRAINED, &DATA.train.images).unwrap();
    let some = logits(&TRAINED, &DATA.train.images.select(&[399, 7])).unwrap();
    assert_eq!((some.row(0), some.row(1)), (all.row(399), all.row(7)));
}

#[test]
fn robust_accuracy_is_below_accuracy_and_that_of_no_attack_equal_to_it() {
    let set = DATA.test.take(60).unwrap();
    let clean = accuracy(&TRAINED, &set).unwrap();
    let robust = robust_accuracy(&TRAINED, &set, &Pgd::l2(0.5).steps(4)).unwrap();
    assert!(robust < clean - 0.1, "{robust} {clean}");
    assert_eq!(robust_accuracy(&TRAINED, &set, &Pgd::l2(0.0).steps(1)).unwrap(), clean);
}

#[test]
fn distances_are_those_worked_out_by_hand() {
    let before = Array4::from_elem((2, 3, 32, 32), 0.5);
    let mut after = before.clone();
    (after[[0, 0, 0, 0]], after[[0, 2, 31, 31]]) = (0.5 + 0.03, 0.5 - 0.04);
    after[[1, 1, 5, 5]] = 0.51;
    let (before, after) = (Images::from(before), Images::from(after));
    let euclidean = distance(&before, &after, Norm::L2).unwrap();
    assert!((euclidean.largest - 0.05).abs() < 1e-6 && (euclidean.mean - 0.03).abs() < 1e-6);
    let greatest = distance(&before, &after, Norm::Linf).unwrap();
    assert!((greatest.largest - 0.04).abs() < 1e-6 && (greatest.mean - 0.025).abs() < 1e-6);
    assert!((greatest.range.0 - 0.46).abs() < 1e-6 && (greatest.range.1 - 0.53).abs() < 1e-6);
    assert!(euclidean.within(0.05) && !euclidean.within(0.0499));
    let text = "ℓ2 distance 0.0300 on average, 0.0500 at most; values 0.460 to 0.530";
    assert_eq!(euclidean.to_string(), text);
}

#[test]
fn a_picture_outside_its_range_is_not_within_any_bound() {
    let before = Images::from(Array4::from_elem((1, 3, 32, 32), 1.0));
    let after = Images::from(Array4::from_elem((1, 3, 32, 32), 1.01));
    assert!(!distance(&before, &after, Norm::L2).unwrap().within(10.0));
}

#[test]
fn what_rounding_is_forgiven_grows_with_the_root_of_the_pixels() {
    for (side, forgiven) in [(32, false), (64, true)] {
        let before = Array4::zeros((1, 3, side, side));
        let mut after = before.clone();
        after[[0, 1, 2, 3]] = 0.05 + 7e-6;
        let found = distance(&before.into(), &after.into(), Norm::L2).unwrap();
        assert_eq!(found.within(0.05), forgiven, "{side}");
    }
}

#[test]
fn nobody_hides_a_broken_picture_from_the_judge() {
    let before = Array4::from_elem((2, 3, 32, 32), 0.5);
    for norm in [Norm::L2, Norm::Linf] {
        for broken in [f32::NAN, f32::INFINITY] {
            let mut after = before.clone();
            after[[1, 0, 3, 3]] = broken;
            let found = distance(&before.clone().into(), &after.into(), norm);
            says(found, &["finite pixel values", "in image 1"]);
        }
    }
}

#[test]
fn a_net_with_broken_numbers_is_an_error_and_not_ten_percent() {
    let broken = constant([f32::NAN; 10]);
    says(accuracy(&broken, &DATA.test), &["finite logits", "found NaN", "train it anew"]);
}

#[test]
fn what_does_not_fit_together_is_an_error() {
    let set = &DATA.test;
    let (empty, grey) = (Array4::zeros((0, 3, 32, 32)), Array4::zeros((1, 1, 32, 32)));
    says(logits(&TRAINED, &empty.clone().into()), &["at least one image"]);
    says(predictions(&TRAINED, &grey.into()), &["[3, 32, 32]", "[1, 32, 32]"]);
    says(success(&TRAINED, &set.images, &[1, 2]), &["each of 150 images", "found 2 classes"]);
    says(success(&TRAINED, &set.images, &[10; 150]), &["found class 10"]);
    says(distance(&empty.clone().into(), &empty.into(), Norm::L2), &["and some"]);
    let fewer = set.images.select(&[0]);
    says(distance(&set.images, &fewer, Norm::L2), &["[150, 3, 32, 32]", "[1, 3, 32, 32]"]);
    let mut wrong = set.clone();
    wrong.labels[0] = 77;
    says(robust_accuracy(&TRAINED, &wrong, &Pgd::l2(0.5)), &["label 77"]);
}

#[test]
fn an_interrupted_judge_gives_no_number() {
    let set = &DATA.test;
    let error = interrupted_after(0, || accuracy(&TRAINED, set)).unwrap_err();
    let said = "interrupted: judging pictures stopped at 0 of 150 images. Run the cell again";
    assert!(error.to_string().starts_with(said), "{error}");
    let attack = Pgd::l2(0.5).steps(2);
    let robust =
        |questions| interrupted_after(questions, || robust_accuracy(&TRAINED, set, &attack));
    // Two batches of two steps, then the judge.
    says(robust(2), &["PGD ℓ2 0.5", "at 128 of 150"]);
    says(robust(4), &["judging pictures"]);
    assert_eq!(robust(5).unwrap(), robust_accuracy(&TRAINED, set, &attack).unwrap());
}
