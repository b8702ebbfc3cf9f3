//! A sheet of pixels to draw on; the one file that knows how `plotters` writes SVG.

use plotters::element::{Drawable, PointCollection};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::colour;

/// `plotters` rounds every coordinate to a whole number, so drawings are made eight times as
/// large and shown at their own size.
const FINENESS: f64 = 8.0;

/// The space between two lines of text, in units of the font size.
pub(super) const LEADING: f64 = 1.3;

/// Which end of a text stands at its position.
#[derive(Clone, Copy)]
pub(super) enum From {
    Left,
    Middle,
    Right,
}

/// A letter's looks.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub size: f64,
    pub style: FontStyle,
}

impl Type {
    pub(super) const fn plain(size: f64) -> Self {
        Self { size, style: FontStyle::Normal }
    }

    pub(super) const fn bold(size: f64) -> Self {
        Self { size, style: FontStyle::Bold }
    }

    /// The size of a plain letter that is as wide as this one.
    pub(super) fn breadth(self) -> f64 {
        match self.style {
            FontStyle::Bold => self.size * 1.15,
            _ => self.size,
        }
    }
}

/// What one draws on, in pixels from the top left corner.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
    /// Elements that `plotters` has no word for, put on top of everything else.
    pictures: String,
}

/// The SVG of a white sheet with what `paint` draws on it.
pub(super) fn svg(width: f64, height: f64, paint: impl FnOnce(&mut Canvas)) -> String {
    let (fine_width, fine_height) = ((width * FINENESS) as u32, (height * FINENESS) as u32);
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (fine_width, fine_height)).into_drawing_area();
    let mut canvas = Canvas { area, pictures: String::new() };
    canvas.rectangle((0.0, 0.0), (width, height), colour::PAPER);
    paint(&mut canvas);
    let pictures = std::mem::take(&mut canvas.pictures);
    drop(canvas);
    let fine = format!("width=\"{fine_width}\" height=\"{fine_height}\"");
    text = text.replacen(&fine, &format!("width=\"{width:.0}\" height=\"{height:.0}\""), 1);
    text.replacen("</svg>", &format!("{pictures}</svg>"), 1)
}

impl<'a> Canvas<'a> {
    /// A text on one line, centred on height `y`.
    pub(super) fn text(&mut self, text: &str, (x, y): (f64, f64), from: From, kind: Type) {
        let top = y - 0.40 * kind.size;
        self.letters(text, (x, top), from, kind, FontTransform::None);
    }

    /// A text that reads upwards, centred on `(x, y)`.
    pub(super) fn upward(&mut self, text: &str, (x, y): (f64, f64), kind: Type) {
        let left = x - 0.40 * kind.size;
        self.letters(text, (left, y), From::Middle, kind, FontTransform::Rotate270);
    }

    /// A line through all `points`.
    pub(super) fn path(&mut self, points: &[(f64, f64)], colour: RGBColor, width: f64) {
        let points: Vec<_> = points.iter().map(|point| fine(*point)).collect();
        self.draw(&PathElement::new(points, colour.stroke_width((width * FINENESS) as u32)));
    }

    /// A dashed line between two points.
    pub(super) fn dashes(&mut self, from: (f64, f64), to: (f64, f64), colour: RGBColor) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |distance: f64| {
            let part = (distance / length).min(1.0);
            (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part)
        };
        for dash in 0..(length / 8.0).ceil() as usize {
            let start = dash as f64 * 8.0;
            self.path(&[at(start), at(start + 5.0)], colour, 1.5);
        }
    }

    /// A filled rectangle between two opposite corners.
    pub(super) fn rectangle(&mut self, a: (f64, f64), b: (f64, f64), colour: RGBColor) {
        let (low, high) = ((a.0.min(b.0), a.1.min(b.1)), (a.0.max(b.0), a.1.max(b.1)));
        self.draw(&Rectangle::new([fine(low), fine(high)], colour.filled()));
    }

    /// The mark of series `index` around a point; neighbours in colour differ in shape too.
    pub(super) fn mark(&mut self, index: usize, (x, y): (f64, f64), radius: f64) {
        let colour = colour::series(index);
        let r = radius;
        let corners: &[(f64, f64)] = match index % 4 {
            0 => {
                let size = (r * FINENESS) as i32;
                return self.draw(&Circle::new(fine((x, y)), size, colour.filled()));
            }
            1 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            2 => &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            _ => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        };
        let points: Vec<_> = corners.iter().map(|(u, v)| fine((x + u * r, y + v * r))).collect();
        self.draw(&Polygon::new(points, colour.filled()));
    }

    /// The head of an arrow that comes from somewhere and ends at `to`.
    pub(super) fn head(&mut self, from: (f64, f64), to: (f64, f64), length: f64, colour: RGBColor) {
        let whole = (to.0 - from.0).hypot(to.1 - from.1).max(f64::MIN_POSITIVE);
        let (u, v) = ((to.0 - from.0) / whole * length, (to.1 - from.1) / whole * length);
        let wing = |side: f64| (to.0 - u - side * 0.45 * v, to.1 - v + side * 0.45 * u);
        // The tip stands a little beyond the line's blunt end.
        let tip = (to.0 + 0.2 * u, to.1 + 0.2 * v);
        let corners: Vec<_> = [tip, wing(1.0), wing(-1.0)].into_iter().map(fine).collect();
        self.draw(&Polygon::new(corners, colour.filled()));
    }

    /// A PNG in base64, `size` pixels wide and high, at its top left corner.
    pub(super) fn picture(&mut self, base64: &str, (x, y): (f64, f64), size: (f64, f64)) {
        let ((x, y), (width, height)) = (fine((x, y)), fine(size));
        self.pictures += &format!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{base64}\"/>\n"
        );
    }

    fn letters(
        &mut self,
        text: &str,
        position: (f64, f64),
        from: From,
        kind: Type,
        turn: FontTransform,
    ) {
        let h = match from {
            From::Left => HPos::Left,
            From::Middle => HPos::Center,
            From::Right => HPos::Right,
        };
        // The backend divides by 1.24 what it takes for a height in points.
        let font = ("sans-serif", kind.size * FINENESS * 1.24).into_font().style(kind.style);
        let style =
            TextStyle::from(font.transform(turn)).color(&colour::INK).pos(Pos::new(h, VPos::Top));
        // XML has no way to write most control characters.
        let text: String = text.chars().filter(|character| !character.is_control()).collect();
        self.draw(&Text::new(text, fine(position), style));
    }

    fn draw<E>(&mut self, element: &E)
    where
        for<'e> &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<SVGBackend<'a>>,
    {
        // Drawing into a string cannot fail.
        let _ = self.area.draw(element);
    }
}

fn fine((x, y): (f64, f64)) -> (i32, i32) {
    ((x * FINENESS).round() as i32, (y * FINENESS).round() as i32)
}
