//! One pattern, and how several are made orthogonal.

use ndarray::Array3;

use super::super::{IMAGE, PIXELS};

/// The side of an image, in pixels.
pub(super) const SIDE: usize = IMAGE[1];

/// What is added to an image: channels, then rows, then columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern(Vec<f32>);

impl Pattern {
    /// Adds the pattern, moved by `[rows, columns]` pixels and around the edges.
    pub(super) fn add_to(&self, image: &mut [f32], shift: [i32; 2]) {
        let [down, right] = shift.map(|s| s.rem_euclid(SIDE as i32) as usize);
        for (row, from) in self.0.chunks(SIDE).enumerate() {
            // Rows of all channels lie one after the other: only the row in its channel moves.
            let channel = row / SIDE;
            let to = channel * SIDE + (row + down) % SIDE;
            let to = &mut image[to * SIDE..][..SIDE];
            let (first, last) = from.split_at(SIDE - right);
            for (value, add) in to.iter_mut().zip(last.iter().chain(first)) {
                *value += add;
            }
        }
    }

    pub(super) fn to_array(&self) -> Array3<f32> {
        let [c, h, w] = IMAGE;
        Array3::from_shape_vec((c, h, w), self.0.clone()).expect("the length is the shape's")
    }
}

/// Gram and Schmidt's orthogonal patterns of the given norm that span what `raw` spans.
pub(super) fn orthogonal(mut raw: Vec<Vec<f64>>, norm: f64) -> Vec<Pattern> {
    for i in 0..raw.len() {
        let (done, rest) = raw.split_at_mut(i);
        let this = &mut rest[0];
        for other in done {
            let along = dot(this, other);
            this.iter_mut().zip(other.iter()).for_each(|(a, b)| *a -= along * b);
        }
        let length = dot(this, this).sqrt();
        this.iter_mut().for_each(|a| *a /= length);
    }
    let scaled = |unit: Vec<f64>| {
        debug_assert_eq!(unit.len(), PIXELS);
        Pattern(unit.into_iter().map(|v| (v * norm) as f32).collect())
    };
    raw.into_iter().map(scaled).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
