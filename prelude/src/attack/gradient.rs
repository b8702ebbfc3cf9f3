//! What every attack follows, as a value to look at.

use super::{Goal, Hill, Loss};
use crate::Result;
use crate::data::Images;
use crate::net::Net;
use crate::show::Progress;
use ndarray::Array4;

/// How many images go through the net at once.
const BATCH: usize = 128;

/// The gradient of each image's cross-entropy to its label with respect to its pixels.
///
/// `(n, channels, height, width)`, in evaluation mode: how fast the loss rises with a pixel of [0, 1].
///
/// # Errors
/// If there are no images, if images, labels and net do not fit together, or if the user interrupts
/// it.
pub fn gradient(net: &Net, images: &Images, labels: &[usize]) -> Result<Array4<f32>> {
    net.check(images, Some(labels))?;
    let ready = net.ready()?;
    let progress = Progress::start_quietly("gradients", "images", images.len());
    let mut all = Vec::with_capacity(images.len() * images.pixels());
    for start in (0..images.len()).step_by(BATCH) {
        progress.check_interrupt()?;
        let end = (start + BATCH).min(images.len());
        let batch = images.batch(&(start..end).collect::<Vec<_>>());
        let batch = batch.as_slice().expect("a batch is contiguous");
        let goal = Goal::Away(Loss::CrossEntropy);
        all.extend(ready.look(batch, Hill::Goal(goal, &labels[start..end]))?.1);
        progress.advance(end - start);
    }
    let [n, channels, height, width] = images.shape();
    let array = Array4::from_shape_vec((n, channels, height, width), all);
    Ok(array.expect("every image has its gradient"))
}
