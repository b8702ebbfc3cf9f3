//! What section 4 draws. Its figure prints no parameters; these are read off the drawing.

use super::Published;

const fn crossing(what: &'static str, value: f64) -> Published {
    Published { what, value, unit: "", source: "Figure 4, read off the drawing" }
}

/// Where the boundary that was learned against ε = 1 crosses x₂ = 10.
pub const BOUNDARY_AT_1: Published = crossing("x₁ of the boundary at x₂ = 10, ε = 1", 6.6);
/// The same for ε = 10.
pub const BOUNDARY_AT_10: Published = crossing("x₁ of the boundary at x₂ = 10, ε = 10", 1.72);
