//! The net as one operation on dfdx's tape, for losses that are not here.

use super::Net;
use crate::engine::{self, Batch, CpuTape};
use crate::{Error, Result};
use dfdx::prelude::HasShape;

impl Net {
    /// Logits `(n, classes)` in evaluation mode of pictures `(n, pixels)` in [0, 1] on dfdx's tape.
    ///
    /// Any loss that dfdx builds of them has its gradient with respect to the pictures, computed by the
    /// engine. The net's numbers are made ready at each call.
    ///
    /// # Errors
    /// If the pictures are not of the net's size.
    ///
    /// ```
    /// use erm::dfdx::prelude::*;
    /// # use erm::prelude::{Data, Net};
    /// # let net = Net::resnet(1, &Data::see_far().test, 0)?;
    /// let pictures = Cpu::default().sample_uniform_like(&(2usize, 3072usize));
    /// let logits = net.logits(pictures.leaky_trace())?;
    /// let slopes = logits.max::<Rank0, Axes2<0, 1>>().backward().get(&pictures);
    /// # assert_eq!(slopes.shape().num_elements(), 6144);
    /// # Ok::<(), erm::Error>(())
    /// ```
    pub fn logits(&self, pictures: Batch<CpuTape>) -> Result<Batch<CpuTape>> {
        let (pixels, found) = (self.weights.picture(), pictures.shape().1);
        match found == pixels {
            true => Ok(engine::frozen(&self.freeze(), pictures)),
            false => Err(Error::invalid(
                format!("pictures of {pixels} pixels, a row each"),
                format!("rows of {found}"),
                "Flatten each picture of (channels, height, width) to one row.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::batch;
    use crate::fixture::{DATA, TRAINED, says};
    use dfdx::prelude::*;

    #[test]
    fn a_loss_of_ones_own_has_its_slope() {
        let pictures = DATA.test.images.batch(&[3, 5]).into_raw_vec_and_offset().0;
        // How much more the net likes class 1 than class 2.
        let preference = |pictures: Vec<f32>| {
            let x = batch(pictures, 2);
            let logits = TRAINED.logits(x.leaky_trace()).unwrap();
            let weights = [[0.0_f32, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]; 2].concat();
            let loss = (logits * batch(weights, 2)).sum::<Rank0, _>();
            let value = loss.array();
            (value, loss.backward().get(&x).as_vec())
        };
        let (_, slope) = preference(pictures.clone());
        let step = 1e-3;
        let moved = |by: f32| {
            preference(pictures.iter().zip(&slope).map(|(x, slope)| x + by * slope).collect()).0
        };
        // Along its slope a function rises by the slope's square. The logits are rounded to 1e-6, and
        // the net bends by less than a tenth on the way.
        let square: f32 = slope.iter().map(|slope| slope * slope).sum();
        let rise = (moved(step) - moved(-step)) / (2.0 * step);
        assert!((rise - square).abs() < 2e-3 + 0.1 * square, "{rise}, {square}");
    }

    #[test]
    fn pictures_of_another_size_are_an_error() {
        let x = batch(vec![0.5; 2 * 100], 2);
        says(TRAINED.logits(x.leaky_trace()), &["3072 pixels", "rows of 100"]);
    }
}
