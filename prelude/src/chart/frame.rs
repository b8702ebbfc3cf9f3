//! What charts have in common: the title on top, the frame with its grid, and a page that says
//! what is wrong where a picture cannot be drawn.

use super::axis::Axis;
use super::canvas::{self, Canvas, From, LEADING, Type};
use super::{colour, measure};
use crate::Error;

/// The width of every chart, in pixels.
pub(super) const WIDTH: f64 = 640.0;
/// The empty border around everything.
pub(super) const MARGIN: f64 = 14.0;
/// The title's type.
const TITLE: Type = Type::bold(15.0);
/// The type of axis labels, bar names and the legend.
pub(super) const LABEL: Type = Type::plain(13.0);
/// The type of the numbers along an axis.
pub(super) const TICK: Type = Type::plain(12.0);

/// The rectangle between the edges, and how far inside it the ends of the axes lie.
#[derive(Clone, Copy)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) inset: Inset,
}

/// Room inside the edges: for marks on the outermost ticks, for numbers behind bars.
#[derive(Clone, Copy)]
pub(super) struct Inset {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) vertical: f64,
}

/// Lines of text of one type, one below the other.
pub(super) struct Lines {
    lines: Vec<String>,
    kind: Type,
}

impl Lines {
    /// `text` broken into lines of at most `room` pixels.
    pub(super) fn new(text: &str, kind: Type, room: f64) -> Self {
        let lines =
            if text.is_empty() { Vec::new() } else { measure::wrap(text, kind.breadth(), room) };
        Self { lines, kind }
    }

    pub(super) fn height(&self) -> f64 {
        self.lines.len() as f64 * self.kind.size * LEADING
    }

    pub(super) fn width(&self) -> f64 {
        self.lines.iter().map(|line| measure::width(line, self.kind.breadth())).fold(0.0, f64::max)
    }

    /// Draws the lines with the first one's top edge at `y`.
    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): (f64, f64), from: From) {
        for (index, line) in self.lines.iter().enumerate() {
            let middle = y + (index as f64 + 0.5) * self.kind.size * LEADING;
            canvas.text(line, (x, middle), from, self.kind);
        }
    }

    /// Draws the lines reading upwards, the first one's left edge at `x`, centred on `y`.
    pub(super) fn draw_upward(&self, canvas: &mut Canvas, (x, y): (f64, f64)) {
        for (index, line) in self.lines.iter().enumerate() {
            let middle = x + (index as f64 + 0.5) * self.kind.size * LEADING;
            canvas.upward(line, (middle, y), self.kind);
        }
    }
}

/// The title's lines; they may use the whole width.
pub(super) fn title(text: &str) -> Lines {
    Lines::new(text, TITLE, WIDTH - 2.0 * MARGIN)
}

/// The widest number along an axis, in pixels.
pub(super) fn widest_tick(axis: &Axis) -> f64 {
    axis.ticks.iter().map(|(_, label)| measure::width(label, TICK.size)).fold(0.0, f64::max)
}

impl Plot {
    /// The pixel of a value on the horizontal axis.
    pub(super) fn x(&self, axis: &Axis, value: f64) -> f64 {
        let (start, end) = (self.left + self.inset.left, self.right - self.inset.right);
        start + axis.position(value) * (end - start)
    }

    /// The pixel of a value on the vertical axis, which points up.
    pub(super) fn y(&self, axis: &Axis, value: f64) -> f64 {
        let (start, end) = (self.bottom - self.inset.vertical, self.top + self.inset.vertical);
        start + axis.position(value) * (end - start)
    }

    /// Upright grid lines with their numbers below, as many as have room side by side.
    pub(super) fn draw_x_axis(&self, canvas: &mut Canvas, axis: &Axis) {
        let mut free = 0.0;
        for (value, label) in &axis.ticks {
            let x = self.x(axis, *value);
            canvas.path(&[(x, self.top), (x, self.bottom)], colour::GRID, 1.0);
            let half = measure::width(label, TICK.size) / 2.0;
            if x - half >= free {
                canvas.text(label, (x, self.bottom + 14.0), From::Middle, TICK);
                free = x + half + 4.0;
            }
        }
    }

    /// Level grid lines with their numbers to the left.
    pub(super) fn draw_y_axis(&self, canvas: &mut Canvas, axis: &Axis) {
        for (value, label) in &axis.ticks {
            let y = self.y(axis, *value);
            canvas.path(&[(self.left, y), (self.right, y)], colour::GRID, 1.0);
            canvas.text(label, (self.left - 8.0, y), From::Right, TICK);
        }
    }

    /// The left and the lower edge.
    pub(super) fn draw_edges(&self, canvas: &mut Canvas) {
        let corners = [(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)];
        canvas.path(&corners, colour::GREY, 1.0);
    }
}

/// A picture that says what is wrong, in place of one that cannot be drawn.
pub(super) fn message(title_text: &str, problem: &Error) -> String {
    let title = title(title_text);
    let text = Lines::new(&problem.to_string(), LABEL, WIDTH - 2.0 * MARGIN);
    let height = title.height() + text.height() + 3.0 * MARGIN;
    canvas::svg(WIDTH, height, |canvas| {
        title.draw(canvas, (MARGIN, MARGIN), From::Left);
        text.draw(canvas, (MARGIN, title.height() + 2.0 * MARGIN), From::Left);
    })
}
