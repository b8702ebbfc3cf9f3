//! Owned values that draw themselves: as SVG or HTML in a notebook, as text in a terminal.
//!
//! Building one never fails. What does not fit together is said in the picture itself, and by the
//! method that gives the picture out (`svg`, `html`, `markdown`).

mod axis;
mod bars;
mod builder;
mod canvas;
mod check;
mod clip;
mod colour;
mod comparison;
mod contour;
mod frame;
mod gallery;
mod legend;
mod lines;
mod measure;
mod mosaic;
mod number;
mod panels;
mod plane;
mod png;
mod table;
mod terminal;
#[cfg(test)]
mod tests;

pub use builder::Chart;
pub use comparison::paper_vs_here;
pub use gallery::{Gallery, gallery};
pub use panels::Panels;
pub use plane::Plane;
pub use table::{Align, Table};
