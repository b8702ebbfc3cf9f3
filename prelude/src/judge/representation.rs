//! What the penultimate layer says of pictures, and how far apart that is.

use super::rows;
use crate::data::Images;
use crate::net::Net;
use crate::{Error, Result};
use ndarray::Array2;

/// The representation of every image, `(n, features)`: what the net's linear layer reads of it, the
/// penultimate layer. Paper: section 3.1.
///
/// # Errors
/// If there are no images, if they do not fit the net, or if the user interrupts it.
pub fn representations(net: &Net, images: &Images) -> Result<Array2<f32>> {
    let features = net.weights.head.features();
    rows(net, images, features, |net, pictures| net.representations(pictures))
}

/// How far the net's representations of `pictures` are from those of `originals`, as a share of the
/// length of these: the mean over the pictures. This is what feature inversion makes small. Paper:
/// section 3.1.
///
/// # Errors
/// As for [`representations`], and if the two differ in number.
pub fn representation_distance(net: &Net, originals: &Images, pictures: &Images) -> Result<f64> {
    if originals.len() != pictures.len() {
        return Err(Error::invalid(
            format!("as many pictures as originals, {}", originals.len()),
            pictures.len().to_string(),
            "Pass the images that were inverted, and what came of them.",
        ));
    }
    let (aims, found) = (representations(net, originals)?, representations(net, pictures)?);
    let shares = found.outer_iter().zip(aims.outer_iter()).map(|(found, aim)| {
        let away = &found - &aim;
        f64::from((away.dot(&away) / aim.dot(&aim)).sqrt())
    });
    Ok(shares.sum::<f64>() / originals.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{DATA, TRAINED, says};

    #[test]
    fn a_distance_is_a_share_of_the_originals_length() {
        let set = DATA.train.take(3).unwrap();
        let distance = |pictures: &Images| representation_distance(&TRAINED, &set.images, pictures);
        assert_eq!(distance(&set.images).unwrap(), 0.0);
        let others = set.images.select(&[1, 1, 1]);
        let rows = representations(&TRAINED, &set.images).unwrap();
        let length = |row: ndarray::Array1<f32>| f64::from(row.mapv(|v| v * v).sum().sqrt());
        let share = |i: usize| length(&rows.row(1) - &rows.row(i)) / length(rows.row(i).to_owned());
        let expected = (share(0) + share(2)) / 3.0;
        assert!((distance(&others).unwrap() - expected).abs() < 1e-6 * expected);
        says(
            distance(&set.images.select(&[0, 1])),
            &["as many pictures as originals, 3", "found 2"],
        );
    }
}
