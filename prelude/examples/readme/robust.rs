//! The table of the robust half: what nets that never saw an attack withstand.

use crate::{mean, newest};
use erm::prelude::*;

/// Untouched and under the two attacks: the name in a record, and the paper's figures.
type Row = (&'static str, &'static str, [paper::Published; 3]);

/// Of notebook 02.
const TRAINED: [Row; 2] = [
    (
        "standard training",
        "standard",
        [paper::STANDARD_CLEAN, paper::STANDARD_AT_025, paper::STANDARD_AT_05],
    ),
    (
        "adversarial training",
        "robust",
        [paper::ROBUST_CLEAN, paper::ROBUST_AT_025, paper::ROBUST_AT_05],
    ),
];

/// Of notebook 03.
const STUDENTS: [Row; 5] = [
    (
        "standard training on as many originals",
        "originals",
        [paper::STANDARD_CLEAN, paper::STANDARD_AT_025, paper::STANDARD_AT_05],
    ),
    ("**standard training on D_R**", "D_R", [paper::D_R, paper::D_R_AT_025, paper::D_R_AT_05]),
    ("standard training on D_NR", "D_NR", [paper::D_NR, paper::D_NR_AT_025, paper::D_NR_AT_05]),
    (
        "standard training on D_R from noise",
        "D_R from noise",
        [paper::D_R_FROM_NOISE, paper::D_R_FROM_NOISE_AT_025, paper::D_R_FROM_NOISE_AT_05],
    ),
    (
        "standard training on D_NR from noise",
        "D_NR from noise",
        [paper::D_NR_FROM_NOISE, paper::D_NR_FROM_NOISE_AT_025, paper::D_NR_FROM_NOISE_AT_05],
    ),
];

/// The table, and what it was measured with.
pub fn section(records: &[Record], data: &str) -> Result<String> {
    let (trained, students) =
        (newest(records, "robust-training", data)?, newest(records, "robust-data-set", data)?);
    let mut table = Table::new([
        "accuracy, %",
        "untouched",
        "paper",
        "ε = 0.25",
        "paper",
        "ε = 0.5",
        "paper",
        "seeds",
    ]);
    let rows = TRAINED.iter().map(|row| (trained, row));
    for (record, (title, name, published)) in rows.chain(STUDENTS.iter().map(|row| (students, row)))
    {
        let keys = ["", " at 0.25", " at 0.5"].map(|at| format!("{name}{at}, %"));
        let seeds = record.values.get(&keys[0]).map_or(0, Vec::len);
        let mut cells = vec![(*title).to_owned()];
        for (key, published) in keys.iter().zip(published) {
            cells.push(mean(record, key));
            cells.push(published.value.to_string());
        }
        cells.push(seeds.to_string());
        table = table.row(cells);
    }
    let text = |record: &Record, name: &str| record.config[name].to_string().replace('"', "");
    let minutes = |record: &Record| record.seconds.unwrap_or(f64::NAN) / 60.0;
    let seconds = trained.values.get("seconds of robust training").and_then(|it| it.last());
    Ok(format!(
        "{}\n{}, resnet of width {}; the first two rows learned all training images (the second in {:.0} \
         minutes: {}), the others {} of them. D_R and D_NR: {}, and {}. Attack: {}, on {} test images. \
         The notebooks took {:.0} and {:.0} minutes on two cores.",
        table.markdown()?,
        data.replace(" train", ""),
        text(trained, "width"),
        seconds.copied().unwrap_or(f64::NAN) / 60.0,
        text(trained, "robust recipe"),
        text(students, "images"),
        text(students, "inversion"),
        text(students, "inversion from noise"),
        text(students, "attack"),
        text(students, "attacked pictures"),
        minutes(trained),
        minutes(students),
    ))
}
