//! Owned, labelled images in [0, 1], and where they come from.

mod dataset;
mod images;

pub use dataset::{Data, Dataset};
pub use images::Images;
