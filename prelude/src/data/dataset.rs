//! A data set is images, labels, class names, and where each image came from.

use std::fmt;

use rayon::prelude::*;

use super::{Augment, Images};
use crate::show::shows_as_text;
use crate::{Error, Result};

shows_as_text!(Dataset, Data);

/// Labelled images. The fields are public: an experiment edits them directly.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What the set is, for charts and records: `CIFAR-10 train`, `D_det`.
    pub name: String,
    /// The pictures, `(n, 3, height, width)` in [0, 1].
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
    /// What may happen to a training picture without changing what it shows.
    pub augment: Augment,
}

impl Dataset {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Makes sure that the fields fit together, which editing them by hand may have broken.
    ///
    /// # Errors
    /// If there are no images, an image has not three channels with pixels or leaves [0, 1], there is
    /// not one label and one origin an image, or a label names no class.
    pub fn check(&self) -> Result<()> {
        self.check_fields()?;
        if let Some(value) = self.images.outside() {
            return Err(Error::invalid(
                "pixel values in [0, 1]",
                format!("{value} in `{}`", self.name),
                "Clamp the images: `images.mapv(|v| v.clamp(0.0, 1.0))`",
            ));
        }
        Ok(())
    }

    /// How many images each class has, in label order.
    ///
    /// # Errors
    /// If a label names no class.
    pub fn per_class(&self) -> Result<Vec<usize>> {
        self.check_labels(&self.labels)?;
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[label] += 1;
        }
        Ok(counts)
    }

    /// The mean and the standard deviation of each colour channel, over all images and pixels.
    ///
    /// # Errors
    /// If there are no images, or they have not three channels with pixels.
    pub fn mean_std(&self) -> Result<([f32; 3], [f32; 3])> {
        self.check_shape()?;
        let pixels = self.images.pixels();
        // Each image's sums by themselves and added in order: the same on any number of threads.
        let of_images: Vec<[(f64, f64); 3]> = (0..self.len())
            .into_par_iter()
            .map(|index| {
                let mut image = vec![0.0; pixels];
                self.images.copy_into(index, &mut image);
                [0, 1, 2].map(|channel| {
                    let plane = &image[channel * pixels / 3..(channel + 1) * pixels / 3];
                    let values = plane.iter().map(|&v| f64::from(v));
                    (values.clone().sum(), values.map(|v| v.powi(2)).sum())
                })
            })
            .collect();
        let (mut sums, mut squares) = ([0.0_f64; 3], [0.0_f64; 3]);
        for image in &of_images {
            for (channel, (sum, square)) in image.iter().enumerate() {
                sums[channel] += sum;
                squares[channel] += square;
            }
        }
        let n = (self.len() * pixels / 3) as f64;
        let mean = sums.map(|sum| sum / n);
        let std = [0, 1, 2].map(|c| (squares[c] / n - mean[c].powi(2)).max(0.0).sqrt() as f32);
        Ok((mean.map(|m| m as f32), std))
    }

    /// All of [`Dataset::check`] that does not look at every pixel.
    pub(super) fn check_fields(&self) -> Result<()> {
        self.check_shape()?;
        self.check_count("labels", self.labels.len())?;
        self.check_count("origins", self.origin.len())?;
        self.check_labels(&self.labels)
    }

    fn check_shape(&self) -> Result<()> {
        let [n, c, h, w] = self.images.shape();
        if c != 3 || h == 0 || w == 0 {
            return Err(Error::invalid(
                "images of 3×height×width (channels first)",
                format!("{c}×{h}×{w} in `{}`", self.name),
                "Transpose the images before putting them into the set, and give grey ones three equal \
                 channels",
            ));
        }
        if n == 0 {
            return Err(Error::invalid(
                "at least one image",
                format!("none in `{}`", self.name),
                "Look at the call that made this set: its count or condition selects nothing",
            ));
        }
        Ok(())
    }

    fn check_count(&self, what: &str, found: usize) -> Result<()> {
        if found == self.len() {
            return Ok(());
        }
        Err(Error::invalid(
            format!("{} {what}, one an image", self.len()),
            format!("{found} in `{}`", self.name),
            "Change images, labels and origin together, or use `select` and `relabelled`",
        ))
    }

    pub(super) fn check_labels(&self, labels: &[usize]) -> Result<()> {
        let classes = self.classes.len();
        match labels.iter().position(|&label| label >= classes) {
            None => Ok(()),
            Some(at) => Err(Error::invalid(
                format!("labels below {classes}, the number of classes"),
                format!("label {} at image {at} of `{}`", labels[at], self.name),
                "Count classes from 0; `y + 1` needs `% classes.len()`",
            )),
        }
    }
}

/// `CIFAR-10 test: 10000 images of 3×32×32, 10 classes: airplane 1000, …`
impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [n, c, h, w] = self.images.shape();
        let classes = self.classes.len();
        write!(f, "{}: {n} images of {c}×{h}×{w}, {classes} classes", self.name)?;
        // A set that does not pass its own check still shows itself: that is how one finds out.
        let Ok(counts) = self.per_class() else { return write!(f, " (labels out of range)") };
        for (i, (class, count)) in self.classes.iter().zip(counts).enumerate() {
            write!(f, "{} {class} {count}", if i == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.train, self.test)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array4;

    use super::*;

    /// Four images of two classes; image `i` is `i / 10` everywhere, channel 2 twice that.
    fn set() -> Dataset {
        of_size([32, 32])
    }

    fn of_size([height, width]: [usize; 2]) -> Dataset {
        let at = |(i, c, _, _): (usize, usize, usize, usize)| {
            i as f32 / 10.0 * if c == 2 { 2.0 } else { 1.0 }
        };
        Dataset {
            name: "four".into(),
            images: Array4::from_shape_fn((4, 3, height, width), at).into(),
            labels: vec![0, 1, 1, 1],
            classes: vec!["GAB".into(), "TOOGIT".into()],
            origin: vec![0, 1, 2, 3],
        }
    }

    #[test]
    fn a_whole_set_passes_its_check_and_shows_its_counts() {
        set().check().unwrap();
        let text = set().to_string();
        assert_eq!(text, "four: 4 images of 3×32×32, 2 classes: GAB 1, TOOGIT 3");
        for size in [[224, 224], [48, 20], [1, 1]] {
            of_size(size).check().unwrap();
        }
    }

    #[test]
    fn mean_and_deviation_are_of_each_channel() {
        let deviation = 0.0125_f32.sqrt();
        for size in [[32, 32], [48, 20], [1, 1]] {
            let (mean, std) = of_size(size).mean_std().unwrap();
            for (found, expected) in mean.iter().chain(&std).zip([
                0.15,
                0.15,
                0.3,
                deviation,
                deviation,
                2.0 * deviation,
            ]) {
                assert!((found - expected).abs() < 1e-6, "{size:?}: {mean:?} {std:?}");
            }
        }
    }

    #[test]
    fn every_inconsistency_is_an_error_that_names_it() {
        type Break = fn(&mut Dataset);
        let breaks: [(Break, &str); 10] = [
            (|set| set.labels[2] = 2, "label 2 at image 2"),
            (|set| set.labels.truncate(3), "3 in `four`"),
            (|set| set.origin.push(9), "expected 4 origins, one an image, found 5"),
            (|set| set.images = Array4::zeros((4, 32, 32, 3)).into(), "found 32×32×3"),
            (|set| set.images = Array4::zeros((4, 1, 48, 48)).into(), "found 1×48×48"),
            (|set| set.images = Array4::zeros((4, 3, 48, 0)).into(), "found 3×48×0"),
            (|set| set.images = Array4::zeros((0, 3, 32, 32)).into(), "found none"),
            (|set| set.images = Array4::from_elem((4, 3, 32, 32), 255.0).into(), "found 255"),
            (|set| set.images = Array4::from_elem((4, 3, 32, 32), f32::NAN).into(), "found NaN"),
            (|set| set.classes.clear(), "labels below 0"),
        ];
        for (spoil, named) in breaks {
            let mut set = set();
            spoil(&mut set);
            let error = set.check().unwrap_err().to_string();
            assert!(error.contains(named), "`{named}` is not in: {error}");
            // A spoilt set shows itself nevertheless.
            assert!(set.to_string().starts_with("four: "));
        }
    }

    #[test]
    fn statistics_of_nothing_are_an_error() {
        let empty = Dataset { images: Array4::zeros((0, 3, 32, 32)).into(), ..set() };
        assert!(empty.mean_std().is_err());
        assert!(empty.is_empty());
        assert!(Dataset { labels: vec![7], ..set() }.per_class().is_err());
    }
}
