//! The table that every walkthrough ends with: the paper's numbers beside those measured here.

use super::number;
use super::table::Table;

/// The paper's value beside the values measured here, one a seed:
/// `(name, what the paper printed, what was measured)`.
///
/// Several values become their mean ± their standard deviation; none becomes a dash.
pub fn paper_vs_here(unit: &str, rows: &[(&str, Option<f64>, &[f64])]) -> Table {
    let mut table = Table::new(["", "paper", "here", "seeds"]);
    for (name, paper, here) in rows {
        let paper =
            paper.map_or("–".to_owned(), |value| number::with_unit(number::printed(value), unit));
        table = table.row([name.to_string(), paper, measured(here, unit), here.len().to_string()]);
    }
    if rows.iter().any(|(_, _, here)| here.len() > 1) {
        table = table.note("± is the standard deviation over the seeds.");
    }
    table
}

fn measured(values: &[f64], unit: &str) -> String {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    match values.len() {
        0 => "–".to_owned(),
        1 => number::with_unit(number::value(mean), unit),
        _ => {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            let spread = (squares / (n - 1.0)).sqrt();
            number::with_unit(number::with_spread(mean, spread), unit)
        }
    }
}
