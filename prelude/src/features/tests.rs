//! Targets are the paper's, sets obey their bound, and an interrupted build ends like any other.

use super::*;
use crate::attack::{Loss, Norm};
use crate::data::Images;
use crate::fixture::{DATA, Scratch, TRAINED, net, says};
use crate::judge;
use crate::show::{interrupted_after, killed_after};
use ndarray::Array4;
use std::path::Path;
use std::time::Duration;

/// One whole shard and a part of another.
const IMAGES: usize = build::SHARD + 7;

fn attack() -> Pgd {
    Pgd::l2(0.5).steps(1).random_starts(1, 3)
}

/// See-Far over and over, so that there is more than one shard.
fn large() -> Dataset {
    DATA.train.select(&(0..IMAGES).map(|i| (7 * i) % 400).collect::<Vec<_>>()).unwrap()
}

fn build_in(sets: &Path, set: &Dataset, attack: &Pgd) -> Result<Dataset> {
    let targets = d_det_targets(set).unwrap();
    Work { net: &TRAINED, set, maker: &Aimed::toward(attack), labels: &targets }
        .build("D_det", sets)
}

fn shards(sets: &Path) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(sets).unwrap().next().unwrap().unwrap().path();
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut shards: Vec<PathBuf> =
        files.filter(|path| path.extension().unwrap() == "safetensors").collect();
    shards.sort();
    shards
}

#[test]
fn d_det_moves_every_class_to_the_next_and_the_last_to_the_first() {
    let targets = d_det_targets(&DATA.train).unwrap();
    let pairs = || DATA.train.labels.iter().zip(&targets);
    assert!(pairs().all(|(label, target)| *target == if *label == 9 { 0 } else { label + 1 }));
    assert!(pairs().any(|(label, _)| *label == 9));
}

#[test]
fn d_rand_draws_among_all_classes_and_d_other_among_the_wrong_ones() {
    let mut set = DATA.train.take(1).unwrap();
    let n = 4000;
    set.images = Images::Bytes(Array4::zeros((n, 3, 32, 32)));
    set.labels = (0..n).map(|i| i % 10).collect();
    set.origin = (0..n).collect();
    let own = |targets: &[usize]| targets.iter().zip(&set.labels).filter(|(t, l)| t == l).count();
    let share = |targets: &[usize], class| targets.iter().filter(|t| **t == class).count();
    let (rand, other) = (d_rand_targets(&set, 1).unwrap(), d_other_targets(&set, 1).unwrap());
    // 4000 draws of 1 in 10: a deviation of 19 around 400; five of them.
    assert!((305..495).contains(&own(&rand)), "{}", own(&rand));
    assert_eq!(own(&other), 0);
    for class in 0..10 {
        assert!((305..495).contains(&share(&rand, class)));
        assert!((305..495).contains(&share(&other, class)));
    }
    assert_eq!(rand, d_rand_targets(&set, 1).unwrap());
    assert_ne!(rand, d_rand_targets(&set, 2).unwrap());
    assert_ne!(other, d_other_targets(&set, 2).unwrap());
    (set.classes, set.labels) = (vec!["one".into()], vec![0; n]);
    says(d_other_targets(&set, 1), &["a wrong class to draw", "two classes or more"]);
}

#[test]
fn a_built_set_is_labelled_with_its_targets_and_moved_toward_them_within_the_bound() {
    let scratch = Scratch::new("built");
    let attack = Pgd::l2(0.5).steps(4);
    let set = DATA.train.take(120).unwrap().select(&(20..120).rev().collect::<Vec<_>>()).unwrap();
    let built = build_in(scratch.path(), &set, &attack).unwrap();
    built.check().unwrap();
    assert_eq!(built.labels, d_det_targets(&set).unwrap());
    assert_eq!((&built.origin, &built.classes), (&set.origin, &set.classes));
    assert_eq!(built.name, "D_det");
    let distance = judge::distance(&set.images, &built.images, Norm::L2).unwrap();
    assert!(distance.within(0.5) && distance.mean > 0.4, "{distance}");
    let before = judge::success(&TRAINED, &set.images, &built.labels).unwrap();
    let after = judge::success(&TRAINED, &built.images, &built.labels).unwrap();
    assert!(after > before + 0.2, "{after} after {before}");
    assert_eq!(built.images, attack.perturb_toward(&TRAINED, &set.images, &built.labels).unwrap());
}

#[test]
fn adversarial_examples_keep_their_labels_and_are_those_of_the_attack() {
    let scratch = Scratch::new("away");
    let set = DATA.train.take(40).unwrap();
    let attack = Pgd::l2(0.5).steps(3).loss(Loss::Dlr);
    let build = |net: &Net, labels: &[usize]| {
        Work { net, set: &set, maker: &Aimed::away(&attack), labels }
            .build("adversarial", scratch.path())
    };
    let away = build(&TRAINED, &set.labels).unwrap();
    assert_eq!(away.labels, set.labels);
    assert_eq!(away.images, attack.perturb(&TRAINED, &set.images, &set.labels).unwrap());
    let toward =
        Work { net: &TRAINED, set: &set, maker: &Aimed::toward(&attack), labels: &set.labels };
    let toward = toward.build("adversarial", scratch.path()).unwrap();
    assert_ne!(away.images, toward.images, "each way is kept for itself");
    let two = crate::net::Net::resnet(8, &two_classes(), 1).unwrap();
    says(build(&two, &vec![0; 40]), &["DLR"]);
}

fn two_classes() -> Dataset {
    let mut set = DATA.train.take(40).unwrap();
    (set.classes, set.labels) = (vec!["one".into(), "two".into()], vec![0; 40]);
    set
}

#[test]
fn an_interrupted_build_does_only_what_is_missing_and_ends_the_same() {
    let scratch = Scratch::new("interrupted");
    let set = large();
    let whole = build_in(scratch.path(), &set, &attack()).unwrap();
    let files = shards(scratch.path());
    assert_eq!(files.len(), 2);
    let bytes = || files.iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>();
    let first = bytes();
    let again = build_in(scratch.path(), &set, &attack()).unwrap();
    assert!(again == whole && bytes() == first, "a second call does nothing");
    // The first shard is marked, so that we see whether it is taken or made anew.
    let mark = [0.25_f32.to_le_bytes(); 5].concat();
    let mut marked = first[0].clone();
    let end = marked.len();
    marked[end - 20..].copy_from_slice(&mark);
    for damage in [None, Some(100), Some(first[1].len() - 1)] {
        std::fs::write(&files[0], &marked).unwrap();
        match damage {
            None => std::fs::remove_file(&files[1]).unwrap(),
            Some(length) => std::fs::write(&files[1], &first[1][..length]).unwrap(),
        }
        let resumed = build_in(scratch.path(), &set, &attack()).unwrap();
        let image = |set: &Dataset, index| set.images.batch(&[index]);
        assert_eq!(image(&resumed, IMAGES - 1), image(&whole, IMAGES - 1), "made anew");
        assert_ne!(image(&resumed, 999), image(&whole, 999), "taken as it lay there");
        assert_eq!(image(&resumed, 0), image(&whole, 0));
    }
}

#[test]
fn an_interrupt_keeps_every_batch_that_is_made_and_the_next_call_goes_on_there() {
    let (scratch, other) = (Scratch::new("stopped"), Scratch::new("unstopped"));
    let set = large();
    // Five batches of one step make a shard. In the first one, in its fourth, and in the second shard's.
    for (questions, images) in [(0, 0), (3, 600), (0, 600), (2, 1000)] {
        let stopped = interrupted_after(questions, || build_in(scratch.path(), &set, &attack()));
        let parts = [&format!("stopped at {images} of 1007 images"), "What is done is kept"];
        says(stopped, &parts);
    }
    assert_eq!(shards(scratch.path()).len(), 1);
    // One question is enough for what is missing.
    let resumed = interrupted_after(1, || build_in(scratch.path(), &set, &attack())).unwrap();
    assert!(resumed == build_in(other.path(), &set, &attack()).unwrap());
}

#[test]
fn a_build_that_dies_has_kept_what_it_had_when_it_was_time() {
    let scratch = Scratch::new("dead");
    let (set, attack) = (large(), attack());
    let targets = d_det_targets(&set).unwrap();
    let work = Work { net: &TRAINED, set: &set, maker: &Aimed::toward(&attack), labels: &targets };
    let build = |every| work.build_keeping("D_det", scratch.path(), every);
    killed_after(3, || build(Duration::ZERO));
    says(interrupted_after(0, || build(Duration::MAX)), &["stopped at 600 of"]);
    killed_after(1, || build(Duration::MAX));
    says(interrupted_after(0, || build(Duration::MAX)), &["stopped at 600 of"]);
}

#[test]
fn every_part_of_the_recipe_makes_a_set_of_its_own() {
    let scratch = Scratch::new("recipes");
    let set = DATA.train.take(3).unwrap();
    let build = |name, net: &Net, set: &Dataset, attack: &Pgd, targets: &[usize]| {
        Work { net, set, maker: &Aimed::toward(attack), labels: targets }
            .build(name, scratch.path())
            .unwrap();
        std::fs::read_dir(scratch.path()).unwrap().count()
    };
    let (labels, one) = (set.labels.clone(), Pgd::l2(0.5).steps(1));
    assert_eq!(build("a", &TRAINED, &set, &one, &labels), 1);
    assert_eq!(build("a", &TRAINED, &set, &one, &labels), 1);
    assert_eq!(build("../b", &TRAINED, &set, &one, &labels), 2);
    assert_eq!(build("a", &net(1), &set, &one, &labels), 3);
    assert_eq!(build("a", &TRAINED, &DATA.test.take(3).unwrap(), &one, &labels), 4);
    assert_eq!(build("a", &TRAINED, &set, &one.clone().step_size(0.1), &labels), 5);
    assert_eq!(build("a", &TRAINED, &set, &one, &[1, 2, 3]), 6);
}

#[test]
fn a_cache_that_cannot_be_written_is_an_error_that_says_what_to_do() {
    let scratch = Scratch::new("unwritable-set");
    let file = scratch.path().join("file");
    std::fs::write(&file, "").unwrap();
    let set = DATA.train.take(3).unwrap();
    let parts = ["file", "set ERM_CACHE", "what is done is kept"];
    says(build_in(&file, &set, &attack()), &parts);
}

#[test]
fn what_does_not_fit_together_is_an_error_before_anything_is_written() {
    let scratch = Scratch::new("misfit");
    let set = DATA.train.take(3).unwrap();
    let build = |set: &Dataset, attack: &Pgd, targets: &[usize]| {
        Work { net: &TRAINED, set, maker: &Aimed::toward(attack), labels: targets }
            .build("wrong", scratch.path())
    };
    says(build(&set, &Pgd::l2(-1.0), &[0; 3]), &["an epsilon of 0 or more"]);
    says(build(&set, &attack(), &[0; 2]), &["each of 3 images", "2 classes"]);
    says(build(&set, &attack(), &[10; 3]), &["found class 10"]);
    let mut broken = set.clone();
    broken.origin.clear();
    says(build(&broken, &attack(), &[0; 3]), &["3 origins"]);
    says(d_det_targets(&broken), &["3 origins"]);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn class_noise_is_one_pattern_a_class_of_norm_epsilon_and_spares_what_it_should() {
    let mut set = DATA.train.take(20).unwrap();
    set.images = Array4::from_elem((20, 3, 32, 32), 0.5).into();
    let targets: Vec<usize> = (0..20).map(|i| i % 5).collect();
    let spared: Vec<bool> = (0..20).map(|i| i % 3 == 0).collect();
    let noisy = class_noise(&set, &targets, &spared, 0.5, 9).unwrap();
    assert_eq!((&noisy.labels, &noisy.origin), (&targets, &set.origin));
    let image = |index: usize| noisy.images.batch(&[index]);
    for (index, spared) in spared.iter().enumerate() {
        let delta: Vec<f32> = image(index).iter().map(|v| v - 0.5).collect();
        let expected = if *spared { 0.0 } else { 0.5 };
        assert!((Norm::L2.size(&delta) - expected).abs() < 1e-4, "image {index}");
    }
    assert_eq!(image(1), image(11), "one class, one pattern");
    assert_ne!(image(1), image(2));
    assert_eq!(noisy, class_noise(&set, &targets, &spared, 0.5, 9).unwrap());
    assert_ne!(noisy, class_noise(&set, &targets, &spared, 0.5, 8).unwrap());
    says(class_noise(&set, &targets, &spared[1..], 0.5, 9), &["20 images", "19 answers"]);
    says(class_noise(&set, &targets[1..], &spared, 0.5, 9), &["20 labels", "19"]);
    says(class_noise(&set, &[10; 20], &spared, 0.5, 9), &["label 10"]);
    says(class_noise(&set, &targets, &spared, f32::NAN, 9), &["epsilon", "found NaN"]);
    says(class_noise(&set, &targets, &spared, -0.5, 9), &["epsilon", "found -0.5"]);
}

#[test]
fn without_leaves_out_exactly_what_is_marked() {
    let set = DATA.train.take(4).unwrap();
    let rest = without(&set, &[true, false, false, true]).unwrap();
    assert_eq!(rest.origin, [set.origin[1], set.origin[2]]);
    assert_eq!(rest.labels, [set.labels[1], set.labels[2]]);
    assert_eq!(rest.images, set.images.select(&[1, 2]));
    assert_eq!(rest.name, "See-Far train without 2");
    says(without(&set, &[false; 3]), &["each of 4 images", "3 answers"]);
    says(without(&set, &[true; 4]), &["at least one"]);
}

#[test]
fn an_inversion_comes_near_its_image_for_the_net_from_anywhere() {
    let set = DATA.train.take(30).unwrap();
    for inversion in [Inversion::from_images(1), Inversion::from_noise(1)] {
        let at = |steps| inversion.clone().steps(steps).invert(&TRAINED, &set, 30).unwrap();
        let (start, end) = (at(0), at(40));
        let away = |images: &Images| judge::representation_distance(&TRAINED, &set.images, images);
        let (before, after) = (away(&start).unwrap(), away(&end).unwrap());
        assert!(after < 0.3 * before, "{inversion}: {after} after {before}");
        TRAINED.check(&end, None).unwrap();
        assert!(at(40) == end, "the same every time");
        let few = inversion.clone().steps(0).invert(&TRAINED, &set, 7).unwrap();
        assert_eq!(few, start.select(&[0, 1, 2, 3, 4, 5, 6]));
    }
    let started = |seed| Inversion::from_images(seed).steps(0).invert(&TRAINED, &set, 30).unwrap();
    assert_ne!(started(1), started(2));
}

#[test]
fn d_r_and_d_nr_keep_the_labels_and_their_inversion() {
    let scratch = Scratch::new("d-r");
    let (set, inversion) = (DATA.train.take(12).unwrap(), Inversion::from_images(3).steps(2));
    let work = Work { net: &TRAINED, set: &set, maker: &inversion, labels: &set.labels };
    let built = work.build("D_R", scratch.path()).unwrap();
    assert_eq!((&built.labels, &built.origin), (&set.labels, &set.origin));
    assert_eq!(built.images, inversion.invert(&TRAINED, &set, 12).unwrap());
    let folder = std::fs::read_dir(scratch.path()).unwrap().next().unwrap().unwrap().path();
    let recipe = std::fs::read_to_string(folder.join("recipe.json")).unwrap();
    assert!(recipe.contains("inversion from other images, 2 steps of 0.1 (seed 3)"), "{recipe}");
}

#[test]
fn an_inversion_that_cannot_be_is_an_error() {
    let set = DATA.train.take(3).unwrap();
    let invert = |inversion: Inversion, images| inversion.invert(&TRAINED, &set, images);
    says(invert(Inversion::from_noise(1).step_size(-1.0), 1), &["a step size of 0 or more"]);
    says(invert(Inversion::from_noise(1).step_size(f32::NAN), 1), &["found NaN"]);
    says(invert(Inversion::from_noise(1), 0), &["between 1 and 3 images"]);
    says(invert(Inversion::from_noise(1), 4), &["between 1 and 3 images", "found 4"]);
    let stopped = interrupted_after(5, || invert(Inversion::from_noise(1), 3));
    says(stopped, &["stopped at 0 of 3 images", "in fewer steps"]);
}
