//! A net in training mode: batch statistics, and gradients with respect to every parameter.
//!
//! A batch norm needs the whole batch before it can go on, so the net runs unit by unit, all images
//! through each. One parallel region a unit does everything between two such meetings: forward it
//! normalises the last unit's output and convolves it; backward it finishes a unit's gradient, adds
//! to its weights' and goes on to the unit before. Sums over the batch are taken in shares of a fixed
//! size and added in a fixed order, so that the result does not depend on the number of threads.

mod backward;
mod image;
mod shares;
mod statistics;

use super::conv::Job;
use super::convolution::Pass;
use super::plan::Weights;
use super::pool::Pool;
use super::simd::{Isa, LANES};
use super::{batch_norm, head, memory, winograd};
use image::Image;
use rayon::prelude::*;
use shares::{MOST_A_SHARE, add_up, images_a_share};
use statistics::{Scaling, Statistics};

/// The buffers of a training step, kept from step to step.
pub(crate) struct Training {
    isa: Isa,
    images: Vec<Image>,
    /// The batch statistics of each unit, and what they make of its convolution's output.
    statistics: Vec<Statistics>,
    scalings: Vec<Scaling>,
    /// A shelf a unit, and one for the end.
    shelves: Vec<Shelf>,
    scratch: Pool<winograd::Scratch>,
    /// Sums for the gradient of a unit's weights: room for the largest.
    sums: Pool<Vec<f32>>,
}

/// Buffers of a unit: what they keep need not be cleared.
#[derive(Default)]
struct Shelf {
    /// What a few images bring to the convolution, bordered: the border stays zero.
    inputs: Pool<Vec<f32>>,
    /// The gradients of a few images behind the convolution, likewise.
    gradients: Pool<Vec<f32>>,
}

impl Training {
    pub fn new(isa: Isa) -> Self {
        memory::keep();
        Self {
            isa,
            images: Vec::new(),
            statistics: Vec::new(),
            scalings: Vec::new(),
            shelves: Vec::new(),
            scratch: Pool::default(),
            sums: Pool::default(),
        }
    }

    /// Logits `(n, classes)` of pictures `(n, pixels)` in [0, 1] with the batch's own statistics, which
    /// also go into the running ones.
    pub fn forward(&mut self, weights: &mut Weights, pictures: &[f32]) -> Vec<f32> {
        let images = pictures.len() / weights.picture();
        self.make_room(weights, images);
        self.statistics.clear();
        self.scalings.clear();
        for index in 0..weights.units.len() {
            let sums = self.convolve(weights, index, pictures);
            let statistics = Statistics::learn(&mut weights.units[index], &sums, images);
            self.scalings.push(Scaling::new(weights, index, &statistics));
            self.statistics.push(statistics);
        }
        self.finish(weights, images);
        self.images[..images].iter().flat_map(|image| image.logits.iter().copied()).collect()
    }

    fn make_room(&mut self, weights: &Weights, images: usize) {
        while self.images.len() < images {
            self.images.push(Image::new(weights));
        }
        self.shelves.resize_with(weights.units.len() + 1, Shelf::default);
    }

    /// Brings every image up to the output of convolution `index`; returns the sums over the batch.
    fn convolve(&mut self, weights: &Weights, index: usize, pictures: &[f32]) -> Vec<f64> {
        let (isa, unit) = (self.isa, &weights.units[index]);
        let (an_input, flat) = (unit.conv.input().len(), unit.conv.output().flat());
        let forward = Pass::forward(unit.conv, isa, &unit.weight, flat);
        let (pixels, scratch) = (weights.picture(), &self.scratch);
        let (scalings, shelf) = (&self.scalings, &self.shelves[index]);
        let a_share = images_a_share(pictures.len() / pixels);
        let shares: Vec<Vec<f32>> = self
            .images
            .par_chunks_mut(a_share)
            .zip(pictures.par_chunks(a_share * pixels))
            .map(|(images, pictures)| {
                let images = &mut images[..pictures.len() / pixels];
                let mut room = shelf.inputs.take(|| vec![0.0; MOST_A_SHARE * an_input]);
                let mut winograd = scratch.take(winograd::Scratch::default);
                let mut sums = vec![0.0; 2 * flat.blocks() * LANES];
                // A few images at a time: what one kernel leaves in the cache the next one finds there.
                let pictures = pictures.chunks(forward.images() * pixels);
                for (images, pictures) in images.chunks_mut(forward.images()).zip(pictures) {
                    if index == 0 {
                        for (image, picture) in images.iter_mut().zip(pictures.chunks(pixels)) {
                            let to = &mut image.picture;
                            weights.normalisation.enter(picture, unit.conv.input(), to);
                        }
                    }
                    let jobs: Vec<Job> = (images.iter_mut().zip(room.chunks_mut(an_input)))
                        .map(|(image, room)| {
                            if let Some(before) = index.checked_sub(1) {
                                image.keep(isa, before, scalings);
                            }
                            let from = image.before(isa, index, scalings, room);
                            image.convolve(index, from)
                        })
                        .collect();
                    // Every buffer was made for the images of the pass.
                    unsafe { forward.run(isa, &jobs, &mut winograd) };
                    for image in images {
                        let z = image.units[index].z.as_ptr();
                        // `z` was made for `flat`, and `sums` for twice its channels.
                        unsafe { batch_norm::moments(isa, flat, z, sums.as_mut_ptr()) };
                    }
                }
                scratch.put(winograd);
                shelf.inputs.put(room);
                sums
            })
            .collect();
        add_up(&shares)
    }

    /// From the last convolution to the logits.
    fn finish(&mut self, weights: &Weights, images: usize) {
        let (isa, last) = (self.isa, weights.units.len() - 1);
        let (scalings, shelf) = (&self.scalings, &self.shelves[last + 1]);
        let output = weights.units[last].conv.output();
        self.images[..images].par_chunks_mut(images_a_share(images)).flatten().for_each(|image| {
            let mut room = shelf.inputs.take(|| vec![0.0; output.len()]);
            image.keep(isa, last, scalings);
            let from = image.before(isa, last + 1, scalings, &mut room);
            // The features were padded to whole vectors.
            unsafe { head::mean(isa, output, from, image.features.as_mut_ptr()) };
            weights.head.logits(&image.features[..weights.head.features()], &mut image.logits);
            shelf.inputs.put(room);
        });
    }
}
