//! The paper's numbers beside those that the finished stages found.

use super::stage::Stage;
use erm::paper::{Published, restricted_imagenet};
use erm::prelude::*;

const UNTOUCHED: &str = "test accuracy, %";
const MOVED_ON: &str = "test accuracy on y + 1, %";
const AT_025: &str = "test accuracy at 0.25, %";
const AT_05: &str = "test accuracy at 0.5, %";

/// What the paper found, under the name that it has in a stage's record.
type Found = (Stage, &'static str, Published);

const CIFAR10: [Found; 15] = [
    (Stage::Standard, UNTOUCHED, paper::STANDARD_CLEAN),
    (Stage::Standard, AT_025, paper::STANDARD_AT_025),
    (Stage::Standard, AT_05, paper::STANDARD_AT_05),
    (Stage::DDet, UNTOUCHED, paper::D_DET),
    (Stage::DDet, MOVED_ON, paper::D_DET_ON_NEXT),
    (Stage::DRand, UNTOUCHED, paper::D_RAND),
    (Stage::Robust, UNTOUCHED, paper::ROBUST_CLEAN),
    (Stage::Robust, AT_025, paper::ROBUST_AT_025),
    (Stage::Robust, AT_05, paper::ROBUST_AT_05),
    (Stage::DR, UNTOUCHED, paper::D_R),
    (Stage::DR, AT_025, paper::D_R_AT_025),
    (Stage::DR, AT_05, paper::D_R_AT_05),
    (Stage::DNr, UNTOUCHED, paper::D_NR),
    (Stage::DNr, AT_025, paper::D_NR_AT_025),
    (Stage::DNr, AT_05, paper::D_NR_AT_05),
];

const RESTRICTED_IMAGENET: [Found; 8] = [
    (Stage::Standard, UNTOUCHED, restricted_imagenet::STANDARD_CLEAN),
    (Stage::Standard, AT_05, restricted_imagenet::STANDARD_AT_05),
    (Stage::DDet, UNTOUCHED, restricted_imagenet::D_DET),
    (Stage::DRand, UNTOUCHED, restricted_imagenet::D_RAND),
    (Stage::Robust, UNTOUCHED, restricted_imagenet::ROBUST_CLEAN),
    (Stage::Robust, AT_05, restricted_imagenet::ROBUST_AT_05),
    (Stage::DR, UNTOUCHED, restricted_imagenet::D_R),
    (Stage::DR, AT_05, restricted_imagenet::D_R_AT_05),
];

/// A row for everything that is known by now of a data set.
pub fn table(data: &str, records: &[(Stage, Record)]) -> Table {
    let mut rows: Vec<(String, Option<f64>, &[f64])> = Vec::new();
    for (stage, record) in records {
        for name in [UNTOUCHED, MOVED_ON, AT_025, AT_05] {
            let Some(here) = record.values.get(name) else { continue };
            let title = format!("{stage}: {}", name.trim_end_matches(", %"));
            rows.push((title, published(data, *stage, name), here));
        }
    }
    let rows: Vec<(&str, Option<f64>, &[f64])> =
        rows.iter().map(|(title, paper, here)| (title.as_str(), *paper, *here)).collect();
    paper_vs_here("%", &rows)
}

/// What the paper found there, if that is printed or drawn.
fn published(data: &str, stage: Stage, name: &str) -> Option<f64> {
    let all: &[Found] = match data {
        "CIFAR-10 train" => &CIFAR10,
        "Restricted ImageNet train" => &RESTRICTED_IMAGENET,
        _ => &[],
    };
    let found = all.iter().find(|(of, what, _)| *of == stage && *what == name);
    found.map(|(.., published)| published.value)
}
