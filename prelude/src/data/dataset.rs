//! A data set is images, labels, class names, and where each image came from.

use super::Images;

/// Labelled images. The fields are public: an experiment edits them directly.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What the set is, for charts and records: `CIFAR-10 train`, `D_det`.
    pub name: String,
    /// The pictures, `(n, 3, 32, 32)` in [0, 1].
    pub images: Images,
    /// The class of each image, `0..classes.len()`.
    pub labels: Vec<usize>,
    /// The class names, in label order.
    pub classes: Vec<String>,
    /// The index of each image in the set it was first read from.
    pub origin: Vec<usize>,
}

/// A training set and a test set of the same classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// For training, validation and the dataset builders.
    pub train: Dataset,
    /// For the final accuracy alone: it chooses nothing.
    pub test: Dataset,
}
