//! Pictures of the plane: contours, ellipses, arrows, lines and points, where a step is as long in
//! one direction as in the other, so that a circle is a circle.

use std::fmt;

use ndarray::Array2;

use super::Panels;
use super::contour::Field;
use crate::show::{Forms, Show, shows};
use crate::{Error, Result};

shows!(Plane);

/// How many squares a contour's grid has along the longer side.
const GRID: usize = 80;
/// Of an ellipse.
const CORNERS: usize = 120;

/// A part of the plane with named shapes in it. Several of them side by side are [`Panels`].
///
/// ```
/// use erm::prelude::*;
/// let bowl = Plane::new("A bowl", [-2.0, 2.0], [-1.0, 1.0])
///     .contours("x² + 4y²", 5, |x, y| Ok(x * x + 4.0 * y * y))
///     .circle("unit circle", [0.0, 0.0], 1.0)
///     .arrow("gradient", [0.5, 0.5], [1.0, 1.0]);
/// assert!(bowl.svg().unwrap().starts_with("<svg"));
/// ```
#[derive(Clone, Debug)]
pub struct Plane {
    pub(super) title: String,
    pub(super) x: String,
    pub(super) y: String,
    /// From where to where it goes.
    pub(super) across: [f64; 2],
    pub(super) up: [f64; 2],
    pub(super) shapes: Vec<Shape>,
    /// The first thing that did not fit.
    pub(super) problem: Option<Error>,
}

/// Something with a name. Shapes of one name have one colour.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) form: Form,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Thin lines.
    Contours(Vec<Vec<(f64, f64)>>),
    /// One line.
    Line(Vec<(f64, f64)>),
    /// From one point to the other, where its head is.
    Arrow([(f64, f64); 2]),
    /// A mark for each.
    Points(Vec<(f64, f64)>),
}

impl Plane {
    /// An empty part of the plane, from left to right and from bottom to top.
    pub fn new(title: impl Into<String>, across: [f64; 2], up: [f64; 2]) -> Self {
        let (x, y) = ("x₁".to_owned(), "x₂".to_owned());
        let mut plane =
            Self { title: title.into(), x, y, across, up, shapes: vec![], problem: None };
        for [low, high] in [across, up] {
            let good = low.abs() < 1e12
                && high.abs() < 1e12
                && high - low > 1e-9 * high.abs().max(low.abs());
            if !good {
                plane.complain(Error::invalid(
                    "a range from low to high",
                    format!("[{low}, {high}]"),
                    "Give the ends of both axes: `Plane::new(title, [-1.0, 1.0], [-1.0, 1.0])`.",
                ));
            }
        }
        plane
    }

    /// What the horizontal axis shows; x₁ if nobody says.
    pub fn x(mut self, label: impl Into<String>) -> Self {
        self.x = label.into();
        self
    }

    /// What the vertical axis shows; x₂ if nobody says.
    pub fn y(mut self, label: impl Into<String>) -> Self {
        self.y = label.into();
        self
    }

    /// Adds lines of equal height of a function, `count` of them between its least and its largest value
    /// here, equally far apart in height.
    pub fn contours(
        self,
        name: impl Into<String>,
        count: usize,
        of: impl Fn(f64, f64) -> Result<f64>,
    ) -> Self {
        self.contoured(name.into(), count, &of)
    }

    /// Not generic, so that cells have little to compile.
    fn contoured(
        mut self,
        name: String,
        count: usize,
        of: &dyn Fn(f64, f64) -> Result<f64>,
    ) -> Self {
        match self.field(&name, of) {
            Ok(field) => {
                let lines = field.levels(count).into_iter().flat_map(|level| field.lines(level));
                let lines = lines.map(|line| self.placed(&field, &line)).collect();
                self.shapes.push(Shape { name, form: Form::Contours(lines) });
            }
            Err(problem) => self.complain(problem),
        }
        self
    }

    /// Adds a line through the points `(xs[i], ys[i])`; what lies outside is cut off.
    pub fn line(self, name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Self {
        self.listed(name.into(), xs, ys, Form::Line)
    }

    /// Adds a mark at each of the points `(xs[i], ys[i])`; those outside are left out.
    pub fn points(self, name: impl Into<String>, xs: &[f64], ys: &[f64]) -> Self {
        self.listed(name.into(), xs, ys, Form::Points)
    }

    /// Adds the straight line of all points `z` with `normal · z = offset`: a decision's boundary.
    pub fn boundary(mut self, name: impl Into<String>, normal: [f64; 2], offset: f64) -> Self {
        let (name, [a, b]) = (name.into(), normal);
        let length = a.hypot(b);
        if !(length.is_finite() && length > 0.0 && offset.is_finite()) {
            self.complain(Error::invalid(
                format!("a normal that is not 0 for boundary \"{name}\""),
                format!("{normal:?} and the offset {offset}"),
                "Give the direction in which the decision changes.",
            ));
            return self;
        }
        // From the foot of the middle of the picture, far to both sides.
        let middle = self.middle();
        let off = (offset - a * middle[0] - b * middle[1]) / length;
        let far = (self.across[1] - self.across[0]) + (self.up[1] - self.up[0]) + off.abs();
        let (a, b) = (a / length, b / length);
        let end = |t: f64| (middle[0] + off * a - t * b, middle[1] + off * b + t * a);
        self.shapes.push(Shape { name, form: Form::Line(vec![end(-far), end(far)]) });
        self
    }

    /// Adds a circle.
    pub fn circle(self, name: impl Into<String>, centre: [f64; 2], radius: f64) -> Self {
        self.ellipse(name, centre, &Array2::eye(2), radius)
    }

    /// Adds the ellipse of all points `z` with `(z − centre)ᵀ covariance⁻¹ (z − centre) = radius²`.
    pub fn ellipse(
        mut self,
        name: impl Into<String>,
        centre: [f64; 2],
        covariance: &Array2<f64>,
        radius: f64,
    ) -> Self {
        let name = name.into();
        let Some([[a, _], [b, c]]) = root(covariance).filter(|_| radius > 0.0) else {
            self.complain(Error::invalid(
                format!("a positive definite 2 × 2 matrix and a radius above 0 for \"{name}\""),
                format!("{covariance} and {radius}"),
                "Give the covariance of two numbers; variances lie on its diagonal.",
            ));
            return self;
        };
        let corner = |k: usize| {
            let (sin, cos) = (k as f64 / CORNERS as f64 * std::f64::consts::TAU).sin_cos();
            (centre[0] + radius * a * cos, centre[1] + radius * (b * cos + c * sin))
        };
        let line: Vec<_> = (0..=CORNERS).map(corner).collect();
        let (xs, ys): (Vec<f64>, Vec<f64>) = line.into_iter().unzip();
        self.line(name, &xs, &ys)
    }

    /// Adds an arrow from one point to another.
    pub fn arrow(mut self, name: impl Into<String>, from: [f64; 2], to: [f64; 2]) -> Self {
        let name = name.into();
        if [from, to].concat().iter().any(|value| !value.is_finite()) || from == to {
            self.complain(Error::invalid(
                format!("two points for arrow \"{name}\""),
                format!("{from:?} and {to:?}"),
                "An arrow needs a length.",
            ));
            return self;
        }
        let ends = [from, to].map(|[x, y]| (x, y));
        self.shapes.push(Shape { name, form: Form::Arrow(ends) });
        self
    }

    /// The picture as an SVG document, 640 pixels wide.
    ///
    /// # Errors
    /// If it is empty, or something in it makes no sense.
    pub fn svg(&self) -> Result<String> {
        self.alone().svg()
    }

    fn alone(&self) -> Panels {
        Panels::new("", 1).panel(self.clone())
    }

    fn listed(
        mut self,
        name: String,
        xs: &[f64],
        ys: &[f64],
        form: impl Fn(Vec<(f64, f64)>) -> Form,
    ) -> Self {
        match super::check::series(&name, xs, ys) {
            Ok(()) => {
                let points = xs.iter().copied().zip(ys.iter().copied()).collect();
                self.shapes.push(Shape { name, form: form(points) });
            }
            Err(problem) => self.complain(problem),
        }
        self
    }

    fn middle(&self) -> [f64; 2] {
        [self.across, self.up].map(|[low, high]| f64::midpoint(low, high))
    }

    /// The function's values on a grid of nearly square squares.
    fn field(&self, name: &str, of: &dyn Fn(f64, f64) -> Result<f64>) -> Result<Field> {
        let spans = [self.across, self.up].map(|[low, high]| high - low);
        let longest = spans[0].max(spans[1]);
        let [columns, rows] =
            spans.map(|span| ((span / longest * GRID as f64).round() as usize).max(2) + 1);
        let mut values = Vec::with_capacity(columns * rows);
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
        {
            let part = [column as f64 / (columns - 1) as f64, row as f64 / (rows - 1) as f64];
            let value = of(self.across[0] + part[0] * spans[0], self.up[0] + part[1] * spans[1])?;
            super::check::number(&format!("contours \"{name}\""), value)?;
            values.push(value);
        }
        Ok(Field { columns, values })
    }

    /// A line of the grid in the plane.
    fn placed(&self, field: &Field, line: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let sides = [field.columns - 1, field.values.len() / field.columns - 1];
        let place = |value: f64, side: usize, [low, high]: [f64; 2]| {
            low + value / sides[side] as f64 * (high - low)
        };
        line.iter().map(|(x, y)| (place(*x, 0, self.across), place(*y, 1, self.up))).collect()
    }

    /// Keeps the first problem, since later ones often follow from it.
    fn complain(&mut self, problem: Error) {
        self.problem.get_or_insert(problem);
    }
}

/// A lower triangle that gives the matrix when multiplied by its mirror image.
fn root(covariance: &Array2<f64>) -> Option<[[f64; 2]; 2]> {
    if covariance.dim() != (2, 2) {
        return None;
    }
    let a = covariance[[0, 0]].sqrt();
    let b = covariance[[1, 0]] / a;
    let c = (covariance[[1, 1]] - b * b).sqrt();
    let good = [a, c].iter().all(|value| value.is_finite() && *value > 0.0);
    good.then_some([[a, 0.0], [b, c]])
}

/// The picture, or what is wrong with it.
impl Show for Plane {
    fn forms(&self) -> Forms {
        self.alone().forms()
    }
}

impl fmt::Display for Plane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.alone().fmt(f)
    }
}
