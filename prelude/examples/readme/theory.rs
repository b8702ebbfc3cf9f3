//! The figure of section 4: what the theorem predicts beside what nets do.

use crate::{newest, write};
use erm::prelude::*;
use std::path::Path;

/// Draws it from the record of notebook 06.
pub fn draw(records: &[Record], to: &Path) -> Result<()> {
    let record = newest(records, "theory", "See-Far train")?;
    let values = |name: &str| record.values.get(name).map_or(&[][..], Vec::as_slice);
    let figure = Chart::lines("Does the gradient point from class to class?")
        .x("ε that was learned against (ℓ2, pixels in [0, 1])")
        .y("cosine of gradient and class means")
        .series("nets on See-Far, measured", values("epsilon"), values("net, mean cosine"))
        .series("two Gaussians, Theorem 2", values("epsilon, theory"), values("theory, cosine"));
    write(to, &figure.svg()?)
}
