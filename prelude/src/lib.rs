//! Everything a cell of Erm's notebooks uses. The way of the data is the way of the folders:
//! `data → net → train → attack → features → judge → chart`.
#![deny(missing_docs)]

pub mod attack;
mod cache;
pub mod chart;
pub mod data;
mod device;
pub mod engine;
mod error;
pub mod features;
#[cfg(test)]
mod fixture;
#[cfg(any(feature = "cuda", test))]
#[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "some of it a GPU alone asks for"))]
mod gpu;
pub mod judge;
pub mod net;
pub mod ops;
pub mod paper;
#[cfg(test)]
mod pytorch;
pub mod record;
mod scale;
pub mod show;
pub mod theory;
pub mod train;

pub use dfdx;
pub use error::{Error, Result};
pub use image;
pub use ndarray;
pub use plotters;
pub use scale::{Contender, Scale, Sizes, TransferSizes};

/// What `use erm::prelude::*;` brings into a cell.
pub mod prelude {
    pub use crate::attack::{Apgd, Norm, Pgd, fgsm};
    pub use crate::chart::{Align, Chart, Gallery, Panels, Plane, Table, gallery, paper_vs_here};
    pub use crate::data::{Augment, Data, Dataset, Images, RestrictedImageNet, SeeFar};
    pub use crate::net::{Architecture, Net};
    pub use crate::record::Record;
    pub use crate::show::{LastLine as _, Progress, display, input, stage};
    pub use crate::train::{Log, Recipe, Schedule};
    pub use crate::{Error, Result, Scale, Sizes, attack, features, judge, paper, show, theory};
}
