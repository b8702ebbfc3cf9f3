//! New sets from old ones: parts, orders, other labels. `origin` always follows its image.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Dataset;
use crate::{Error, Result};

impl Dataset {
    /// The images at `indices`, in that order; an index may come twice.
    ///
    /// # Errors
    /// If `indices` is empty or one of them is not below `len()`.
    pub fn select(&self, indices: &[usize]) -> Result<Dataset> {
        if let Some(&wrong) = indices.iter().find(|&&i| i >= self.len()) {
            return Err(Error::invalid(
                format!("indices below {}, the number of images in `{}`", self.len(), self.name),
                format!("index {wrong}"),
                "Count images from 0",
            ));
        }
        if indices.is_empty() {
            return Err(Error::invalid(
                "at least one index",
                "none",
                format!("Ask for one of the {} images of `{}`", self.len(), self.name),
            ));
        }
        self.check_fields()?;
        Ok(Dataset {
            name: self.name.clone(),
            images: self.images.select(indices),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
            classes: self.classes.clone(),
            origin: indices.iter().map(|&i| self.origin[i]).collect(),
        })
    }

    /// The first `n` images.
    ///
    /// # Errors
    /// If `n` is 0 or more than there are.
    pub fn take(&self, n: usize) -> Result<Dataset> {
        self.check_part(n, 0)?;
        self.select(&(0..n).collect::<Vec<_>>())
    }

    /// The same images in another order, the same one for the same seed.
    ///
    /// # Errors
    /// If the set is empty or inconsistent.
    pub fn shuffled(&self, seed: u64) -> Result<Dataset> {
        self.select(&self.order(seed))
    }

    /// Two parts without a common image: all but `held_out` images, and `held_out` images drawn
    /// by `seed` (not stratified: classes keep their shares only on average).
    ///
    /// # Errors
    /// If one of the parts would be empty.
    pub fn split(&self, held_out: usize, seed: u64) -> Result<(Dataset, Dataset)> {
        self.check_part(held_out, 1)?;
        let order = self.order(seed);
        let (second, first) = order.split_at(held_out);
        Ok((self.select(first)?, self.select(second)?))
    }

    /// The images labelled `class`, in their order.
    ///
    /// # Errors
    /// If there is no such class, or no image of it.
    pub fn of_class(&self, class: usize) -> Result<Dataset> {
        self.check_labels(&[class])?;
        let indices: Vec<_> = (0..self.len()).filter(|&i| self.labels[i] == class).collect();
        if indices.is_empty() {
            return Err(Error::invalid(
                format!("an image of class {class} ({})", self.classes[class]),
                format!("none in `{}`", self.name),
                "`per_class` tells how many images each class has",
            ));
        }
        self.select(&indices)
    }

    /// The same images under other labels and another name, as the paper's D_det is.
    ///
    /// # Errors
    /// If there is not one label an image, or a label names no class.
    pub fn relabelled(&self, labels: Vec<usize>, name: impl Into<String>) -> Result<Dataset> {
        let set = Dataset { labels, name: name.into(), ..self.clone() };
        set.check_fields()?;
        Ok(set)
    }

    fn order(&self, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        order
    }

    /// `n` images are to be taken and at least `rest` must remain.
    fn check_part(&self, n: usize, rest: usize) -> Result<()> {
        let most = self.len().saturating_sub(rest);
        if (1..=most).contains(&n) {
            return Ok(());
        }
        Err(Error::invalid(
            format!("a number of images from 1 to {most}"),
            format!("{n}, and `{}` has {}", self.name, self.len()),
            "Ask for fewer images, or take a larger set",
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::super::{Data, SeeFar};
    use super::*;

    fn set(n: usize) -> Dataset {
        static IMAGES: LazyLock<Data> = LazyLock::new(|| SeeFar::new(1).data(60, 1).unwrap());
        IMAGES.train.take(n).unwrap()
    }

    /// Image, label and origin of a part belong together as they did in the whole.
    fn belongs_to(part: &Dataset, whole: &Dataset) {
        for (i, &from) in part.origin.iter().enumerate() {
            assert_eq!(part.labels[i], whole.labels[from]);
            assert_eq!(part.images.batch(&[i]), whole.images.batch(&[from]));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn two_parts_are_the_whole(n in 2_usize..20, share in 0.0..1.0_f64, seed: u64) {
            let held_out = 1 + (share * (n - 1) as f64) as usize;
            let whole = set(n);
            let (first, second) = whole.split(held_out, seed).unwrap();
            prop_assert_eq!((first.len(), second.len()), (n - held_out, held_out));
            let all: HashSet<_> = first.origin.iter().chain(&second.origin).collect();
            prop_assert_eq!(all.len(), n);
            belongs_to(&first, &whole);
            belongs_to(&second, &whole);
            prop_assert_eq!(whole.split(held_out, seed).unwrap(), (first, second));
        }

        #[test]
        fn a_shuffle_keeps_every_image(n in 1_usize..20, seed: u64) {
            let whole = set(n);
            let shuffled = whole.shuffled(seed).unwrap();
            belongs_to(&shuffled, &whole);
            prop_assert_eq!(shuffled.origin.iter().collect::<HashSet<_>>().len(), n);
        }
    }

    #[test]
    fn another_seed_is_another_order() {
        let whole = set(30);
        assert_eq!(whole.shuffled(1).unwrap(), whole.shuffled(1).unwrap());
        assert_ne!(whole.shuffled(1).unwrap(), whole.shuffled(2).unwrap());
        assert_ne!(whole.shuffled(1).unwrap(), whole);
    }

    #[test]
    fn the_origin_of_a_part_of_a_part_is_the_first_set() {
        let part = set(9).select(&[8, 3, 5]).unwrap().select(&[2, 2, 0]).unwrap();
        assert_eq!(part.origin, [5, 5, 8]);
        assert_eq!(set(9).take(2).unwrap().origin, [0, 1]);
    }

    #[test]
    fn a_class_is_all_its_images() {
        let whole = set(60);
        for (class, count) in whole.per_class().unwrap().into_iter().enumerate() {
            let part = whole.of_class(class).unwrap();
            assert_eq!(part.len(), count);
            assert!(part.labels.iter().all(|&label| label == class));
            belongs_to(&part, &whole);
        }
    }

    #[test]
    fn new_labels_change_nothing_else() {
        let whole = set(5);
        let labels: Vec<_> = whole.labels.iter().map(|y| (y + 1) % 10).collect();
        let d_det = whole.relabelled(labels.clone(), "D_det").unwrap();
        assert_eq!((d_det.name.as_str(), &d_det.labels), ("D_det", &labels));
        assert_eq!((d_det.images, d_det.origin), (whole.images, whole.origin));
    }

    #[test]
    fn what_cannot_be_taken_is_an_error_that_says_how_much_there_is() {
        let whole = set(5);
        let says = |result: Result<Dataset>, part: &str| {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(part), "`{part}` is not in: {error}");
        };
        says(whole.take(0), "from 1 to 5, found 0");
        says(whole.take(6), "from 1 to 5, found 6");
        says(whole.split(5, 1).map(|parts| parts.0), "from 1 to 4, found 5");
        says(whole.split(0, 1).map(|parts| parts.0), "found 0");
        says(whole.select(&[0, 5]), "index 5");
        says(whole.select(&[]), "at least one index");
        says(whole.of_class(10), "labels below 10");
        says(whole.relabelled(vec![0; 4], "short"), "5 labels, one an image, found 4");
        says(whole.relabelled(vec![10; 5], "wrong"), "label 10 at image 0");
        let one = whole.take(1).unwrap();
        let absent = (one.labels[0] + 1) % 10;
        says(one.of_class(absent), "none in");
        says(Dataset { labels: vec![], ..one }.select(&[0]), "labels");
    }
}
