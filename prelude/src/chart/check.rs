//! What a chart can be drawn from, and what is said about anything else.

use super::builder::Series;
use crate::{Error, Result};

pub(super) fn series(name: &str, xs: &[f64], ys: &[f64]) -> Result<()> {
    if xs.is_empty() || xs.len() != ys.len() {
        return Err(Error::invalid(
            format!("as many x as y values, at least one, in series \"{name}\""),
            format!("{} x and {} y values", xs.len(), ys.len()),
            "Give both lists the same length.",
        ));
    }
    let what = format!("series \"{name}\"");
    xs.iter().chain(ys).try_for_each(|value| number(&what, *value))
}

pub(super) fn bar(name: &str, paper: Option<f64>, here: &[f64]) -> Result<()> {
    if here.is_empty() {
        return Err(Error::invalid(
            format!("at least one value in bar \"{name}\""),
            "none",
            "Give the value of every seed, or leave the bar out.",
        ));
    }
    let what = format!("bar \"{name}\"");
    here.iter().copied().chain(paper).try_for_each(|value| number(&what, value))
}

/// Beyond 10¹⁰⁰ the width of an axis would overflow.
pub(super) fn number(what: &str, value: f64) -> Result<()> {
    if value.is_finite() && value.abs() < 1e100 {
        return Ok(());
    }
    Err(Error::invalid(
        format!("finite numbers in {what}"),
        format!("{value}"),
        "A training that diverges gives such numbers: lower its learning rate, or leave them out.",
    ))
}

pub(super) fn above_zero(all: &[Series]) -> Result<()> {
    for Series { name, points, .. } in all {
        if let Some((x, _)) = points.iter().find(|(x, _)| *x <= 0.0) {
            return Err(Error::invalid(
                format!("x values above 0 in series \"{name}\", since the axis is logarithmic"),
                format!("{x}"),
                "Leave the point out, or leave out `.log_x()`.",
            ));
        }
    }
    Ok(())
}

pub(super) fn mixed(kind: &str, call: &str, start: &str) -> Error {
    Error::invalid(
        format!("only what belongs in a chart of {kind}"),
        format!("`{call}`"),
        format!("Start the chart with `{start}(title)`."),
    )
}

pub(super) fn empty(call: &str) -> Error {
    Error::invalid("something to draw", "an empty chart", format!("Add it with `{call}`."))
}
