//! The published figures, each with where it stands, so that a chart can draw "paper" beside
//! "here".
//!
//! All of it is CIFAR-10 with a ResNet-50 unless a figure says otherwise; [`restricted_imagenet`] holds what
//! was measured on the other data set. "Table" and "Figure"
//! without a name are those of *Adversarial Examples Are Not Bugs, They Are Features*, version 4 of
//! arXiv:1905.02175. Accuracies are those of
//! the last epoch, and the paper prints no spread over seeds.

mod accuracy;
mod recipe;
mod reproduction;
pub mod restricted_imagenet;
mod robust;
mod theory;
mod transfer;

use std::fmt;

pub use accuracy::*;
pub use recipe::*;
pub use reproduction::*;
pub use robust::*;
pub use theory::*;
pub use transfer::*;

use crate::show::shows_as_text;

/// A number that somebody printed, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// What was measured.
    pub what: &'static str,
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// Where it stands: "Table 1".
    pub source: &'static str,
}

shows_as_text!(Published);

/// Numbers along an axis that somebody drew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// What was measured.
    pub what: &'static str,
    /// Where on the axis, and the number there in percent.
    pub points: &'static [(f64, f64)],
    /// Where it stands: "Figure 10".
    pub source: &'static str,
}

impl Curve {
    /// The places on the axis.
    pub fn xs(&self) -> Vec<f64> {
        self.points.iter().map(|point| point.0).collect()
    }

    /// The numbers there.
    pub fn ys(&self) -> Vec<f64> {
        self.points.iter().map(|point| point.1).collect()
    }
}

impl Published {
    /// An accuracy in percent.
    const fn percent(what: &'static str, value: f64, source: &'static str) -> Self {
        Self { what, value, unit: "%", source }
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {} ({})", self.what, self.value, self.unit, self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_what_it_is_and_where_it_stands() {
        assert_eq!(D_DET.to_string(), "trained on D_det: 43.7 % (Table 1)");
    }
}
