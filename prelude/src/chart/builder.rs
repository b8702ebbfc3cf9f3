//! What a chart holds, and how a cell puts it together.

use std::fmt;

use super::axis::Scale;
use super::{bars, check, frame, lines, terminal};
use crate::judge::Correlation;
use crate::show::{Forms, Show, shows};
use crate::{Error, Result};

shows!(Chart);

/// A chart of lines, or of bars with the paper's number beside the one measured here.
///
/// ```
/// use erm::prelude::*;
/// let chart = Chart::lines("Training")
///     .x("epoch")
///     .y("accuracy, %")
///     .series("train", &[1.0, 2.0, 3.0], &[40.1, 61.0, 70.2])
///     .reference("chance 10 %", 10.0);
/// assert!(chart.svg().unwrap().starts_with("<svg"));
/// ```
#[derive(Clone, Debug)]
pub struct Chart {
    pub(super) title: String,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) unit: String,
    pub(super) body: Body,
    pub(super) references: Vec<Reference>,
    /// The first thing that did not fit.
    problem: Option<Error>,
}

/// What is drawn between the axes.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Points joined by lines.
    Lines { series: Vec<Series>, x_scale: Scale },
    /// Groups of bars, one above the other.
    Bars(Vec<Bar>),
}

/// Named points.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) drawn: Drawn,
}

/// How points are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawn {
    /// Marked, and joined by a line.
    Joined,
    /// Marked.
    Apart,
    /// As a line without marks.
    Line,
}

/// What the paper printed and what was measured here, one value a seed.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) paper: Option<f64>,
    pub(super) here: Vec<f64>,
}

/// A value to compare with, drawn across the whole chart.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) value: f64,
}

impl Bar {
    pub(super) fn mean(&self) -> f64 {
        self.here.iter().sum::<f64>() / self.here.len() as f64
    }

    pub(super) fn least(&self) -> f64 {
        self.here.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(super) fn most(&self) -> f64 {
        self.here.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
}

impl Chart {
    /// An empty chart of lines; [`Chart::series`] adds them.
    pub fn lines(title: impl Into<String>) -> Self {
        Self::new(title.into(), Body::Lines { series: Vec::new(), x_scale: Scale::Linear })
    }

    /// An empty chart of bars; [`Chart::bar`] and [`Chart::seeds`] add them.
    pub fn bars(title: impl Into<String>) -> Self {
        Self::new(title.into(), Body::Bars(Vec::new()))
    }

    fn new(title: String, body: Body) -> Self {
        let (x, y, unit) = Default::default();
        Self { title, x, y, unit, body, references: Vec::new(), problem: None }
    }

    /// What the horizontal axis shows, with its unit: "epoch", "ε (ℓ2, pixels in [0, 1])".
    pub fn x(mut self, label: impl Into<String>) -> Self {
        self.x = label.into();
        self
    }

    /// What the vertical axis shows, with its unit: "accuracy, %".
    pub fn y(mut self, label: impl Into<String>) -> Self {
        self.y = label.into();
        self
    }

    /// The unit written behind every number of a chart of bars: "%".
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Spreads the horizontal axis of a chart of lines by ratios; all its values must be above 0.
    pub fn log_x(mut self) -> Self {
        match &mut self.body {
            Body::Lines { x_scale, .. } => *x_scale = Scale::Logarithmic,
            Body::Bars(_) => self.complain(check::mixed("bars", ".log_x()", "Chart::lines")),
        }
        self
    }

    /// Adds a line through the points `(xs[i], ys[i])`, in the order given.
    pub fn series(self, name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Self {
        self.drawn(name.into(), xs, ys, Drawn::Joined)
    }

    /// Adds a mark at each of the points `(xs[i], ys[i])`, without a line.
    pub fn points(self, name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Self {
        self.drawn(name.into(), xs, ys, Drawn::Apart)
    }

    /// Adds the straight line of a correlation, from the leftmost to the rightmost of the points that are
    /// there.
    pub fn trend(self, name: impl Into<String>, correlation: &Correlation) -> Self {
        let name = name.into();
        let xs: Vec<f64> = match &self.body {
            Body::Lines { series, .. } => {
                series.iter().flat_map(|series| &series.points).map(|point| point.0).collect()
            }
            Body::Bars(_) => Vec::new(),
        };
        let ends = [xs.iter().copied().reduce(f64::min), xs.iter().copied().reduce(f64::max)];
        let ends: Vec<f64> = ends.into_iter().flatten().collect();
        let heights: Vec<f64> = ends.iter().map(|x| correlation.at(*x)).collect();
        self.drawn(name, &ends, &heights, Drawn::Line)
    }

    fn drawn(mut self, name: String, xs: &[f64], ys: &[f64], drawn: Drawn) -> Self {
        if let Err(problem) = check::series(&name, xs, ys) {
            self.complain(problem);
        }
        let points = xs.iter().copied().zip(ys.iter().copied()).collect();
        match &mut self.body {
            Body::Lines { series, .. } => series.push(Series { name, points, drawn }),
            Body::Bars(_) => self.complain(check::mixed("bars", ".series(…)", "Chart::lines")),
        }
        self
    }

    /// Adds the paper's value, where it has one, and the value measured here.
    pub fn bar(self, name: impl Into<String>, paper: Option<f64>, here: f64) -> Self {
        self.seeds(name, paper, &[here])
    }

    /// Adds the paper's value, where it has one, and the mean of the values measured here with
    /// several seeds, with a whisker from the least to the most.
    pub fn seeds(mut self, name: impl Into<String>, paper: Option<f64>, here: &[f64]) -> Self {
        let name = name.into();
        if let Err(problem) = check::bar(&name, paper, here) {
            self.complain(problem);
        }
        match &mut self.body {
            Body::Bars(bars) => bars.push(Bar { name, paper, here: here.to_vec() }),
            Body::Lines { .. } => self.complain(check::mixed("lines", ".bar(…)", "Chart::bars")),
        }
        self
    }

    /// Draws a dashed line across the chart at a value to compare with: `("chance 10 %", 10.0)`.
    pub fn reference(mut self, name: impl Into<String>, value: f64) -> Self {
        let name = name.into();
        if let Err(problem) = check::number(&format!("reference \"{name}\""), value) {
            self.complain(problem);
        }
        self.references.push(Reference { name, value });
        self
    }

    /// The chart as an SVG document, 640 pixels wide.
    ///
    /// # Errors
    /// If nothing was added, if two lists differ in length, if a number is not finite, or if a
    /// logarithmic axis has a value that is not above 0.
    pub fn svg(&self) -> Result<String> {
        self.check()?;
        Ok(match &self.body {
            Body::Lines { series, x_scale } => lines::svg(self, series, *x_scale),
            Body::Bars(bars) => bars::svg(self, bars),
        })
    }

    fn check(&self) -> Result<()> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        match &self.body {
            Body::Lines { series, .. } if series.is_empty() => {
                Err(check::empty(".series(name, &xs, &ys)"))
            }
            Body::Bars(bars) if bars.is_empty() => Err(check::empty(".bar(name, paper, here)")),
            Body::Lines { series, x_scale: Scale::Logarithmic } => check::above_zero(series),
            _ => Ok(()),
        }
    }

    /// Keeps the first problem, since later ones often follow from it.
    fn complain(&mut self, problem: Error) {
        self.problem.get_or_insert(problem);
    }
}

/// The picture, or what is wrong with it.
impl Show for Chart {
    fn forms(&self) -> Forms {
        let svg = self.svg().unwrap_or_else(|problem| frame::message(&self.title, &problem));
        vec![("image/svg+xml", svg), ("text/plain", self.to_string())]
    }
}

impl fmt::Display for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.check() {
            Ok(()) => f.write_str(&terminal::text(self)),
            Err(problem) => write!(f, "{}\n{problem}", self.title),
        }
    }
}
