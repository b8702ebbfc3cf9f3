//! Bars, "paper" above "here", as SVG. They lie, so that names of any length can be read.

use plotters::style::RGBColor;

use super::axis::{Axis, Scale};
use super::builder::{Bar, Chart};
use super::canvas::{self, Canvas, From};
use super::frame::{self, Inset, LABEL, Lines, MARGIN, Plot, TICK, WIDTH};
use super::legend::{self, Key, Legend};
use super::{colour, measure, number};

/// The thickness of one bar, and the space between two groups.
const THICKNESS: f64 = 18.0;
const GAP: f64 = 16.0;
/// The most that names may take of the width.
const NAMES: f64 = 220.0;

/// The picture of a chart whose data have been checked.
pub(super) fn svg(chart: &Chart, bars: &[Bar]) -> String {
    let axis = axis(chart, bars);
    let title = frame::title(&chart.title);
    let names: Vec<_> = bars.iter().map(|bar| Lines::new(&bar.name, LABEL, NAMES)).collect();
    let left = MARGIN + names.iter().map(Lines::width).fold(0.0, f64::max) + 10.0;
    let right = WIDTH - MARGIN - frame::widest_tick(&axis) / 2.0;
    let x_label = Lines::new(&label(chart), LABEL, right - left);
    let legend = key(chart, bars);

    let top = MARGIN + title.height() + 10.0;
    let (centres, bottom) = centres(bars, &names, top);
    let groups: Vec<_> = bars.iter().zip(centres).collect();
    let plot = Plot { left, right, top, bottom, inset: inset(chart, bars) };
    let below = bottom + 26.0;
    let height = below + x_label.height() + 10.0 + legend.height() + MARGIN;
    canvas::svg(WIDTH, height, |canvas| {
        title.draw(canvas, (MARGIN, MARGIN), From::Left);
        x_label.draw(canvas, ((left + right) / 2.0, below), From::Middle);
        legend.draw(canvas, below + x_label.height() + 10.0);
        for ((_, centre), name) in groups.iter().zip(&names) {
            name.draw(canvas, (left - 10.0, centre - name.height() / 2.0), From::Right);
        }
        plot.draw_x_axis(canvas, &axis);
        plot.draw_bars(canvas, chart, &axis, &groups);
        plot.draw_references(canvas, chart, &axis);
        plot.draw_numbers(canvas, chart, &axis, &groups);
    })
}

/// The middle of every group, and where the last one ends.
fn centres(bars: &[Bar], names: &[Lines], top: f64) -> (Vec<f64>, f64) {
    let mut bottom = top;
    let mut centres = Vec::new();
    for (bar, name) in bars.iter().zip(names) {
        let height = thickness(bar).max(name.height()) + GAP;
        centres.push(bottom + height / 2.0);
        bottom += height;
    }
    (centres, bottom)
}

/// The horizontal axis holds 0, every value, and more than 0 alone.
fn axis(chart: &Chart, bars: &[Bar]) -> Axis {
    let mut values = vec![0.0];
    for bar in bars {
        values.extend(bar.paper.into_iter().chain(bar.here.iter().copied()));
    }
    values.extend(chart.references.iter().map(|reference| reference.value));
    if values.iter().all(|value| *value == 0.0) {
        values.push(1.0);
    }
    Axis::covering(&values, Scale::Linear, 6)
}

/// A number stands behind the end of its bar, on the side to which the bar points.
fn inset(chart: &Chart, bars: &[Bar]) -> Inset {
    let mut inset = Inset { left: 0.0, right: 0.0, vertical: 0.0 };
    for stripe in bars.iter().flat_map(|bar| stripes(chart, bar, 0.0)) {
        let room = measure::width(&stripe.text, TICK.size) + 12.0;
        let side = if stripe.value < 0.0 { &mut inset.left } else { &mut inset.right };
        *side = side.max(room);
    }
    inset
}

/// A value measured here, with the chart's unit.
pub(super) fn measured(chart: &Chart, value: f64) -> String {
    number::with_unit(number::value(value), &chart.unit)
}

/// A value that the paper printed, with the chart's unit.
pub(super) fn published(chart: &Chart, value: f64) -> String {
    number::with_unit(number::printed(value), &chart.unit)
}

fn label(chart: &Chart) -> String {
    match (chart.x.as_str(), chart.y.as_str(), chart.unit.as_str()) {
        ("", "", unit) => unit.to_owned(),
        ("", label, "") | (label, _, "") => label.to_owned(),
        ("", label, unit) | (label, _, unit) if label.contains(unit) => label.to_owned(),
        ("", label, unit) | (label, _, unit) => format!("{label}, {unit}"),
    }
}

fn key(chart: &Chart, bars: &[Bar]) -> Legend {
    let mut entries = Vec::new();
    if bars.iter().any(|bar| bar.paper.is_some()) {
        entries.push((Key::Box(colour::PUBLISHED), "paper".to_owned()));
        entries.push((Key::Box(colour::HERE), "here".to_owned()));
    }
    if bars.iter().any(|bar| bar.here.len() > 1) {
        entries.push((Key::Whisker, "least and most of several seeds".to_owned()));
    }
    entries.extend(chart.references.iter().map(|line| (Key::Dashes, line.name.clone())));
    Legend::new(entries)
}

fn thickness(bar: &Bar) -> f64 {
    if bar.paper.is_some() { 2.0 * THICKNESS } else { THICKNESS }
}

/// One bar of a group.
struct Stripe {
    value: f64,
    text: String,
    fill: RGBColor,
    middle: f64,
}

/// The bars of one group around height `centre`, from top to bottom.
fn stripes(chart: &Chart, bar: &Bar, centre: f64) -> Vec<Stripe> {
    let mean = bar.mean();
    let text = measured(chart, mean);
    let here = Stripe { value: mean, text, fill: colour::HERE, middle: centre };
    match bar.paper {
        None => vec![here],
        Some(value) => {
            let text = published(chart, value);
            let middle = centre - THICKNESS / 2.0;
            let paper = Stripe { value, text, fill: colour::PUBLISHED, middle };
            vec![paper, Stripe { middle: centre + THICKNESS / 2.0, ..here }]
        }
    }
}

impl Plot {
    fn draw_bars(&self, canvas: &mut Canvas, chart: &Chart, axis: &Axis, groups: &[(&Bar, f64)]) {
        let zero = self.x(axis, 0.0);
        for (bar, centre) in groups {
            for Stripe { value, fill, middle, .. } in stripes(chart, bar, *centre) {
                let half = THICKNESS / 2.0 - 1.0;
                let end = self.x(axis, value);
                canvas.rectangle((zero, middle - half), (end, middle + half), fill);
            }
        }
        canvas.path(&[(zero, self.top), (zero, self.bottom)], colour::GREY, 1.5);
    }

    fn draw_references(&self, canvas: &mut Canvas, chart: &Chart, axis: &Axis) {
        for reference in &chart.references {
            let x = self.x(axis, reference.value);
            canvas.dashes((x, self.top), (x, self.bottom), colour::INK);
        }
    }

    /// Whiskers and numbers come last, the numbers on white, so that no line crosses them.
    fn draw_numbers(
        &self,
        canvas: &mut Canvas,
        chart: &Chart,
        axis: &Axis,
        groups: &[(&Bar, f64)],
    ) {
        for (bar, centre) in groups {
            let stripes = stripes(chart, bar, *centre);
            let last = stripes.len() - 1;
            for (index, stripe) in stripes.into_iter().enumerate() {
                let mut end = stripe.value;
                if index == last && bar.here.len() > 1 {
                    let ends = (self.x(axis, bar.least()), self.x(axis, bar.most()));
                    legend::whisker(canvas, ends, stripe.middle);
                    end = if end < 0.0 { bar.least() } else { bar.most() };
                }
                draw_number(canvas, &stripe, self.x(axis, end));
            }
        }
    }
}

/// Writes the number of `stripe`, whose bar or whisker ends at `x`.
fn draw_number(canvas: &mut Canvas, stripe: &Stripe, x: f64) {
    let width = measure::width(&stripe.text, TICK.size);
    let y = stripe.middle;
    let (start, end, from) = match stripe.value {
        below if below < 0.0 => (x - 7.0, x - 7.0 - width, From::Right),
        _ => (x + 7.0, x + 7.0 + width, From::Left),
    };
    canvas.rectangle((start, y - 7.0), (end, y + 7.0), colour::PAPER);
    canvas.text(&stripe.text, (start, y), from, TICK);
}
