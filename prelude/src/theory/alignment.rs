//! The bridge from Theorem 3 to nets: the same angle, measured on pictures.

use ndarray::{Array1, Array2, Array4};

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
    let means = class_means(train)?;
    if probed.classes.len() != means.len() {
        let expected = format!("pictures of the same {} classes", means.len());
        let found = format!("{} classes", probed.classes.len());
        return Err(Error::invalid(expected, found, "Take both from one data set."));
    }
    let of_class = |class: usize| attack::gradient(net, &probed.images, &vec![class; probed.len()]);
    // A cross-entropy is what the picture has in common less the logit of its class, so the gradient of
    // a difference of logits is that of two cross-entropies.
    let gradients: Vec<Array4<f32>> = (0..means.len()).map(of_class).collect::<Result<_>>()?;
    let cosine = |index: usize, (y, k): (usize, usize)| {
        let [of_k, of_y] =
            [k, y].map(|c| gradients[c].index_axis(ndarray::Axis(0), index).to_owned());
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
        let points = ndarray::concatenate![ndarray::Axis(0), parts[0], parts[1]] - &middle;
        let signs = [vec![1.0; parts[0].nrows()], vec![-1.0; parts[1].nrows()]].concat();
        Self::fit(&points, &signs)
    }
}

fn class_means(set: &Dataset) -> Result<Vec<Array1<f64>>> {
    (0..set.classes.len()).map(|class| mean(&coarse(&set.of_class(class)?.images, 1)?)).collect()
}

fn mean(points: &Array2<f64>) -> Result<Array1<f64>> {
    points.mean_axis(ndarray::Axis(0)).ok_or_else(|| {
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
