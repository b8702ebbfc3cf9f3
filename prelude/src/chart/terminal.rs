//! Charts as text, for a terminal and for readers who see no pictures.

use super::axis::{Axis, Scale};
use super::bars::{measured, published};
use super::builder::{Bar, Body, Chart, Drawn, Series};
use super::lines;

/// The size of a chart of lines, and the length of the longest bar, in letters.
const COLUMNS: usize = 64;
const ROWS: usize = 14;
const BAR: f64 = 40.0;
/// Up to how many single points are named one by one.
const LISTED: usize = 5;
/// The marks of the series, in order; they come round again.
const MARKS: [char; 8] = ['o', 'x', '+', '*', '#', '@', '%', '&'];

/// A chart whose data have been checked.
pub(super) fn text(chart: &Chart) -> String {
    let body = match &chart.body {
        Body::Lines { series, x_scale } => plot(chart, series, *x_scale),
        Body::Bars(bars) => bar_list(chart, bars),
    };
    format!("{}\n{body}", chart.title)
}

fn plot(chart: &Chart, series: &[Series], x_scale: Scale) -> String {
    let (x_axis, y_axis) = lines::axes(chart, series, x_scale);
    let mut sheet = vec![vec![' '; COLUMNS]; ROWS];
    for reference in &chart.references {
        sheet[row(&y_axis, reference.value)].fill('-');
    }
    for (line, mark) in series.iter().zip(MARKS.iter().cycle()) {
        for (x, y) in &line.points {
            sheet[row(&y_axis, *y)][column(&x_axis, *x)] = *mark;
        }
    }
    let mut text = if chart.y.is_empty() { String::new() } else { format!("{}\n", chart.y) };
    text += &with_y_axis(&sheet, &y_axis);
    text += &x_numbers(&x_axis, margin(&y_axis));
    if !chart.x.is_empty() {
        text += &format!("{:>width$}\n", chart.x, width = margin(&y_axis) + 2 + COLUMNS);
    }
    for (line, mark) in series.iter().zip(MARKS.iter().cycle()) {
        text += &format!("  {mark} {}: {}\n", line.name, summary(line));
    }
    for reference in &chart.references {
        text += &format!("  - {}\n", reference.name);
    }
    text
}

fn with_y_axis(sheet: &[Vec<char>], axis: &Axis) -> String {
    let mut labels = vec![""; ROWS];
    for (value, label) in &axis.ticks {
        labels[row(axis, *value)] = label;
    }
    let width = margin(axis);
    let mut text = String::new();
    for (line, label) in sheet.iter().zip(labels) {
        let line: String = line.iter().collect();
        text += &format!("{label:>width$} │{}\n", line.trim_end());
    }
    text
}

/// The line below the data and its numbers, each centred under its tick where there is room.
fn x_numbers(axis: &Axis, margin: usize) -> String {
    let mut numbers: Vec<char> = vec![' '; COLUMNS + 12];
    let mut free = 0;
    for (value, label) in &axis.ticks {
        let letters: Vec<char> = label.chars().collect();
        let start = column(axis, *value).saturating_sub(letters.len() / 2);
        if start >= free && start + letters.len() <= numbers.len() {
            numbers[start..start + letters.len()].copy_from_slice(&letters);
            free = start + letters.len() + 1;
        }
    }
    let numbers: String = numbers.iter().collect();
    let blank = " ".repeat(margin);
    format!("{blank} └{}\n{blank}  {}\n", "─".repeat(COLUMNS), numbers.trim_end())
}

fn margin(axis: &Axis) -> usize {
    axis.ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0)
}

fn row(axis: &Axis, value: f64) -> usize {
    ROWS - 1 - cell(axis.position(value), ROWS)
}

fn column(axis: &Axis, value: f64) -> usize {
    cell(axis.position(value), COLUMNS)
}

fn cell(position: f64, cells: usize) -> usize {
    ((position * (cells - 1) as f64).round().max(0.0) as usize).min(cells - 1)
}

fn summary(series: &Series) -> String {
    let value = super::number::value;
    if series.drawn == Drawn::Apart && series.points.len() > LISTED {
        return format!("{} points", series.points.len());
    }
    if series.drawn == Drawn::Apart {
        let point = |(x, y): &(f64, f64)| format!("({}, {})", value(*x), value(*y));
        return series.points.iter().map(point).collect::<Vec<_>>().join(" ");
    }
    let (first, last) = (series.points[0].1, series.points[series.points.len() - 1].1);
    if series.points.len() == 1 {
        value(first)
    } else {
        format!("{} → {}", value(first), value(last))
    }
}

fn bar_list(chart: &Chart, bars: &[Bar]) -> String {
    let values = bars.iter().flat_map(|bar| bar.paper.into_iter().chain([bar.mean()]));
    let longest = values.map(f64::abs).fold(0.0, f64::max);
    let width = bars.iter().map(|bar| bar.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for bar in bars {
        let mut name = bar.name.as_str();
        if let Some(paper) = bar.paper {
            text += &format!(
                "{name:width$}  paper {} {}\n",
                stripe(paper, longest),
                published(chart, paper)
            );
            name = "";
        }
        text += &format!(
            "{name:width$}  here  {} {}",
            stripe(bar.mean(), longest),
            measured(chart, bar.mean())
        );
        if bar.here.len() > 1 {
            let (least, most) = (measured(chart, bar.least()), measured(chart, bar.most()));
            text += &format!(" ({least} to {most}, {} seeds)", bar.here.len());
        }
        text.push('\n');
    }
    for reference in &chart.references {
        text += &format!("{}\n", reference.name);
    }
    text
}

/// A bar of eighths of a letter; one below zero is drawn in another shade.
fn stripe(value: f64, longest: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths =
        if longest == 0.0 { 0 } else { (value.abs() / longest * BAR * 8.0).round() as usize };
    if value < 0.0 {
        return "░".repeat(eighths.div_ceil(8));
    }
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}
