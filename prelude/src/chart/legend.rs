//! The key to a chart's colours, below the data, where it covers nothing.

use plotters::style::RGBColor;

use super::canvas::{Canvas, From};
use super::colour;
use super::frame::{LABEL, Lines, MARGIN, WIDTH};

/// What stands before a name.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// The line and the mark of series number so-and-so.
    Series(usize),
    /// The line of shape number so-and-so, without a mark.
    Line(usize),
    /// Its mark without a line.
    Mark(usize),
    /// Its arrow.
    Arrow(usize),
    /// A box of a bar's colour.
    Box(RGBColor),
    /// The whisker of several seeds.
    Whisker,
    /// The dashed line of a reference.
    Dashes,
}

/// Keys with names, set in rows.
pub(super) struct Legend {
    items: Vec<Item>,
    height: f64,
}

struct Item {
    key: Key,
    name: Lines,
    x: f64,
    y: f64,
}

/// The room for a key, and between a name and the next key.
const KEY: f64 = 34.0;
const GAP: f64 = 20.0;

impl Legend {
    /// Sets the entries in rows that fit the width of a chart.
    pub(super) fn new(entries: impl IntoIterator<Item = (Key, String)>) -> Self {
        let mut items = Vec::new();
        let (mut x, mut y, mut row): (f64, f64, f64) = (MARGIN, 0.0, 0.0);
        for (key, name) in entries {
            let name = Lines::new(&name, LABEL, WIDTH - 2.0 * MARGIN - KEY);
            if x > MARGIN && x + KEY + name.width() > WIDTH - MARGIN {
                (x, y, row) = (MARGIN, y + row, 0.0);
            }
            let next = x + KEY + name.width() + GAP;
            row = row.max(name.height() + 3.0);
            items.push(Item { key, name, x, y });
            x = next;
        }
        Self { items, height: y + row }
    }

    pub(super) fn height(&self) -> f64 {
        self.height
    }

    /// Draws the rows with the first one's top edge at `top`.
    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        for item in &self.items {
            let y = top + item.y;
            item.key.draw(canvas, (item.x, y + 8.5));
            item.name.draw(canvas, (item.x + KEY, y), From::Left);
        }
    }
}

impl Key {
    fn draw(self, canvas: &mut Canvas, (x, y): (f64, f64)) {
        let (start, end) = ((x, y), (x + 26.0, y));
        match self {
            Self::Series(index) => {
                canvas.path(&[start, end], colour::series(index), 2.0);
                canvas.mark(index, (x + 13.0, y), 3.5);
            }
            Self::Line(index) => canvas.path(&[start, end], colour::series(index), 2.0),
            Self::Mark(index) => canvas.mark(index, (x + 13.0, y), 3.5),
            Self::Arrow(index) => {
                canvas.path(&[start, end], colour::series(index), 2.0);
                canvas.head(start, end, 9.0, colour::series(index));
            }
            Self::Box(fill) => canvas.rectangle((x + 6.0, y - 6.0), (x + 26.0, y + 6.0), fill),
            Self::Whisker => whisker(canvas, (x + 4.0, x + 26.0), y),
            Self::Dashes => canvas.dashes(start, (x + 27.0, y), colour::GREY),
        }
    }
}

/// A line from the least to the most, with an end stop on both sides.
pub(super) fn whisker(canvas: &mut Canvas, (least, most): (f64, f64), y: f64) {
    canvas.path(&[(least, y), (most, y)], colour::INK, 1.5);
    for end in [least, most] {
        canvas.path(&[(end, y - 4.0), (end, y + 4.0)], colour::INK, 1.5);
    }
}
