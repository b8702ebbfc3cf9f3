//! Owned values that draw themselves: as SVG or HTML in a notebook, as text in a terminal.
//!
//! Building one never fails. What does not fit together is said in the picture itself, and by the
//! method that gives the picture out (`svg`, `html`, `markdown`).

mod axis;
mod bars;
mod builder;
mod canvas;
mod colour;
mod frame;
mod legend;
mod lines;
mod measure;
mod number;
mod terminal;

pub use builder::Chart;
