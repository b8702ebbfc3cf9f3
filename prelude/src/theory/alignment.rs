//! The bridge from Theorem 3 to nets: the same angle, measured on pictures.

use ndarray::{Array1, Array2, Array4, Axis};

use super::Gaussian;
use crate::data::{Dataset, Images};
use crate::net::Net;
use crate::{Error, Result, attack};

/// How well a net's gradient points from one class to another: for each picture of `probed`, of class
/// `y`, the cosine between the gradient of `logit_y − logit_k` and the difference of the two classes'
/// mean pictures in `train`, averaged over all other classes `k`. In [−1, 1].
///
/// # Errors
/// If there are no pictures, a class of `train` has none, or net and pictures do not fit together.
pub fn alignment(net: &Net, train: &Dataset, probed: &Dataset) -> Result<Vec<f64>> {
    probed.check()?;
    let n = train.classes.len();
    if n < 2 || probed.classes.len() != n || probed.images.pixels() != train.images.pixels() {
        return Err(Error::invalid(
            "pictures of the same two classes or more, twice",
            format!(
                "{n} classes in `{}`, {} in `{}`",
                train.name,
                probed.classes.len(),
                probed.name
            ),
            "Take both from one data set.",
        ));
    }
    let means = class_means(train)?;
    let of_class = |class: usize| attack::gradient(net, &probed.images, &vec![class; probed.len()]);
    // A cross-entropy is what the picture has in common less the logit of its class, so the gradient of
    // a difference of logits is that of two cross-entropies.
    let gradients: Vec<Array4<f32>> = (0..means.len()).map(of_class).collect::<Result<_>>()?;
    let cosine = |index: usize, (y, k): (usize, usize)| {
        let [of_k, of_y] = [k, y].map(|c| gradients[c].index_axis(Axis(0), index).to_owned());
        let steepest: Array1<f64> = (of_k - of_y).iter().map(|value| f64::from(*value)).collect();
        let apart = &means[y] - &means[k];
        let lengths = (steepest.dot(&steepest) * apart.dot(&apart)).sqrt();
        if lengths > 0.0 { steepest.dot(&apart) / lengths } else { 0.0 }
    };
    let others = |y: usize| (0..means.len()).filter(move |k| *k != y);
    let mean = |(index, y): (usize, &usize)| {
        others(*y).map(|k| cosine(index, (*y, k))).sum::<f64>() / (means.len() - 1) as f64
    };
    Ok(probed.labels.iter().enumerate().map(mean).collect())
}

impl Gaussian {
    /// Two classes of pictures as Gaussians around the point between their means: the first is +1.
    ///
    /// Only what `block × block` pixels have in common is kept, as one number: their sum over `block`,
    /// so that a move of the pixels within these averages has the same ℓ2 length in both.
    ///
    /// # Errors
    /// If `block` does not divide the pictures, a class is unknown or has no pictures, or there are too few
    /// of them to tell all variances.
    pub fn of_classes(set: &Dataset, [first, second]: [usize; 2], block: usize) -> Result<Self> {
        let classes = [set.of_class(first)?, set.of_class(second)?];
        let parts = [coarse(&classes[0].images, block)?, coarse(&classes[1].images, block)?];
        let means = [mean(&parts[0])?, mean(&parts[1])?];
        let middle = (&means[0] + &means[1]) / 2.0;
        let points = ndarray::concatenate![Axis(0), parts[0], parts[1]] - &middle;
        let signs = [vec![1.0; parts[0].nrows()], vec![-1.0; parts[1].nrows()]].concat();
        Self::fit(&points, &signs)
    }
}

fn class_means(set: &Dataset) -> Result<Vec<Array1<f64>>> {
    (0..set.classes.len()).map(|class| mean(&coarse(&set.of_class(class)?.images, 1)?)).collect()
}

fn mean(points: &Array2<f64>) -> Result<Array1<f64>> {
    points.mean_axis(Axis(0)).ok_or_else(|| {
        Error::invalid("a picture of each class", "none of one", "Take more pictures of the set.")
    })
}

/// Pictures as points: the sums of blocks of pixels, over the block's side.
fn coarse(images: &Images, block: usize) -> Result<Array2<f64>> {
    let [n, channels, height, width] = images.shape();
    if block == 0 || height % block + width % block > 0 {
        let expected = format!("a block that divides {height} × {width} pixels");
        return Err(Error::invalid(expected, block.to_string(), "1, 2 and 4 do."));
    }
    let (rows, columns) = (height / block, width / block);
    let mut points = Array2::zeros((n, channels * rows * columns));
    let mut pixels = vec![0.0; images.pixels()];
    for index in 0..n {
        images.copy_into(index, &mut pixels);
        for (at, pixel) in pixels.iter().enumerate() {
            let (channel, row, column) = (at / (height * width), at / width % height, at % width);
            let place = (channel * rows + row / block) * columns + column / block;
            points[[index, place]] += f64::from(*pixel) / block as f64;
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{DATA, TRAINED, says};
    use crate::judge;

    #[test]
    fn the_angle_is_that_of_the_change_along_the_means() {
        // The cosine times the gradient's length is the slope along the difference of the means, which two
        // small steps measure: with logits in single precision (1e-6 of them) and steps of 0.05, to 1e-3.
        let probed = DATA.test.take(4).unwrap();
        let means = class_means(&DATA.train).unwrap();
        let found = alignment(&TRAINED, &DATA.train, &probed).unwrap();
        for (index, (found, &y)) in found.iter().zip(&probed.labels).enumerate() {
            let one = probed.select(&[index]).unwrap();
            let mut expected = 0.0;
            for k in (0..10).filter(|k| *k != y) {
                let apart = &means[y] - &means[k];
                let length = apart.dot(&apart).sqrt();
                let moved = |step: f64| {
                    let mut pixels = one.images.batch(&[0]);
                    let moves = apart.iter().map(|value| (value / length * step) as f32);
                    pixels.iter_mut().zip(moves).for_each(|(pixel, change)| *pixel += change);
                    let logits = judge::logits(&TRAINED, &Images::from(pixels)).unwrap();
                    f64::from(logits[[0, y]] - logits[[0, k]])
                };
                let slope = (moved(0.05) - moved(-0.05)) / 0.1;
                let of = |class| attack::gradient(&TRAINED, &one.images, &[class]).unwrap();
                let steepest = of(k) - of(y);
                let steepest = steepest.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
                expected += slope / steepest / 9.0;
            }
            // ReLUs between the two steps bend the slope by a few percent of the gradient's length.
            assert!((found - expected).abs() < 0.01, "{found} and {expected}");
        }
    }

    #[test]
    fn blocks_keep_the_length_of_what_is_constant_in_them() {
        let blocks = ndarray::Array4::from_shape_fn((2, 3, 32, 32), |(n, c, y, x)| {
            ((n + c + 3 * (y / 2) + 5 * (x / 2)) % 7) as f32 / 7.0
        });
        let points = coarse(&Images::from(blocks.clone()), 2).unwrap();
        assert_eq!(points.dim(), (2, 768));
        let long: f64 = blocks.iter().map(|value| f64::from(*value).powi(2)).sum();
        let short = points.mapv(|value| value * value).sum();
        assert!((long / short - 1.0).abs() < 1e-12, "{long} and {short}");
        says(coarse(&Images::from(blocks), 3), &["a block that divides 32 × 32", "3"]);
    }

    #[test]
    fn two_classes_become_two_gaussians() {
        let two = Gaussian::of_classes(&DATA.train, [0, 1], 16).unwrap();
        assert_eq!(two.dimension(), 12);
        let other = Gaussian::of_classes(&DATA.train, [1, 0], 16).unwrap();
        let apart = two.mean() + other.mean();
        assert!(apart.iter().all(|value| value.abs() < 1e-12), "one is the other's mirror image");
        says(Gaussian::of_classes(&DATA.train, [0, 1], 1), &["more than 3072 points"]);
        says(Gaussian::of_classes(&DATA.train, [0, 10], 16), &["10"]);
    }
}
