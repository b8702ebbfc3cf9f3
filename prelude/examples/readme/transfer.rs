//! Section 3.3: five architectures, each with what it learned from perturbations and what fools it.

use crate::{mean, newest, write};
use erm::prelude::*;
use std::path::Path;

/// The radius that the notebook draws.
const EPSILON: &str = "1";

/// Draws the figure from the record of notebook 05, and gives the table and what it was measured with.
pub fn section(records: &[Record], figure: &Path) -> Result<String> {
    let record = newest(records, "transferability", "CIFAR-10 train")?;
    let (fooled, target) = (format!("fooled at {EPSILON}"), format!("target at {EPSILON}"));
    let [learned, fooled_by, hit_by, clean] =
        ["D_det", &fooled, &target, "standard"].map(|what| values(record, what));
    let chart = Chart::lines("Who learns from perturbations is fooled by them")
        .x("trained on D_det: accuracy on the test set, %")
        .y(format!("fooled at ε = {EPSILON}, %"));
    let five = paper::TRANSFER.iter().zip(learned.iter().zip(&fooled_by));
    let chart = five.fold(chart, |chart, (point, (x, y))| chart.points(point.name, x, y));
    let line = judge::Correlation::of(&learned.concat(), &fooled_by.concat())?;
    write(figure, &chart.trend("fitted", &line).svg()?)?;
    let over_the_five =
        |xs: &[Vec<f64>], ys: &[Vec<f64>]| judge::Correlation::of(&means(xs), &means(ys));
    Ok(format!(
        "{}\nOver the five, each with the mean of its seeds, D_det and being fooled: {}; D_det and seeing the target: {}. \
         The standard nets' accuracy on untouched pictures and being fooled: {}.\n\n{}\n",
        table(record, &fooled, &target)?.markdown()?,
        over_the_five(&learned, &fooled_by)?,
        over_the_five(&learned, &hit_by)?,
        over_the_five(&clean, &fooled_by)?,
        note(record),
    ))
}

fn table(record: &Record, fooled: &str, target: &str) -> Result<Table> {
    let fooled_heading = format!("fooled, ε = {EPSILON}");
    let mut table = Table::new([
        "%",
        "student of D_det",
        "paper",
        &fooled_heading,
        "paper",
        "sees the target",
        "paper",
        "standard net, untouched",
    ]);
    for point in paper::TRANSFER {
        let here = |what: &str| mean(record, &format!("{}: {what}, %", point.name));
        table = table.row([
            point.name.to_owned(),
            here("D_det"),
            point.d_det.to_string(),
            here(fooled),
            point.fooled.to_string(),
            here(target),
            point.targeted.to_string(),
            here("standard"),
        ]);
    }
    Ok(table)
}

/// One value for each seed, for each of the five.
fn values(record: &Record, what: &str) -> Vec<Vec<f64>> {
    let of = |name: &str| record.values.get(&format!("{name}: {what}, %")).cloned();
    paper::TRANSFER.iter().map(|point| of(point.name).unwrap_or_default()).collect()
}

fn means(all: &[Vec<f64>]) -> Vec<f64> {
    all.iter().map(|values| values.iter().sum::<f64>() / values.len() as f64).collect()
}

/// With what it was measured.
fn note(record: &Record) -> String {
    let text = |name: &str| record.config[name].to_string().replace('"', "");
    format!(
        "CIFAR-10, {:.0} minutes on {} cores, seeds {}. {}. Source: {}. Standard nets: {}. Students, of {} images, {}: {}. \
         {} test pictures, attacked in {} steps.",
        record.seconds.unwrap_or(f64::NAN) / 60.0,
        record.machine.cores,
        text("seeds"),
        text("nets"),
        text("source recipe"),
        text("standard recipe"),
        text("images"),
        text("attack"),
        text("student recipe"),
        text("attacked"),
        text("steps on the source"),
    )
}
