//! One table of attacks, one body: each must do harm, within its bound, the same every time.

use super::*;
use crate::Error;
use crate::data::Images;
use crate::fixture::{DATA, TRAINED, says};
use crate::judge;
use crate::show::interrupted_after;
use ndarray::Array4;

/// More than one batch of images.
const IMAGES: usize = 140;

const AWAY: Goal = Goal::Away(Loss::CrossEntropy);

fn attacks() -> Vec<Pgd> {
    vec![
        Pgd::l2(0.5).steps(4),
        Pgd::l2(0.5).steps(3).step_size(0.3).random_starts(2, 7),
        Pgd::linf(0.03).steps(4),
        Pgd::linf(0.03).steps(3).random_starts(1, 7),
        fgsm(0.03),
    ]
}

/// Images, and what the net sees in them: an attack has to change that.
fn seen() -> (Images, Vec<usize>, Vec<usize>) {
    let images = DATA.test.take(IMAGES).unwrap().images;
    let classes = judge::predictions(&TRAINED, &images).unwrap();
    let targets = classes.iter().map(|class| (class + 1) % 10).collect();
    (images, classes, targets)
}

fn mean(goal: Goal, images: &Images, classes: &[usize]) -> f32 {
    let all = images.batch(&(0..images.len()).collect::<Vec<_>>());
    let reached = goal.reached(&*TRAINED.freeze(), all.as_slice().unwrap(), classes).unwrap();
    reached.iter().sum::<f32>() / reached.len() as f32
}

/// Whether the goal has come nearer, and a tenth of the images are seen as something else.
fn harmed(goal: Goal, before: &Images, after: &Images, classes: &[usize]) -> bool {
    let share = |images| judge::success(&TRAINED, images, classes).unwrap();
    let change = match goal {
        Goal::Away(_) => share(before) - share(after),
        Goal::Toward => share(after) - share(before),
    };
    mean(goal, after, classes) > mean(goal, before, classes) + 0.1 && change > 0.1
}

#[test]
fn every_attack_does_harm_within_its_bound() {
    let (images, classes, targets) = seen();
    for attack in attacks() {
        let away = attack.perturb(&TRAINED, &images, &classes).unwrap();
        assert!(harmed(AWAY, &images, &away, &classes), "{attack}");
        let toward = attack.perturb_toward(&TRAINED, &images, &targets).unwrap();
        assert!(harmed(Goal::Toward, &images, &toward, &targets), "{attack}");
        for perturbed in [away, toward] {
            let distance = judge::distance(&images, &perturbed, attack.norm()).unwrap();
            assert!(distance.within(attack.epsilon()), "{attack}: {distance}");
            assert!(distance.mean > 0.5 * attack.epsilon(), "{attack}: {distance}");
        }
    }
}

#[test]
fn an_attack_that_does_nothing_would_not_pass() {
    let (images, classes, targets) = seen();
    assert!(!harmed(AWAY, &images, &images, &classes));
    assert!(!harmed(Goal::Toward, &images, &images, &targets));
    let idle = Pgd::l2(0.5).steps(3).step_size(0.0);
    let after = idle.perturb(&TRAINED, &images, &classes).unwrap();
    assert!(!harmed(AWAY, &images, &after, &classes));
}

#[test]
fn batches_threads_and_repetition_change_no_bit() {
    let (images, classes, _) = seen();
    let Images::Floats(all) = Images::from(images.batch(&(0..IMAGES).collect::<Vec<_>>())) else {
        unreachable!("an array of floats")
    };
    let pixels = images.pixels();
    for attack in attacks() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| attack.perturb(&TRAINED, &images, &classes).unwrap())
        };
        let (whole, frozen) = (run(1), TRAINED.freeze());
        assert!(run(3) == whole, "{attack}: threads");
        let batches = all.as_slice().unwrap().chunks(9 * pixels).zip(classes.chunks(9));
        let parts: Vec<f32> = batches
            .enumerate()
            .flat_map(|(i, (x, y))| {
                attack.batch(&*frozen, x, y, AWAY, 9 * i as u64, &|| Ok(())).unwrap()
            })
            .collect();
        let parts = Array4::from_shape_vec(all.dim(), parts).unwrap();
        assert!(Images::from(parts) == whole, "{attack}: batches");
    }
}

#[test]
fn another_seed_starts_elsewhere() {
    let (images, classes, _) = seen();
    let from = |seed| {
        let attack = Pgd::l2(0.5).steps(1).random_starts(1, seed);
        attack.perturb(&TRAINED, &images, &classes).unwrap()
    };
    assert!(from(1) == from(1) && from(1) != from(2));
}

#[test]
fn more_restarts_are_never_worse_for_any_image() {
    let (images, classes, targets) = seen();
    let all = images.batch(&(0..IMAGES).collect::<Vec<_>>());
    let frozen = TRAINED.freeze();
    for (goal, classes) in [(AWAY, &classes), (Goal::Toward, &targets)] {
        let reached = |restarts| {
            let attack = Pgd::linf(0.02).steps(2).random_starts(restarts, 5);
            let all = all.as_slice().unwrap();
            let end = attack.batch(&*frozen, all, classes, goal, 0, &|| Ok(())).unwrap();
            goal.reached(&*frozen, &end, classes).unwrap()
        };
        let (one, three) = (reached(1), reached(3));
        assert!(three.iter().zip(&one).all(|(three, one)| three >= one), "{goal:?}");
        assert!(three.iter().zip(&one).any(|(three, one)| three > one), "{goal:?}");
    }
}

#[test]
fn fgsm_is_one_step_of_size_epsilon_along_the_sign_of_the_gradient() {
    let (images, classes, _) = seen();
    let x = images.batch(&(0..IMAGES).collect::<Vec<_>>());
    let hill = Hill::Goal(AWAY, &classes);
    let (_, gradient) = TRAINED.freeze().look(x.as_slice().unwrap(), hill).unwrap();
    let Images::Floats(found) = fgsm(0.1).perturb(&TRAINED, &images, &classes).unwrap() else {
        panic!("perturbed pictures are floats")
    };
    for ((found, x), gradient) in found.iter().zip(&x).zip(gradient) {
        let sign = if gradient == 0.0 { 0.0 } else { gradient.signum() };
        let expected = (x + 0.1 * sign).clamp(0.0, 1.0);
        assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
    }
}

#[test]
fn the_gradient_of_an_image_is_the_slope_of_its_own_cross_entropy() {
    let (images, classes, _) = seen();
    let found = gradient(&TRAINED, &images, &classes).unwrap();
    let all = images.batch(&(0..IMAGES).collect::<Vec<_>>());
    let frozen = TRAINED.freeze();
    let loss = |x: &Array4<f32>| AWAY.reached(&*frozen, x.as_slice().unwrap(), &classes).unwrap();
    // Along each image's own gradient its loss rises by the square of the gradient's length.
    let step = 1e-3;
    let (up, down) = (&all + &(&found * step), &all - &(&found * step));
    for (image, (up, down)) in loss(&up).iter().zip(loss(&down)).enumerate() {
        let slope = (up - down) / (2.0 * step);
        let square: f32 = found.index_axis(ndarray::Axis(0), image).iter().map(|g| g * g).sum();
        // The losses are rounded to 1e-6, twice; the net bends by less than a tenth on the way.
        assert!((slope - square).abs() < 2e-3 + 0.1 * square, "{image}: {slope}, {square}");
    }
}

#[test]
fn a_number_out_of_range_is_an_error_that_names_it() {
    let (images, classes, _) = seen();
    let table = [
        (Pgd::l2(-0.5), "found -0.5"),
        (Pgd::l2(f32::NAN), "found NaN"),
        (Pgd::linf(f32::INFINITY), "found inf"),
        (Pgd::l2(0.5).steps(0), "found 0 steps"),
        (Pgd::l2(0.5).step_size(-1.0), "found -1"),
        (Pgd::l2(0.5).step_size(f32::NAN), "found NaN"),
        (Pgd::l2(0.5).random_starts(0, 1), "found 0 restarts"),
        (fgsm(-1.0), "an epsilon of 0 or more"),
    ];
    for (attack, named) in table {
        says(attack.perturb(&TRAINED, &images, &classes), &[named]);
        says(attack.perturb_toward(&TRAINED, &images, &classes), &[named]);
    }
}

#[test]
fn images_and_classes_that_do_not_fit_are_errors() {
    let (images, classes, _) = seen();
    let attack = Pgd::l2(0.5).steps(1);
    let run = |images: &Images, classes: &[usize]| attack.perturb(&TRAINED, images, classes);
    says(run(&Array4::zeros((0, 3, 32, 32)).into(), &[]), &["at least one image"]);
    says(run(&Array4::zeros((1, 1, 28, 28)).into(), &[0]), &["[3, 32, 32]", "[1, 28, 28]"]);
    says(run(&Array4::from_elem((1, 3, 32, 32), 255.0).into(), &[0]), &["[0, 1]", "found 255"]);
    says(run(&Array4::from_elem((1, 3, 32, 32), f32::NAN).into(), &[0]), &["found NaN"]);
    says(run(&images, &classes[1..]), &["each of 140 images", "found 139 classes"]);
    says(run(&images, &[10; IMAGES]), &["from 0 to 9", "found class 10"]);
}

#[test]
fn an_enormous_ball_is_no_trouble() {
    let (images, classes, _) = seen();
    for attack in [Pgd::l2(1e3), Pgd::linf(f32::MAX)] {
        let attack = attack.steps(1).step_size(1.0).random_starts(1, 1);
        let far = attack.perturb(&TRAINED, &images, &classes).unwrap();
        assert!(judge::distance(&images, &far, attack.norm()).unwrap().within(attack.epsilon()));
    }
}

#[test]
fn an_attack_says_every_number_of_itself() {
    assert_eq!(Pgd::l2(0.5).steps(100).step_size(0.1).to_string(), "PGD ℓ2 0.5, 100 steps of 0.1");
    let starts = Pgd::linf(0.25).steps(10).random_starts(2, 7);
    assert_eq!(starts.to_string(), "PGD ℓ∞ 0.25, 10 steps of 0.0625, 2 random starts (seed 7)");
}

#[test]
fn an_interrupted_attack_says_how_far_it_came() {
    let (images, classes, _) = seen();
    let attack = Pgd::l2(0.5).steps(3).random_starts(2, 1);
    // A batch asks before each of its six steps, so this is in the second.
    let error = interrupted_after(8, || attack.perturb(&TRAINED, &images, &classes)).unwrap_err();
    let Error::Interrupted { done, total, .. } = &error else { panic!("{error}") };
    assert_eq!((*done, *total), (128, IMAGES));
    assert!(error.to_string().contains("stopped at 128 of 140 images. Run the cell"), "{error}");
    let whole = attack.perturb(&TRAINED, &images, &classes).unwrap();
    let asked = interrupted_after(12, || attack.perturb(&TRAINED, &images, &classes)).unwrap();
    assert!(whole == asked, "to be asked changes nothing");
    let error = interrupted_after(0, || gradient(&TRAINED, &images, &classes)).unwrap_err();
    assert!(matches!(error, Error::Interrupted { done: 0, .. }), "{error}");
}

#[test]
fn apgd_is_at_least_as_strong_as_pgd_within_its_bound() {
    let (images, classes, _) = seen();
    let standing = |attack: &dyn Attack| {
        let end = attack.perturb(&TRAINED, &images, &classes).unwrap();
        let distance = judge::distance(&images, &end, attack.norm()).unwrap();
        assert!(distance.within(attack.epsilon()), "{attack}: {distance}");
        judge::success(&TRAINED, &end, &classes).unwrap()
    };
    for (pgd, apgd) in [
        (Pgd::l2(0.15).steps(40).random_starts(2, 1), Apgd::l2(0.15)),
        (Pgd::linf(0.003).steps(40).random_starts(2, 1), Apgd::linf(0.003)),
    ] {
        let weak = standing(&pgd);
        assert!((0.2..0.9).contains(&weak), "{pgd}: {weak}");
        for loss in [Loss::CrossEntropy, Loss::Margin, Loss::Dlr] {
            // An image is 0.7 points; a loss may lose on one of them.
            let strong = standing(&apgd.clone().steps(40).restarts(2).loss(loss));
            assert!(strong < weak + 0.008, "{apgd} with {loss:?}: {strong}, not {weak}");
        }
    }
}

#[test]
fn apgd_leaves_alone_what_is_seen_wrongly_and_depends_on_its_seed_and_on_nothing_else() {
    let (images, mut classes, _) = seen();
    classes[3] = (classes[3] + 1) % 10;
    let attack = Apgd::l2(0.1).steps(5).restarts(2);
    let run = |threads, attack: &Apgd| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| attack.perturb(&TRAINED, &images, &classes).unwrap())
    };
    let end = run(1, &attack);
    assert_eq!(end.batch(&[3]), images.batch(&[3]));
    assert_ne!(end.batch(&[4]), images.batch(&[4]));
    assert!(run(3, &attack) == end, "threads");
    assert!(run(1, &attack.clone().seed(1)) != end, "another seed");
    let more = attack.clone().restarts(3).perturb(&TRAINED, &images, &classes).unwrap();
    let right = |images| judge::success(&TRAINED, images, &classes).unwrap();
    assert!(right(&more) <= right(&end), "more restarts are never worse");
}

#[test]
fn apgd_names_its_numbers_and_those_that_are_wrong() {
    let (images, classes, _) = seen();
    let said = Apgd::l2(0.5).loss(Loss::Dlr).to_string();
    assert_eq!(said, "APGD ℓ2 0.5, DLR, 100 steps, 5 restarts (seed 0)");
    let wrong = |attack: Apgd| attack.perturb(&TRAINED, &images, &classes);
    says(wrong(Apgd::l2(-1.0)), &["an epsilon of 0 or more", "found -1"]);
    says(wrong(Apgd::linf(0.1).steps(0)), &["one step or more"]);
    says(wrong(Apgd::linf(0.1).restarts(0)), &["one restart or more"]);
    says(Apgd::l2(0.1).perturb(&TRAINED, &images, &classes[1..]), &["each of 140 images"]);
    let stopped = interrupted_after(3, || wrong(Apgd::l2(0.1).steps(5)));
    says(stopped, &["stopped at 0 of", "attack fewer"]);
}

#[test]
fn the_margin_is_another_way_for_pgd() {
    let (images, classes, _) = seen();
    let attack = Pgd::l2(0.5).steps(4).loss(Loss::Margin);
    assert_eq!(attack.to_string(), "PGD ℓ2 0.5, 4 steps of 0.3125, margin loss");
    let end = attack.perturb(&TRAINED, &images, &classes).unwrap();
    assert!(harmed(Goal::Away(Loss::Margin), &images, &end, &classes));
}
