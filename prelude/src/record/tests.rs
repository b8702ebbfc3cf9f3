//! Records go to disk and come back, and say what is wrong when they cannot.

use super::*;
use crate::fixture::Scratch;

fn record() -> Record {
    Record::new("d_det / cifar")
        .with("epsilon", 0.5)
        .with("recipe", "d_det")
        .with("steps", 30)
        .seed(7)
        .seconds(12.5)
        .value("test accuracy, %", 27.1)
        .values("loss", &[2.3, 1.5, 0.9])
}

#[test]
fn a_record_comes_back_as_it_was() {
    let scratch = Scratch::new("round-trip");
    let path = record().save_in(scratch.path()).unwrap();
    let back = Record::load(&path).unwrap();
    assert_eq!(back.values, record().values);
    assert_eq!((back.seed, back.seconds), (Some(7), Some(12.5)));
    assert_eq!(back.config["epsilon"], 0.5);
    assert_eq!(back, Record { time: back.time.clone(), ..record() });
}

#[test]
fn a_second_record_of_the_same_second_does_not_replace_the_first() {
    let scratch = Scratch::new("second");
    let first = record();
    let second = first.clone().value("test accuracy, %", 28.0);
    let paths = [first.save_in(scratch.path()).unwrap(), second.save_in(scratch.path()).unwrap()];
    assert_ne!(paths[0], paths[1]);
    assert_eq!(Record::load_all(scratch.path()).unwrap(), [first, second]);
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2, "nothing half-written is left");
}

#[test]
fn the_oldest_comes_first() {
    let scratch = Scratch::new("oldest");
    let old = Record { name: "z".into(), time: "1999-01-01T00:00:00Z".into(), ..record() };
    record().save_in(scratch.path()).unwrap();
    old.save_in(scratch.path()).unwrap();
    assert_eq!(Record::load_all(scratch.path()).unwrap()[0].name, "z");
}

#[test]
fn a_run_that_diverged_is_recorded_too() {
    let scratch = Scratch::new("diverged");
    let diverged = record().values("loss", &[2.3, f64::NAN, f64::INFINITY]);
    let back = Record::load(diverged.save_in(scratch.path()).unwrap()).unwrap();
    assert_eq!(back.values["loss"][0], 2.3);
    assert!(back.values["loss"][1..].iter().all(|value| value.is_nan()));
}

#[test]
fn the_fields_of_the_file_keep_their_order() {
    let text = serde_json::to_string(&record()).unwrap();
    let fields =
        ["name", "time", "version", "commit", "machine", "seed", "seconds", "config", "values"];
    let places = fields.map(|field| text.find(&format!("\"{field}\":")).unwrap());
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn a_corrupt_record_is_named_with_its_line() {
    let scratch = Scratch::new("corrupt");
    let path = scratch.path().join("half.json");
    fs::write(&path, "{\n  \"name\": \"d_det\",").unwrap();
    let message = Record::load_all(scratch.path()).unwrap_err().to_string();
    assert!(message.contains("half.json") && message.contains("not a record"), "{message}");
    assert!(message.contains("line 2"), "{message}");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_an_error_that_says_what_to_set() {
    let scratch = Scratch::new("unwritable");
    // A file where the folder should be stops even a user who may write everywhere.
    let blocked = scratch.path().join("records");
    fs::write(&blocked, "").unwrap();
    let message = record().save_in(&blocked).unwrap_err().to_string();
    assert!(message.contains("Set ERM_RECORDS"), "{message}");
    let message = Record::load_all(scratch.path().join("none")).unwrap_err().to_string();
    assert!(message.contains("none"), "{message}");
}

#[test]
fn a_record_reads_as_a_table() {
    let text = record().values("gap", &[0.5; 9]).to_string();
    assert!(text.starts_with("d_det / cifar\n"), "{text}");
    for line in ["test accuracy, %  27.1", "recipe            d_det", "0.5, 0.5, … 0.5 (9 values)"]
    {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_run_that_has_ended_is_found_again_by_its_settings_alone() {
    let scratch = Scratch::new("kept");
    let begun = Record::new("transfer").seed(1).with("net", "VGG-16").with("epochs", 2);
    assert_eq!(begun.kept_in(scratch.path()), None);
    begun.clone().value("fooled, %", 61.0).keep_in(scratch.path()).unwrap();
    let later = Record { time: "1999-01-01T00:00:00Z".into(), ..begun.clone() };
    let found = later.kept_in(scratch.path()).unwrap();
    assert_eq!((found.values["fooled, %"][0], &found.time), (61.0, &begun.time));
    for other in [
        begun.clone().seed(2),
        begun.clone().with("epochs", 3),
        begun.clone().with("images", 10),
        Record { name: "other".into(), ..begun.clone() },
        Record { version: "0".into(), ..begun.clone() },
    ] {
        assert_eq!(other.kept_in(scratch.path()), None, "{other}");
    }
}

#[test]
fn a_kept_run_that_is_damaged_counts_as_none() {
    let scratch = Scratch::new("kept-damaged");
    let run = Record::new("transfer").value("fooled, %", 61.0);
    run.keep_in(scratch.path()).unwrap();
    let file = fs::read_dir(scratch.path()).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() / 2]).unwrap();
    assert_eq!(run.kept_in(scratch.path()), None);
    run.keep_in(scratch.path()).unwrap();
    assert_eq!(run.kept_in(scratch.path()), Some(run));
}
