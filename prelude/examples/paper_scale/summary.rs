//! The paper's numbers beside those that the finished stages found.

use super::stage::Stage;
use erm::paper::Published;
use erm::prelude::*;

/// What each stage finds, under which name in its record, and what the paper found.
const FOUND: [(Stage, &str, Option<Published>); 17] = [
    (Stage::Standard, "test accuracy, %", Some(paper::STANDARD_CLEAN)),
    (Stage::Standard, "test accuracy at 0.25, %", Some(paper::STANDARD_AT_025)),
    (Stage::Standard, "test accuracy at 0.5, %", Some(paper::STANDARD_AT_05)),
    (Stage::DDet, "test accuracy, %", Some(paper::D_DET)),
    (Stage::DDet, "test accuracy on y + 1, %", Some(paper::D_DET_ON_NEXT)),
    (Stage::DRand, "test accuracy, %", Some(paper::D_RAND)),
    (Stage::DRandWrong, "test accuracy, %", None),
    (Stage::DRandWrong, "test accuracy on y + 1, %", None),
    (Stage::Robust, "test accuracy, %", Some(paper::ROBUST_CLEAN)),
    (Stage::Robust, "test accuracy at 0.25, %", Some(paper::ROBUST_AT_025)),
    (Stage::Robust, "test accuracy at 0.5, %", Some(paper::ROBUST_AT_05)),
    (Stage::DR, "test accuracy, %", Some(paper::D_R)),
    (Stage::DR, "test accuracy at 0.25, %", Some(paper::D_R_AT_025)),
    (Stage::DR, "test accuracy at 0.5, %", Some(paper::D_R_AT_05)),
    (Stage::DNr, "test accuracy, %", Some(paper::D_NR)),
    (Stage::DNr, "test accuracy at 0.25, %", Some(paper::D_NR_AT_025)),
    (Stage::DNr, "test accuracy at 0.5, %", Some(paper::D_NR_AT_05)),
];

/// A row for everything that is known by now.
pub fn table(records: &[(Stage, Record)]) -> Table {
    let value = |stage: Stage, name: &str| {
        let (_, record) = records.iter().find(|(of, _)| *of == stage)?;
        record.values.get(name)
    };
    let known = FOUND.iter().filter_map(|(stage, name, paper)| {
        let title = format!("{stage}: {}", name.trim_end_matches(", %"));
        Some((title, paper.map(|paper| paper.value), value(*stage, name)?))
    });
    let known: Vec<(String, Option<f64>, &Vec<f64>)> = known.collect();
    let rows: Vec<(&str, Option<f64>, &[f64])> = known
        .iter()
        .map(|(title, paper, here)| (title.as_str(), *paper, here.as_slice()))
        .collect();
    paper_vs_here("%", &rows)
}
