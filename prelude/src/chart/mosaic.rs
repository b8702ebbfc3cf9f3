//! Rows of pictures with their captions, as SVG.

use super::canvas::{self, Canvas, From, Type};
use super::frame::{LABEL, Lines, MARGIN};
use super::gallery::{Gallery, Row};
use super::png;
use crate::Result;

/// The most pictures side by side; a longer row goes on below.
const ABREAST: usize = 10;
/// The type of a caption.
const CAPTION: Type = Type::plain(12.0);
/// The type of the gallery's title.
const TITLE: Type = Type::bold(15.0);

/// How large the pictures are, and how far apart.
struct Grid {
    columns: usize,
    tile: f64,
    pitch: f64,
}

/// One picture, where it goes and what stands below it.
struct Tile {
    base64: String,
    corner: (f64, f64),
    size: (f64, f64),
    caption: Lines,
}

/// The picture of a gallery whose rows have been checked.
///
/// # Errors
/// If a row's images have another shape than pictures have.
pub(super) fn svg(gallery: &Gallery) -> Result<String> {
    let grid = Grid::new(gallery.rows.iter().map(|row| row.captions.len()).max().unwrap_or(1));
    let width = grid.width();
    let room = width - 2.0 * MARGIN;
    let title = Lines::new(&gallery.title, TITLE, room);
    let mut y = MARGIN + title.height() + 8.0;
    let mut headings = Vec::new();
    let mut tiles = Vec::new();
    for row in &gallery.rows {
        let heading = Lines::new(&row.title, LABEL, room);
        let top = y;
        y += heading.height() + 4.0;
        headings.push((heading, top));
        y = grid.place(row, y, &mut tiles)? + 8.0;
    }
    Ok(canvas::svg(width, y + MARGIN - 8.0, |canvas| {
        title.draw(canvas, (MARGIN, MARGIN), From::Left);
        headings.iter().for_each(|(text, top)| text.draw(canvas, (MARGIN, *top), From::Left));
        tiles.iter().for_each(|tile| tile.draw(canvas));
    }))
}

impl Grid {
    /// Few pictures are shown three times as large as CIFAR's, many twice.
    fn new(longest: usize) -> Self {
        let columns = longest.min(ABREAST);
        let tile = if columns > 7 { 64.0 } else { 96.0 };
        Self { columns, tile, pitch: tile + 16.0 }
    }

    /// Wide enough for a title even above a single picture.
    fn width(&self) -> f64 {
        let pictures = self.columns as f64 * self.pitch - (self.pitch - self.tile);
        (2.0 * MARGIN + pictures).max(360.0)
    }

    /// Adds the pictures of `row` to `tiles`, from height `top` on; gives the height where they end.
    fn place(&self, row: &Row, top: f64, tiles: &mut Vec<Tile>) -> Result<f64> {
        let [_, _, height, width] = row.images.shape();
        let factor = (self.tile as u32 / (width as u32).max(1)).max(1);
        let size = (self.tile, self.tile * height as f64 / width.max(1) as f64);
        let mut y = top;
        for (line, captions) in row.captions.chunks(self.columns).enumerate() {
            let mut tallest: f64 = 0.0;
            for (column, caption) in captions.iter().enumerate() {
                let corner = (MARGIN + column as f64 * self.pitch, y);
                let base64 = png::base64(&row.images, line * self.columns + column, factor)?;
                let caption = Lines::new(caption, CAPTION, self.pitch - 4.0);
                tallest = tallest.max(caption.height());
                tiles.push(Tile { base64, corner, size, caption });
            }
            y += size.1 + 3.0 + tallest + 6.0;
        }
        Ok(y)
    }
}

impl Tile {
    fn draw(&self, canvas: &mut Canvas) {
        let ((x, y), (width, height)) = (self.corner, self.size);
        canvas.picture(&self.base64, self.corner, self.size);
        self.caption.draw(canvas, (x + width / 2.0, y + height + 3.0), From::Middle);
    }
}
