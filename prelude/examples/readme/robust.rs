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

/// The table, and what it was measured with: of every notebook and data set that has a record.
pub fn section(records: &[Record]) -> Result<String> {
    let headings =
        ["accuracy, %", "untouched", "paper", "ε = 0.25", "paper", "ε = 0.5", "paper", "seeds"];
    let mut table = Table::new(headings);
    let mut notes = String::new();
    for data in ["CIFAR-10", "See-Far"] {
        for (notebook, rows) in [("robust-training", &TRAINED[..]), ("robust-data-set", &STUDENTS)]
        {
            let Ok(record) = newest(records, notebook, &format!("{data} train")) else {
                continue;
            };
            for row in rows {
                table = table.row(cells(record, data, row));
            }
            notes += &format!("\n{}\n", note(record, data));
        }
    }
    Ok(table.markdown()? + &notes)
}

fn cells(record: &Record, data: &str, (title, name, published): &Row) -> Vec<String> {
    let keys = ["", " at 0.25", " at 0.5"].map(|at| format!("{name}{at}, %"));
    let mut cells = vec![format!("{data}: {title}")];
    for (key, published) in keys.iter().zip(published) {
        cells.push(mean(record, key));
        // The paper's figures are for CIFAR-10.
        cells.push(if data == "CIFAR-10" { published.value.to_string() } else { String::new() });
    }
    cells.push(record.values.get(&keys[0]).map_or(0, Vec::len).to_string());
    cells
}

/// What a record's notebook had to do, in a sentence.
fn note(record: &Record, data: &str) -> String {
    let numbers =
        ["images", "robust recipe", "student recipe", "inversion", "inversion from noise"];
    let config = numbers.iter().chain(&["attack", "attacked pictures"]).filter_map(|name| {
        let value = record.config.get(*name)?.to_string().replace('"', "");
        Some(format!("{name}: {value}"))
    });
    let minutes = record.seconds.unwrap_or(f64::NAN) / 60.0;
    let config: Vec<String> = config.collect();
    let (name, cores) = (&record.name, record.machine.cores);
    format!("{data}, {name}, {minutes:.0} minutes on {cores} cores. {}.", config.join("; "))
}
