//! Labelled pictures in rows.

use std::fmt;

use ndarray::{Array4, Zip};

use super::{frame, mosaic};
use crate::data::{Dataset, Images};
use crate::show::{Forms, Show, shows};
use crate::{Error, Result};

shows!(Gallery);

/// Rows of pictures with a caption below each.
///
/// ```
/// use erm::prelude::*;
/// let grey = Images::from(ndarray::Array4::from_elem((2, 3, 32, 32), 0.5));
/// let gallery = Gallery::new("Two grey pictures").row("grey", &grey, &["one", "two"]);
/// assert!(gallery.svg().unwrap().contains("data:image/png;base64"));
/// ```
#[derive(Clone, Debug)]
pub struct Gallery {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
    /// The first thing that did not fit.
    problem: Option<Error>,
}

/// As many pictures as captions.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) title: String,
    pub(super) images: Images,
    pub(super) captions: Vec<String>,
}

/// How many differences a row shows when no row above says how many.
const DIFFERENCES: usize = 10;

impl Gallery {
    /// A gallery without pictures; [`Gallery::row`] adds them.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new(), problem: None }
    }

    /// Adds a row with the first images, as many as there are captions.
    ///
    /// `images`: `(n, 3, height, width)` in [0, 1], or with 1 channel for grey.
    pub fn row(
        mut self,
        title: impl Into<String>,
        images: &Images,
        captions: &[impl AsRef<str>],
    ) -> Self {
        let title = title.into();
        if captions.is_empty() || images.len() < captions.len() {
            self.complain(Error::invalid(
                format!("an image for each caption, at least one, in row \"{title}\""),
                format!("{} images and {} captions", images.len(), captions.len()),
                "Give as many captions as you want to see images.",
            ));
            return self;
        }
        let images = first(images, captions.len());
        let captions = captions.iter().map(|caption| caption.as_ref().to_owned()).collect();
        self.rows.push(Row { title, images, captions });
        self
    }

    /// Adds a row with what has to be added to `from` to get `to`, made `gain` times as strong
    /// around a middle grey, for as many images as the row above has.
    pub fn difference(mut self, from: &Images, to: &Images, gain: f32) -> Self {
        if from.shape() != to.shape() || from.is_empty() {
            self.complain(Error::invalid(
                "the same images twice, before and after",
                format!("the shapes {:?} and {:?}", from.shape(), to.shape()),
                "Take both from the same data set, in the same order.",
            ));
            return self;
        }
        let n = self.rows.last().map_or(DIFFERENCES, |row| row.captions.len()).min(from.len());
        let images = difference(&first(from, n), &first(to, n), gain);
        let captions = vec![format!("×{gain}"); n];
        self.row(format!("difference ×{gain}"), &images, &captions)
    }

    /// The gallery as an SVG document with the pictures in it.
    ///
    /// # Errors
    /// If there are no pictures, fewer pictures than captions, or pictures of a wrong shape.
    pub fn svg(&self) -> Result<String> {
        self.check()?;
        mosaic::svg(self)
    }

    fn check(&self) -> Result<()> {
        match &self.problem {
            Some(problem) => Err(problem.clone()),
            None if self.rows.is_empty() => Err(Error::invalid(
                "pictures to show",
                "an empty gallery",
                "Add some with `.row(title, &images, &captions)`.",
            )),
            None => Ok(()),
        }
    }

    /// Keeps the first problem, since later ones often follow from it.
    fn complain(&mut self, problem: Error) {
        self.problem.get_or_insert(problem);
    }
}

/// The pictures, or what is wrong with them.
impl Show for Gallery {
    fn forms(&self) -> Forms {
        let svg = self.svg().unwrap_or_else(|problem| frame::message(&self.title, &problem));
        vec![("image/svg+xml", svg), ("text/plain", self.to_string())]
    }
}

impl fmt::Display for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        if let Err(problem) = self.check() {
            return write!(f, "\n{problem}");
        }
        for row in &self.rows {
            let title = if row.title.is_empty() { "" } else { &format!("{}: ", row.title) };
            write!(f, "\n  {title}{}", row.captions.join(" | "))?;
        }
        Ok(())
    }
}

/// The first `n` images of a data set, or all if it has fewer, with the names of their classes.
pub fn gallery(dataset: &Dataset, n: usize) -> Gallery {
    let n = n.min(dataset.images.len()).min(dataset.labels.len());
    let name = |label: &usize| match dataset.classes.get(*label) {
        Some(name) => name.clone(),
        None => format!("class {label}"),
    };
    let captions: Vec<String> = dataset.labels[..n].iter().map(name).collect();
    Gallery::new(&dataset.name).row("", &dataset.images, &captions)
}

/// `0.5 + gain · (to − from)`, clamped to [0, 1]: a perturbation made visible.
///
/// `from`, `to`: images of one shape. The gallery checks that; other shapes give no images.
fn difference(from: &Images, to: &Images, gain: f32) -> Images {
    let all: Vec<usize> = (0..from.len()).collect();
    let mut seen: Array4<f32> = to.batch(&all);
    Zip::from(&mut seen)
        .and(&from.batch(&all))
        .for_each(|to, from| *to = (0.5 + gain * (*to - from)).clamp(0.0, 1.0));
    Images::from(seen)
}

fn first(images: &Images, n: usize) -> Images {
    images.select(&(0..n).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(n: usize, level: f32) -> Images {
        Array4::from_elem((n, 3, 4, 4), level).into()
    }

    fn dataset(labels: Vec<usize>) -> Dataset {
        let n = labels.len();
        let classes = vec!["toogit".to_owned(), "gab".to_owned()];
        let origin = (0..n).collect();
        Dataset { name: "See-Far".into(), images: grey(n, 0.2), labels, classes, origin }
    }

    #[test]
    fn a_data_set_shows_its_first_images_with_their_class_names() {
        let gallery = gallery(&dataset(vec![1, 0, 1]), 2);
        let svg = gallery.svg().unwrap();
        assert_eq!(svg.matches("<image").count(), 2);
        assert!(svg.contains("gab") && svg.contains("toogit") && svg.contains("See-Far"));
        assert_eq!(gallery.to_string(), "See-Far\n  gab | toogit");
    }

    #[test]
    fn more_images_than_there_are_and_unknown_labels_are_no_trouble() {
        let gallery = gallery(&dataset(vec![7]), 100);
        assert!(gallery.svg().unwrap().contains("class 7"));
    }

    #[test]
    fn a_difference_is_amplified_around_grey_and_clamped() {
        let seen = difference(&grey(1, 0.50), &grey(1, 0.52), 10.0).batch(&[0]);
        assert!((seen[[0, 0, 0, 0]] - 0.7).abs() < 1e-5);
        let seen = difference(&grey(1, 0.9), &grey(1, 0.1), 10.0).batch(&[0]);
        assert_eq!(seen[[0, 0, 0, 0]], 0.0);
    }

    #[test]
    fn a_row_of_differences_is_as_long_as_the_row_above_and_says_its_gain() {
        let (before, after) = (grey(5, 0.2), grey(5, 0.3));
        let gallery = Gallery::new("D_det")
            .row("clean", &before, &["a", "b", "c"])
            .difference(&before, &after, 10.0);
        let svg = gallery.svg().unwrap();
        assert_eq!(svg.matches("<image").count(), 6);
        assert_eq!(svg.matches("×10").count(), 4);
    }

    #[test]
    fn what_does_not_fit_is_said_and_not_drawn() {
        let cases = [
            (Gallery::new("a"), "an empty gallery"),
            (gallery(&dataset(vec![]), 5), "0 images and 0 captions"),
            (Gallery::new("a").row("r", &grey(1, 0.0), &["x", "y"]), "1 images and 2 captions"),
            (Gallery::new("a").difference(&grey(1, 0.0), &grey(2, 0.0), 9.0), "[2, 3, 4, 4]"),
        ];
        for (gallery, found) in cases {
            let message = gallery.svg().unwrap_err().to_string();
            assert!(message.contains(found), "{message}");
            assert!(gallery.to_string().contains(found));
        }
    }
}
