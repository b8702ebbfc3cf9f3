//! Everything a cell of Erm's notebooks uses. The way of the data is the way of the folders:
//! `data → net → train → attack → features → judge → chart`.
#![deny(missing_docs)]

mod cache;
pub mod data;
mod error;
pub mod show;

pub use dfdx;
pub use error::{Error, Result};
pub use image;
pub use ndarray;
pub use plotters;

/// What `use erm::prelude::*;` brings into a cell.
pub mod prelude {
    pub use crate::data::{Augment, Data, Dataset, Images, SeeFar};
    pub use crate::show::Progress;
    pub use crate::{Error, Result};
}
