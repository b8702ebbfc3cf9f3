//! Planes side by side, with one legend, as SVG.

use std::fmt;

use super::axis::Axis;
use super::canvas::{self, Canvas, From, Type};
use super::clip::clipped;
use super::frame::{self, Inset, LABEL, Lines, MARGIN, Plot, WIDTH};
use super::legend::{Key, Legend};
use super::plane::{Form, Plane, Shape};
use super::{check, colour};
use crate::show::{Forms, Show, shows};
use crate::{Error, Result};

shows!(Panels);

/// The title above one plane.
const TITLE: Type = Type::bold(13.0);
/// The empty space between two planes.
const GAP: f64 = 18.0;
/// The tallest that a plane may be; a narrow one gets narrower instead.
const TALLEST: f64 = 460.0;
/// The length of an arrow's head.
const HEAD: f64 = 9.0;

/// Several [`Plane`]s, in rows.
///
/// ```
/// use erm::prelude::*;
/// let balls = [1.0, 2.0].map(|radius| {
///     Plane::new(format!("radius {radius}"), [-3.0, 3.0], [-3.0, 3.0]).circle("ball", [0.0, 0.0], radius)
/// });
/// let [small, large] = balls;
/// let panels = Panels::new("Two balls", 2).panel(small).panel(large);
/// assert!(panels.svg().unwrap().contains("radius 2"));
/// ```
#[derive(Clone, Debug)]
pub struct Panels {
    title: String,
    columns: usize,
    planes: Vec<Plane>,
}

/// One plane and where it goes.
struct Panel<'a> {
    plane: &'a Plane,
    plot: Plot,
    axes: (Axis, Axis),
    title: Lines,
    labels: (Lines, Lines),
    left: f64,
    top: f64,
}

impl Panels {
    /// No planes yet; [`Panels::panel`] adds them, `columns` side by side.
    pub fn new(title: impl Into<String>, columns: usize) -> Self {
        Self { title: title.into(), columns, planes: Vec::new() }
    }

    /// Adds a plane.
    pub fn panel(mut self, plane: Plane) -> Self {
        self.planes.push(plane);
        self
    }

    /// The planes as one SVG document, 640 pixels wide.
    ///
    /// # Errors
    /// If there is no plane, one is empty, something in one makes no sense, or there are not 1 to 4 columns.
    pub fn svg(&self) -> Result<String> {
        self.check()?;
        let title = frame::title(&self.title);
        let names = self.names();
        let legend = Legend::new(self.keys(&names));
        let mut top = MARGIN + title.height() + if self.title.is_empty() { 0.0 } else { 10.0 };
        let mut panels = Vec::new();
        for row in self.planes.chunks(self.columns) {
            let mut bottom = top;
            for (column, plane) in row.iter().enumerate() {
                let panel = Panel::at(plane, column, self.columns, top);
                bottom = bottom.max(panel.bottom());
                panels.push(panel);
            }
            top = bottom + GAP / 2.0;
        }
        Ok(canvas::svg(WIDTH, top + legend.height() + MARGIN, |canvas| {
            title.draw(canvas, (MARGIN, MARGIN), From::Left);
            panels.iter().for_each(|panel| panel.draw(canvas, &names));
            legend.draw(canvas, top);
        }))
    }

    fn check(&self) -> Result<()> {
        if !(1..=4).contains(&self.columns) {
            let found = self.columns.to_string();
            return Err(Error::invalid(
                "1 to 4 columns",
                found,
                "More would be too small to read.",
            ));
        }
        if self.planes.is_empty() {
            return Err(check::empty(".panel(plane)"));
        }
        for plane in &self.planes {
            if let Some(problem) = &plane.problem {
                return Err(problem.clone());
            }
            if plane.shapes.is_empty() {
                return Err(check::empty(".line(name, &xs, &ys)"));
            }
        }
        Ok(())
    }

    fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.planes.iter().flat_map(|plane| &plane.shapes)
    }

    /// Every name once. Its place in the list is its colour.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for shape in self.shapes() {
            if !names.contains(&shape.name.as_str()) {
                names.push(&shape.name);
            }
        }
        names
    }

    fn keys(&self, names: &[&str]) -> Vec<(Key, String)> {
        let key = |(index, name): (usize, &&str)| {
            let form = self.shapes().find(|shape| shape.name == **name).map(|shape| &shape.form);
            let key = match form {
                Some(Form::Points(_)) => Key::Mark(index),
                Some(Form::Arrow(_)) => Key::Arrow(index),
                _ => Key::Line(index),
            };
            (key, (*name).to_owned())
        };
        names.iter().enumerate().map(key).collect()
    }
}

impl<'a> Panel<'a> {
    fn at(plane: &'a Plane, column: usize, columns: usize, top: f64) -> Self {
        let whole = WIDTH - 2.0 * MARGIN + GAP;
        let room = whole / columns as f64 - GAP;
        let left = MARGIN + column as f64 * (room + GAP);
        let ticks = (8 / columns).max(3);
        let axis = |[low, high]: [f64; 2]| Axis::between(low, high, ticks);
        let axes = (axis(plane.across), axis(plane.up));
        let y_label = Lines::new(&plane.y, LABEL, TALLEST);
        let edge = left + y_label.height() + frame::widest_tick(&axes.1) + 14.0;
        let title = Lines::new(&plane.title, TITLE, left + room - edge);
        let widest = left + room - frame::widest_tick(&axes.0) / 2.0 - edge;
        let slope = span(&axes.1) / span(&axes.0);
        let (width, height) = (widest.min(TALLEST / slope), TALLEST.min(widest * slope));
        let start = top + title.height() + if plane.title.is_empty() { 0.0 } else { 6.0 };
        let inset = Inset { left: 0.0, right: 0.0, vertical: 0.0 };
        let plot =
            Plot { left: edge, right: edge + width, top: start, bottom: start + height, inset };
        let x_label = Lines::new(&plane.x, LABEL, width);
        Self { plane, plot, axes, title, labels: (x_label, y_label), left, top }
    }

    fn bottom(&self) -> f64 {
        self.plot.bottom + 26.0 + self.labels.0.height()
    }

    fn draw(&self, canvas: &mut Canvas, names: &[&str]) {
        let plot = &self.plot;
        self.title.draw(canvas, (plot.left, self.top), From::Left);
        self.labels.1.draw_upward(canvas, (self.left, f64::midpoint(plot.top, plot.bottom)));
        let below = (f64::midpoint(plot.left, plot.right), plot.bottom + 24.0);
        self.labels.0.draw(canvas, below, From::Middle);
        plot.draw_x_axis(canvas, &self.axes.0);
        plot.draw_y_axis(canvas, &self.axes.1);
        plot.draw_edges(canvas);
        let mut shapes: Vec<&Shape> = self.plane.shapes.iter().collect();
        shapes.sort_by_key(|shape| layer(&shape.form));
        for shape in shapes {
            let index = names.iter().position(|name| *name == shape.name).unwrap_or(0);
            self.draw_shape(canvas, index, &shape.form);
        }
    }

    fn draw_shape(&self, canvas: &mut Canvas, index: usize, form: &Form) {
        match form {
            Form::Contours(lines) => {
                lines.iter().for_each(|line| self.draw_line(canvas, line, index, 1.0));
            }
            Form::Line(line) => self.draw_line(canvas, line, index, 2.0),
            Form::Arrow(ends) => {
                self.draw_line(canvas, ends, index, 2.0);
                let [from, to] = ends.map(|point| self.place(point));
                if self.is_inside(&to) {
                    canvas.head(from, to, HEAD, colour::series(index));
                }
            }
            Form::Points(points) => {
                let places = points.iter().map(|point| self.place(*point));
                for place in places.filter(|place| self.is_inside(place)) {
                    canvas.mark(index, place, 3.0);
                }
            }
        }
    }

    fn draw_line(&self, canvas: &mut Canvas, line: &[(f64, f64)], index: usize, width: f64) {
        let places: Vec<_> = line.iter().map(|point| self.place(*point)).collect();
        let corners = ((self.plot.left, self.plot.top), (self.plot.right, self.plot.bottom));
        for part in clipped(&places, corners) {
            canvas.path(&part, colour::series(index), width);
        }
    }

    fn is_inside(&self, (x, y): &(f64, f64)) -> bool {
        let Plot { left, right, top, bottom, .. } = self.plot;
        (left..=right).contains(x) && (top..=bottom).contains(y)
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.plot.x(&self.axes.0, x), self.plot.y(&self.axes.1, y))
    }
}

/// What covers what, from below.
fn layer(form: &Form) -> usize {
    match form {
        Form::Contours(_) => 0,
        Form::Points(_) => 1,
        Form::Line(_) => 2,
        Form::Arrow(_) => 3,
    }
}

/// How much of its numbers an axis covers.
fn span(axis: &Axis) -> f64 {
    1.0 / (axis.position(1.0) - axis.position(0.0))
}

/// The picture, or what is wrong with it.
impl Show for Panels {
    fn forms(&self) -> Forms {
        let svg = self.svg().unwrap_or_else(|problem| frame::message(&self.title, &problem));
        vec![("image/svg+xml", svg), ("text/plain", self.to_string())]
    }
}

/// What is drawn where; a terminal has too few letters for the picture.
impl fmt::Display for Panels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Err(problem) = self.check() {
            return write!(f, "{}\n{problem}", self.title);
        }
        let mut lines: Vec<String> = Vec::new();
        lines.extend((!self.title.is_empty()).then(|| self.title.clone()));
        for Plane { title, x, y, across, up, shapes, .. } in &self.planes {
            lines.push(format!(
                "{title}: {x} from {} to {}, {y} from {} to {}",
                across[0], across[1], up[0], up[1]
            ));
            let corners = ((across[0], up[0]), (across[1], up[1]));
            lines.extend(shapes.iter().map(|shape| format!("  {}", words(shape, corners))));
        }
        f.write_str(&lines.join("\n"))
    }
}

fn words(Shape { name, form }: &Shape, corners: ((f64, f64), (f64, f64))) -> String {
    let at = |(x, y): &(f64, f64)| {
        format!("({}, {})", super::number::value(*x), super::number::value(*y))
    };
    match form {
        Form::Contours(lines) => format!("{name}: {} contours", lines.len()),
        Form::Line(line) => {
            let inside = clipped(line, corners).concat();
            if inside.is_empty() {
                return format!("{name}: outside");
            }
            let extent = |of: fn(&(f64, f64)) -> f64| {
                let ends = inside.iter().map(of);
                ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
            };
            let ((left, right), (bottom, top)) = (extent(|p| p.0), extent(|p| p.1));
            format!("{name}: a line within {} and {}", at(&(left, bottom)), at(&(right, top)))
        }
        Form::Arrow([from, to]) => format!("{name}: from {} to {}", at(from), at(to)),
        Form::Points(points) => format!("{name}: {} points", points.len()),
    }
}
