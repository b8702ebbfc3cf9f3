//! One palette for everything: Okabe and Ito's, which colour-blind readers can tell apart.

use plotters::style::RGBColor;

/// Behind every picture, so that it reads the same on a dark page.
pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);
/// Titles, labels and numbers.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// The frame and the reference lines.
pub(super) const GREY: RGBColor = RGBColor(110, 110, 110);
/// The grid behind the data.
pub(super) const GRID: RGBColor = RGBColor(225, 225, 225);
/// What the paper printed, beside what was measured here.
pub(super) const PUBLISHED: RGBColor = RGBColor(170, 170, 170);
/// What was measured here.
pub(super) const HERE: RGBColor = RGBColor(0, 114, 178);

/// The palette without its yellow, which is too pale for a line on white.
const SERIES: [RGBColor; 7] = [
    HERE,
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// The colour of series `index`; colours come round again after seven.
pub(super) fn series(index: usize) -> RGBColor {
    SERIES[index % SERIES.len()]
}
