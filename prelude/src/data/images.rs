//! Owned pictures, stored as compactly as their origin allows.

use ndarray::{Array4, Axis};

/// Owned images `(n, channels, height, width)` with values in [0, 1].
///
/// Pictures from a file keep their bytes (a value is byte / 255); perturbed pictures need every
/// digit, since rounding to bytes would blur an adversarial perturbation, and stay floats.
#[derive(Clone, Debug, PartialEq)]
pub enum Images {
    /// One byte a value, `0..=255` standing for [0, 1].
    Bytes(Array4<u8>),
    /// Floats in [0, 1].
    Floats(Array4<f32>),
}

impl Images {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.shape()[0]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `[n, channels, height, width]`.
    pub fn shape(&self) -> [usize; 4] {
        let (n, c, h, w) = match self {
            Self::Bytes(a) => a.dim(),
            Self::Floats(a) => a.dim(),
        };
        [n, c, h, w]
    }

    /// How many values one image has: channels · height · width.
    pub fn pixels(&self) -> usize {
        self.shape()[1..].iter().product()
    }

    /// The first value outside [0, 1], if there is one; it may be NaN.
    pub(crate) fn outside(&self) -> Option<f32> {
        match self {
            Self::Bytes(_) => None,
            Self::Floats(a) => a.iter().find(|v| !(0.0..=1.0).contains(*v)).copied(),
        }
    }

    /// Writes image `index` into `out` (channels, then rows, then columns), as floats in [0, 1].
    ///
    /// # Panics
    /// If `index` is not below `len()` or `out` does not hold [`Images::pixels`] values.
    pub fn copy_into(&self, index: usize, out: &mut [f32]) {
        match self {
            Self::Bytes(a) => {
                let image = a.index_axis(Axis(0), index);
                for (to, from) in out.iter_mut().zip(image.iter()) {
                    *to = f32::from(*from) / 255.0;
                }
            }
            Self::Floats(a) => {
                let image = a.index_axis(Axis(0), index);
                for (to, from) in out.iter_mut().zip(image.iter()) {
                    *to = *from;
                }
            }
        }
    }

    /// The images at `indices`, in that order, as floats `(indices.len(), c, h, w)`.
    ///
    /// # Panics
    /// If an index is not below `len()`.
    pub fn batch(&self, indices: &[usize]) -> Array4<f32> {
        let [_, c, h, w] = self.shape();
        let mut out = vec![0.0; indices.len() * self.pixels()];
        for (chunk, &index) in out.chunks_mut(self.pixels()).zip(indices) {
            self.copy_into(index, chunk);
        }
        Array4::from_shape_vec((indices.len(), c, h, w), out).expect("the length is the shape's")
    }

    /// The images at `indices`, in that order, stored the same way.
    ///
    /// # Panics
    /// If an index is not below `len()`.
    pub fn select(&self, indices: &[usize]) -> Images {
        match self {
            Self::Bytes(a) => Self::Bytes(a.select(Axis(0), indices)),
            Self::Floats(a) => Self::Floats(a.select(Axis(0), indices)),
        }
    }
}

impl From<Array4<f32>> for Images {
    fn from(floats: Array4<f32>) -> Self {
        Self::Floats(floats)
    }
}
