//! Everything a cell of Erm's notebooks uses. The way of the data is the way of the folders:
//! `data → net → train → attack → features → judge → chart`.
#![deny(missing_docs)]

mod cache;
pub mod attack;
pub mod chart;
pub mod data;
pub mod engine;
mod error;
pub mod judge;
pub mod net;
pub mod ops;
pub mod paper;
pub mod record;
pub mod show;

pub use dfdx;
pub use error::{Error, Result};
pub use image;
pub use ndarray;
pub use plotters;

/// What `use erm::prelude::*;` brings into a cell.
pub mod prelude {
    pub use crate::chart::{Align, Chart, Gallery, Table, gallery, paper_vs_here};
    pub use crate::data::{Data, Dataset, Images};
    pub use crate::paper;
    pub use crate::record::Record;
    pub use crate::show::Progress;
    pub use crate::{Error, Result};
}
