//! A training that was broken off goes on at the next batch, and ends as if it had not been.

use super::super::checkpoint::{Checkpoint, State};
use super::super::sets::Sets;
use super::super::sgd::Sgd;
use super::*;
use crate::net::Architecture;
use crate::show::killed_after;
use std::path::Path;
use std::time::Duration;

/// How often a checkpoint is written: after every batch, or only after an epoch.
const ALWAYS: Duration = Duration::ZERO;
const NEVER: Duration = Duration::MAX;

/// What a training ends with: the net, its velocities, and the log without its clock.
#[derive(Debug, PartialEq)]
struct End {
    net: Net,
    sgd: Sgd,
    log: Vec<Epoch>,
}

impl End {
    /// Trains, or goes on, until the end.
    fn of(path: &Path, recipe: &Recipe) -> Self {
        let recipe = recipe.clone().checkpoint(path);
        let mut net = net(1);
        let mut log = net.train(&set(), &recipe).unwrap().epochs;
        log.iter_mut().for_each(|epoch| epoch.seconds = 0.0);
        Self { net, sgd: kept(path, &recipe).sgd, log }
    }

    fn unbroken(recipe: &Recipe) -> Self {
        let scratch = Scratch::new(&format!("unbroken-{}", recipe.batch));
        Self::of(&scratch.path().join("training.safetensors"), recipe)
    }
}

/// What lies in a file.
fn kept(path: &Path, recipe: &Recipe) -> State {
    let set = set();
    let sets = Sets::new(&net(1), &set, recipe, &[]).unwrap();
    Checkpoint::open(path, NEVER, State::new(&net(1)), &sets, recipe).unwrap().1
}

#[test]
fn a_training_that_dies_at_any_time_ends_like_an_unbroken_one() {
    let scratch = Scratch::new("killed-training");
    let path = scratch.path().join("training.safetensors");
    let (recipe, unbroken) = (steps().checkpoint(&path), End::unbroken(&steps()));
    // Six questions an epoch: before each of five batches, and in the judge.
    for questions in 0..18 {
        killed_after(questions, || net(1).train_keeping(&set(), &recipe, &[], ALWAYS));
        let State { log, tally, .. } = kept(&path, &recipe);
        let batches = (log.len(), tally.images / 16);
        assert_eq!(batches, (questions / 6, questions % 6), "killed after {questions} questions");
        assert_eq!(End::of(&path, &steps()), unbroken, "killed after {questions} questions");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_checkpoint_is_written_when_it_is_time_and_after_an_epoch() {
    let scratch = Scratch::new("seldom-kept");
    let path = scratch.path().join("training.safetensors");
    let (recipe, unbroken) = (steps().checkpoint(&path), End::unbroken(&steps()));
    killed_after(9, || net(1).train_keeping(&set(), &recipe, &[], NEVER));
    let State { log, tally, .. } = kept(&path, &recipe);
    assert_eq!((log.len(), tally.images), (1, 0));
    assert_eq!(End::of(&path, &steps()), unbroken);
}

#[test]
fn an_interrupted_training_goes_on_at_the_next_batch() {
    let scratch = Scratch::new("interrupted-training");
    let path = scratch.path().join("training.safetensors");
    let (recipe, unbroken) = (steps().checkpoint(&path), End::unbroken(&steps()));
    // Before the first step, in the first epoch, in the judge after it, in the second, in the third.
    for (questions, epochs, next) in
        [(0, 0.0, 0.2), (3, 0.6, 0.8), (5, 1.0, 1.0), (8, 1.4, 1.6), (15, 2.6, 2.8)]
    {
        let mut stopped = net(1);
        let log = interrupted_after(questions, || stopped.train(&set(), &recipe)).unwrap();
        let interruption = log.interrupted.clone().unwrap();
        assert_eq!(interruption.epochs, epochs, "{log}");
        // The same cell with the half-trained net, and the notebook once more with a net of its own.
        for net in [stopped.clone(), net(1)] {
            let at_once = interrupted_after(0, || net.clone().train(&set(), &recipe)).unwrap();
            assert_eq!(at_once.interrupted.as_ref(), Some(&interruption));
        }
        let half = interrupted_after(1, || stopped.train(&set(), &recipe)).unwrap();
        assert_eq!(half.interrupted.unwrap().epochs, next, "one question later");
        assert_eq!(stopped.train(&set(), &recipe).unwrap().interrupted, None);
        assert!(stopped == unbroken.net, "after {epochs} epochs");
        assert_eq!(End::of(&path, &steps()), unbroken, "after {epochs} epochs");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_half_trained_net_is_known_until_the_end() {
    let scratch = Scratch::new("half-trained");
    let recipe = steps().checkpoint(scratch.path().join("training.safetensors"));
    let mut half = net(1);
    interrupted_after(3, || half.train(&set(), &recipe)).unwrap();
    // Going on dies without a word, and behind an epoch's end.
    killed_after(12, || half.clone().train(&set(), &recipe));
    half.train(&set(), &recipe).unwrap();
    assert_eq!(half, trained(&steps()));
}

#[test]
fn the_clock_goes_on_too() {
    let scratch = Scratch::new("clock");
    let path = scratch.path().join("training.safetensors");
    let recipe = steps().checkpoint(&path);
    let log = interrupted_after(3, || net(1).train(&set(), &recipe)).unwrap();
    let before = log.interrupted.unwrap().unfinished.unwrap().seconds;
    assert_eq!(kept(&path, &recipe).tally.row().seconds, before);
    let log = interrupted_after(1, || net(1).train(&set(), &recipe)).unwrap();
    assert!(log.seconds() > before && before > 0.0);
}

#[test]
fn adversarial_training_broken_off_ends_like_an_unbroken_one() {
    let scratch = Scratch::new("robust-resume");
    let path = scratch.path().join("training.safetensors");
    let adversary = Pgd::l2(0.3).steps(2).random_starts(1, 4);
    let recipe = Recipe { batch: 24, ..short() }.adversary(adversary);
    let unbroken = End::unbroken(&recipe);
    // Four batches an epoch, each asked before it and before each step of its attack; four questions
    // more when it is looked at. So this is in an attack on the second batch of the second epoch.
    let mut resumed = net(1);
    let kept = recipe.clone().checkpoint(&path);
    let log = interrupted_after(21, || resumed.train(&set(), &kept)).unwrap();
    assert_eq!(log.interrupted.unwrap().epochs, 1.3);
    resumed.train(&set(), &kept).unwrap();
    assert_eq!(resumed, unbroken.net);
    assert_eq!(End::of(&path, &recipe), unbroken);
}

#[test]
fn a_resumed_training_drops_out_the_same() {
    let scratch = Scratch::new("dropout-resume");
    let path = scratch.path().join("training.safetensors");
    let begin = || {
        let architecture = Architecture { dropout: 0.5, ..net(1).architecture().clone() };
        Net::new(architecture, vec![0.5; 3], vec![0.2; 3], 1).unwrap()
    };
    let (mut unbroken, mut resumed) = (begin(), begin());
    unbroken.train(&set(), &steps()).unwrap();
    assert_ne!(unbroken.weights, trained(&steps()).weights, "the dropout does something");
    let recipe = steps().checkpoint(&path);
    interrupted_after(8, || resumed.train(&set(), &recipe)).unwrap();
    resumed.train(&set(), &recipe).unwrap();
    assert_eq!(resumed, unbroken);
}

#[test]
fn the_checkpoint_of_another_training_is_an_error() {
    let scratch = Scratch::new("foreign-training");
    let path = scratch.path().join("training.safetensors");
    let recipe = short().epochs(1).checkpoint(&path);
    net(1).train(&set(), &recipe).unwrap();
    let parts = ["training.safetensors", "belongs to another training", "Delete the file"];
    says(net(2).train(&set(), &recipe), &parts);
    says(net(1).train(&set(), &recipe.clone().seed(9)), &parts);
    says(net(1).train(&DATA.train.take(99).unwrap(), &recipe), &parts);
    says(net(1).train_watching(&set(), &recipe, &[&DATA.test]), &parts);
}

#[test]
fn a_damaged_or_foreign_checkpoint_is_an_error() {
    let scratch = Scratch::new("damaged-training");
    let path = scratch.path().join("training.safetensors");
    let recipe = short().epochs(1).checkpoint(&path);
    net(1).train(&set(), &recipe).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 7, 200, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        says(net(1).train(&set(), &recipe), &["no whole checkpoint", "Delete the file"]);
    }
    net(1).save(&path).unwrap();
    says(net(1).train(&set(), &recipe), &["it does not say of which training"]);
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_an_error_before_any_work() {
    let scratch = Scratch::new("unwritable-training");
    std::fs::write(scratch.path().join("file"), "").unwrap();
    let path = scratch.path().join("file/training.safetensors");
    // Any work would end in another error.
    let recipe = Recipe { learning_rate: 1e30, ..short() }.checkpoint(path);
    says(net(1).train(&set(), &recipe), &["file", "choose a path where you may write"]);
}

#[test]
fn a_training_that_is_kept_is_done_once() {
    let scratch = Scratch::new("kept-training");
    let train = |seed: u64, recipe: &Recipe| {
        let mut net = net(seed);
        net.train_kept_in(scratch.path(), &set(), recipe).unwrap();
        net
    };
    let first = train(1, &short());
    assert_eq!(first, trained(&short()));
    // Not a single batch is learned again: that would ask.
    let mut again = net(1);
    let log = interrupted_after(0, || again.train_kept_in(scratch.path(), &set(), &short()));
    assert!(again == first && log.unwrap().interrupted.is_none());
    assert_ne!(train(1, &short().seed(2)), first);
    assert_ne!(train(2, &short()), first);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 3);
}
