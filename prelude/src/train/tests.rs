//! Training learns, repeats itself bit for bit, and loses nothing.

mod resuming;

use super::*;
use crate::attack::Pgd;
use crate::data::{Augment, Dataset};
use crate::fixture::{DATA, Scratch, net, recipe, says};
use crate::net::Net;
use crate::show::{Show, interrupted_after};
use crate::{Scale, judge};

fn set() -> Dataset {
    DATA.train.take(100).unwrap()
}

/// Three short epochs with everything in them that a resumed training must not forget.
fn short() -> Recipe {
    Recipe { epochs: 3, augment: Augment::crop_and_flip(), validation: 20, ..recipe() }
}

fn trained(recipe: &Recipe) -> Net {
    let mut net = net(1);
    net.train(&set(), recipe).unwrap();
    net
}

#[test]
fn a_training_learns() {
    let mut net = net(1);
    let before = judge::accuracy(&net, &DATA.test).unwrap();
    let log = net.train(&DATA.train, &recipe()).unwrap();
    let (first, last) = (&log.epochs[0], &log.epochs[5]);
    assert!(last.loss < 0.7 * first.loss, "{} after {}", last.loss, first.loss);
    let after = judge::accuracy(&net, &DATA.test).unwrap();
    assert!(after > before + 0.2, "{after} after {before}");
    assert_eq!((log.set.as_str(), log.epochs.len()), ("See-Far train", 6));
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
    let once = trained(&short());
    assert_eq!(trained(&short()), once);
    assert_ne!(trained(&short().seed(2)), once);
    let plain = recipe().epochs(1);
    assert_ne!(trained(&plain.clone().seed(2)), trained(&plain), "the order depends on the seed");
    let mut other = net(2);
    other.train(&set(), &short()).unwrap();
    assert_ne!(other, once);
}

#[test]
fn a_loss_that_diverges_is_an_error_and_the_net_stays_as_it_was() {
    let recipe = Recipe { learning_rate: 1e30, schedule: Schedule::Constant, ..recipe() };
    let mut net = net(1);
    let before = net.clone();
    let parts = ["expected a finite loss", "epoch 1", "lower the learning rate"];
    says(net.train(&set(), &recipe), &parts);
    assert_eq!(net, before);
    // One step: its loss was still finite, its weights are not.
    let one = Recipe { epochs: 1, batch: 100, weight_decay: 1e30, ..recipe };
    says(net.train(&set(), &one), &["expected finite weights", "lower the learning rate"]);
    assert_eq!(net, before);
}

#[test]
fn held_out_images_are_not_trained_on() {
    let recipe = Recipe { validation: 30, augment: Augment::none(), ..short() };
    let (_, held_out) = set().split(30, recipe.seed).unwrap();
    let mut spoilt = set();
    for (index, label) in spoilt.labels.iter_mut().enumerate() {
        if held_out.origin.contains(&set().origin[index]) {
            *label = (*label + 1) % 10;
        }
    }
    let (mut net, mut other) = (net(1), net(1));
    let log = net.train(&set(), &recipe).unwrap();
    let spoilt = other.train(&spoilt, &recipe).unwrap();
    assert_eq!(net, other, "the labels of held-out images changed the weights");
    let measured = judge::accuracy(&net, &held_out).unwrap();
    assert_eq!(log.validation(), Some(measured));
    assert_ne!(log.validation(), spoilt.validation());
}

#[test]
fn watching_changes_nothing_and_is_written_down() {
    let watched = DATA.test.take(30).unwrap();
    let mut net = net(1);
    let log = net.train_watching(&set(), &short(), &[&watched, &set()]).unwrap();
    assert_eq!(net, trained(&short()));
    assert_eq!(log.watched, ["See-Far test", "See-Far train"]);
    let last = [&watched, &set()].map(|set| judge::accuracy(&net, set).unwrap());
    assert_eq!(log.epochs[2].watched, last);
    assert_eq!(log.record("watched").values["accuracy on See-Far test"].len(), 3);
    let grey = Dataset { images: ndarray::Array4::zeros((30, 1, 32, 32)).into(), ..watched };
    says(net.train_watching(&set(), &short(), &[&grey]), &["1×32×32"]);
}

#[test]
fn a_recipe_out_of_range_is_an_error_that_names_the_number() {
    type Spoil = fn(&mut Recipe);
    let table: [(Spoil, &str); 12] = [
        (|r| r.epochs = 0, "found 0 epochs"),
        (|r| r.batch = 0, "found a batch of 0"),
        (|r| r.learning_rate = 0.0, "a learning rate above 0, found 0"),
        (|r| r.learning_rate = f32::NAN, "found NaN"),
        (|r| r.momentum = 1.0, "below 1, found 1"),
        (|r| r.momentum = -0.1, "found -0.1"),
        (|r| r.weight_decay = -1.0, "a weight decay of 0 or more, found -1"),
        (|r| r.validation = 100, "a validation of 100 from 100 images"),
        (|r| r.schedule = Schedule::OneCycle { warm_up: 0.0 }, "a warm-up above 0"),
        (|r| r.schedule = Schedule::OneCycle { warm_up: f32::NAN }, "found NaN"),
        (|r| r.schedule = Schedule::Step { every: 0, factor: 0.1 }, "between two drops"),
        (|r| r.schedule = Schedule::Step { every: 1, factor: -0.1 }, "found -0.1"),
    ];
    for (spoil, named) in table {
        let mut recipe = recipe();
        spoil(&mut recipe);
        says(net(1).train(&set(), &recipe), &[named, "Change"]);
    }
}

#[test]
fn a_set_that_does_not_fit_is_an_error() {
    let train = |set: &Dataset| net(1).train(set, &recipe());
    let mut eleven = set();
    eleven.classes.push("eleventh".into());
    eleven.labels[3] = 10;
    says(train(&eleven), &["from 0 to 9", "found class 10"]);
    let mut short = set();
    short.labels.pop();
    says(train(&short), &["100 labels", "found 99"]);
    let mut empty = set();
    empty.images = ndarray::Array4::zeros((0, 3, 32, 32)).into();
    says(train(&empty), &["at least one image"]);
}

#[test]
fn one_image_alone_and_a_batch_larger_than_the_set_train_too() {
    let one = set().take(1).unwrap();
    let recipe = Recipe { batch: 64, epochs: 1, ..recipe() };
    net(1).train(&one, &recipe).unwrap();
    net(1).train(&set().take(65).unwrap(), &recipe).unwrap();
}

#[test]
fn a_log_shows_itself_and_becomes_a_record() {
    let log = net(1).train(&set(), &short()).unwrap();
    assert!(log.to_string().contains("Training on See-Far train"));
    let record = log.record("teacher");
    assert_eq!(record.values["loss"].len(), 3);
    assert_eq!(record.values["validation accuracy"].len(), 3);
    assert_eq!((record.seed, record.seconds), (Some(1), Some(log.seconds())));
    assert_eq!(record.config["recipe"], short().to_string());
    let without = net(1).train(&set(), &recipe().epochs(1)).unwrap();
    assert!(!without.record("teacher").values.contains_key("validation accuracy"));
}

#[test]
fn a_recipe_reads_well() {
    let text = Recipe::standard(Scale::Demo).epochs(10).seed(3).to_string();
    assert!(text.starts_with("standard: 10 epochs, batch 128, rate "), "{text}");
    assert!(text.contains("(one cycle with its peak after 25 % of all steps)"), "{text}");
    assert!(text.ends_with("crop and flip, 1000 held out, seed 3"), "{text}");
    let paper = Recipe::d_det(Scale::Paper).to_string();
    assert!(paper.contains("rate 0.1 (times 0.1 every 50 epochs)"), "{paper}");
    assert!(paper.contains("no augmentation"), "{paper}");
    let paper = Recipe::d_rand(Scale::Paper).to_string();
    assert!(paper.contains("rate 0.01 ") && paper.contains("crop and flip"), "{paper}");
}

/// Five steps an epoch, since 20 of 100 images are held out and a batch holds 16.
fn steps() -> Recipe {
    Recipe { batch: 16, ..short() }
}

#[test]
fn an_interrupt_stops_at_the_batch_and_keeps_the_half_trained_net() {
    let mut stopped = net(1);
    let log = interrupted_after(7, || stopped.train(&set(), &steps())).unwrap();
    assert_ne!(stopped, net(1), "it has learned");
    assert_eq!(log.epochs.len(), 1);
    let whole = net(1).train(&set(), &steps()).unwrap();
    assert_eq!(log.epochs[0].loss, whole.epochs[0].loss);
    // The judge asks once for the twenty images held out, so one step of the second epoch is left.
    let interruption = log.interrupted.clone().unwrap();
    assert_eq!(interruption.epochs, 1.2);
    assert!(interruption.unfinished.as_ref().is_some_and(|epoch| epoch.loss.is_finite()));
    assert!(log.to_string().contains("interrupted after 1.20 of 3 epochs"), "{log}");
    assert_eq!(log.record("stopped").config["interrupted after epochs"], 1.2);
    assert_eq!(whole.interrupted, None);
    assert!(!whole.record("whole").config.contains_key("interrupted after epochs"));
}

#[test]
fn an_interrupt_before_the_first_step_leaves_a_log_that_says_so() {
    let mut stopped = net(1);
    let log = interrupted_after(0, || stopped.train(&set(), &steps())).unwrap();
    assert_eq!(stopped, net(1));
    assert_eq!((log.epochs.len(), log.seconds()), (0, 0.0));
    let said = "Training on See-Far train, interrupted after 0.00 of 3 epochs";
    assert_eq!(log.to_string(), said);
    assert_eq!(log.forms(), [("text/plain", said.to_owned())]);
    let watch = || stopped.train_watching(&set(), &steps(), &[&DATA.test]);
    let log = interrupted_after(2, watch).unwrap();
    assert!(log.forms()[0].1.contains("<svg") && !log.forms()[0].1.contains("expected"), "{log}");
}

#[test]
fn an_interrupt_hides_no_divergence() {
    // One step: its loss was still finite, its weights are not.
    let recipe = Recipe { learning_rate: 1e30, weight_decay: 1e30, ..steps() };
    let mut net = net(1);
    let before = net.clone();
    let result = interrupted_after(1, || net.train(&set(), &recipe));
    says(result, &["lower the learning rate"]);
    assert_eq!(net, before);
}

#[test]
fn adversarial_training_makes_a_net_robust_and_says_so() {
    let attack = Pgd::l2(0.3).steps(4);
    let recipe = Recipe { validation: 50, ..recipe() };
    let trained = |recipe: &Recipe| {
        let mut net = net(1);
        let log = net.train(&DATA.train, recipe).unwrap();
        (judge::robust_accuracy(&net, &DATA.test, &attack).unwrap(), log)
    };
    let (standard, plain) = trained(&recipe);
    let (robust, log) = trained(&recipe.clone().adversary(attack.clone()));
    assert!(robust > standard + 0.1, "{robust}, standard {standard}");
    assert_eq!(plain.robust(), None);
    assert!(log.epochs.iter().all(|epoch| epoch.robust <= epoch.validation));
    assert!(log.robust().unwrap() > 0.1);
    let record = log.record("robust");
    assert_eq!(record.values["validation accuracy under the adversary"].len(), 6);
    assert!(log.to_string().contains("attacked as in training"), "{log}");
}

#[test]
fn an_adversary_that_cannot_be_is_an_error() {
    let recipe = short().adversary(Pgd::l2(-0.5));
    says(net(1).train(&set(), &recipe), &["an epsilon of 0 or more"]);
    let said = Recipe::robust(Scale::Paper).to_string();
    assert!(said.ends_with("seed 0, against PGD ℓ2 0.5, 7 steps of 0.1"), "{said}");
}
