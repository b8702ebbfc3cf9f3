//! From the logits back to every parameter and the pictures.

use super::Training;
use super::image::Image;
use super::shares::{MOST_A_SHARE, add_up, add_up_weights, images_a_share};
use super::statistics::Scaling;
use crate::engine::batch_norm::Slopes;
use crate::engine::conv::Job;
use crate::engine::convolution::{Pass, WeightPass};
use crate::engine::head;
use crate::engine::picture::{PictureGradient, leave};
use crate::engine::plan::{Weights, padded};
use crate::engine::simd::Isa;
use crate::engine::winograd::{self, Start};
use rayon::prelude::*;

impl Training {
    /// The gradients with respect to the parameters, in the order of [`Weights::parameters`], from that
    /// with respect to the logits of the last [`Training::forward`]. That with respect to the
    /// pictures goes to `pictures`, if somebody asks for it.
    pub fn backward(
        &mut self,
        weights: &Weights,
        logits: &[f32],
        mut pictures: Option<&mut [f32]>,
    ) -> Vec<Vec<f32>> {
        let images = logits.len() / weights.head.classes();
        let mut parameters = self.backward_head(weights, logits);
        let mut sums = self.backward_pool(weights, logits);
        for index in (0..weights.units.len()).rev() {
            let (norm_weight, norm_bias, slopes) =
                self.statistics[index].slopes(&weights.units[index], &sums, images);
            let weight;
            (weight, sums) = self.backward_unit(weights, index, &slopes, images);
            parameters.splice(0..0, [weight, norm_weight, norm_bias]);
            if let (0, Some(pictures)) = (index, &mut pictures) {
                self.backward_pictures(weights, &slopes, pictures);
            }
        }
        parameters
    }

    fn backward_head(&self, weights: &Weights, logits: &[f32]) -> Vec<Vec<f32>> {
        let head = &weights.head;
        let mut weight = vec![0.0; head.weight.len()];
        let mut bias = vec![0.0; head.bias.len()];
        let classes = weight.par_chunks_mut(head.features()).zip(&mut bias).enumerate();
        classes.for_each(|(class, (weight, bias))| {
            for (image, logits) in self.images.iter().zip(logits.chunks(head.classes())) {
                *bias += logits[class];
                for (weight, feature) in weight.iter_mut().zip(&image.features) {
                    *weight += logits[class] * feature;
                }
            }
        });
        vec![weight, bias]
    }

    /// From the logits to the last unit's output; returns that unit's gated sums.
    fn backward_pool(&mut self, weights: &Weights, logits: &[f32]) -> Vec<f64> {
        let (isa, last) = (self.isa, weights.units.len() - 1);
        let (scaling, classes) = (&self.scalings[last], weights.head.classes());
        let a_share = images_a_share(logits.len() / classes);
        let shares: Vec<Vec<f32>> = self
            .images
            .par_chunks_mut(a_share)
            .zip(logits.par_chunks(a_share * classes))
            .map(|(images, logits)| {
                let mut sums = scaling.no_sums();
                let mut features = padded(&vec![0.0; weights.head.features()]);
                for (image, logits) in images.iter_mut().zip(logits.chunks(classes)) {
                    weights.head.backward(logits, &mut features[..weights.head.features()]);
                    let gradient = image.units[last].gradient.as_mut_ptr();
                    let (none, nowhere) = (std::ptr::null(), std::ptr::null_mut());
                    let means = features.as_ptr();
                    // The gradient was made for the layout.
                    unsafe { head::spread(isa, scaling.layout, means, none, gradient, nowhere) };
                    image.gated_moments(isa, scaling, &mut sums);
                }
                sums
            })
            .collect();
        add_up(&shares)
    }

    /// Unit `index`: the gradient of its weights, and the gated sums of the unit before it, if there
    /// is one.
    fn backward_unit(
        &mut self,
        weights: &Weights,
        index: usize,
        slopes: &Slopes,
        images: usize,
    ) -> (Vec<f32>, Vec<f64>) {
        let (isa, conv) = (self.isa, weights.units[index].conv);
        let job = WeightPass::new(conv, isa);
        let back = Back::new(isa, weights, index, &self.scalings);
        let (scalings, shelf, scratch) = (&self.scalings, &self.shelves[index], &self.scratch);
        let sums_of_weights = &self.sums;
        let a_share = images_a_share(images);
        let at_once = job.images().min(MOST_A_SHARE);
        let (an_input, an_output) = (conv.input().len(), conv.output().len());
        let shares: Vec<(Vec<f32>, Vec<f32>)> = self.images[..images]
            .par_chunks_mut(a_share)
            .map(|images| {
                let mut sums = back.as_ref().map_or(Vec::new(), |back| back.scaling.no_sums());
                let mut inputs = shelf.inputs.take(|| vec![0.0; MOST_A_SHARE * an_input]);
                let mut gradients = shelf.gradients.take(|| vec![0.0; at_once * an_output]);
                let mut room = sums_of_weights.take(Vec::new);
                if room.len() < job.sums() {
                    room.resize(job.sums(), 0.0);
                }
                let share = &mut room[..job.sums()];
                let mut winograd = scratch.take(winograd::Scratch::default);
                let mut start = Start::Zero;
                for images in images.chunks_mut(at_once) {
                    let rooms = inputs.chunks_mut(an_input).zip(gradients.chunks_mut(an_output));
                    let pairs: Vec<(*const f32, *const f32)> = (images.iter().zip(rooms))
                        .map(|(image, (input, gradient))| {
                            image.close(isa, &scalings[index], slopes, gradient);
                            (image.before(isa, index, scalings, input), gradient.as_ptr())
                        })
                        .collect();
                    // Every buffer was made for the images of the job.
                    unsafe { job.add(isa, &pairs, start, share, &mut winograd) };
                    if let Some(back) = &back {
                        back.run(isa, images, &pairs, &mut sums, &mut winograd);
                    }
                    start = Start::Kept;
                }
                job.finish(isa, share);
                // All shares are there at once, and finished ones are a quarter as large.
                let finished = share[..job.finished()].to_vec();
                sums_of_weights.put(room);
                scratch.put(winograd);
                shelf.inputs.put(inputs);
                shelf.gradients.put(gradients);
                (finished, sums)
            })
            .collect();
        let (weight, sums): (Vec<_>, Vec<_>) = shares.into_iter().unzip();
        (job.unpack(conv, &add_up_weights(&weight)), add_up(&sums))
    }

    /// From the first unit to the pictures.
    fn backward_pictures(&mut self, weights: &Weights, slopes: &Slopes, pictures: &mut [f32]) {
        let (isa, unit) = (self.isa, &weights.units[0]);
        let picture = PictureGradient::new(unit.conv, &unit.weight, &weights.normalisation, isa);
        let mut gradient = vec![0.0; unit.conv.output().len()];
        for (image, to) in self.images.iter().zip(pictures.chunks_mut(weights.picture())) {
            image.close(isa, &self.scalings[0], slopes, &mut gradient);
            // The buffers were made for the images that the job names.
            unsafe { leave(isa, &picture, gradient.as_ptr(), to.as_mut_ptr()) };
        }
    }
}

/// The way from the gradient at a convolution to that of what the unit before it handed on.
struct Back<'a> {
    pass: Pass,
    /// Of the unit before.
    scaling: &'a Scaling,
    adder: Option<usize>,
}

impl<'a> Back<'a> {
    /// From unit `index`, if there is one before it.
    fn new(isa: Isa, weights: &Weights, index: usize, scalings: &'a [Scaling]) -> Option<Self> {
        let (unit, scaling) = (&weights.units[index], &scalings[index.checked_sub(1)?]);
        let pass = Pass::backward(unit.conv, isa, &unit.weight, scaling.layout);
        Some(Self { pass, scaling, adder: weights.adder(scaling.index) })
    }

    /// Takes images back, each with the gradient in its pair, and adds to the gated sums.
    fn run(
        &self,
        isa: Isa,
        images: &mut [Image],
        pairs: &[(*const f32, *const f32)],
        sums: &mut [f32],
        scratch: &mut winograd::Scratch,
    ) {
        let jobs: Vec<Job> = (images.iter_mut().zip(pairs))
            .map(|(image, &(_, gradient))| image.go_back(self.scaling.index, self.adder, gradient))
            .collect();
        // Every buffer was made for the images of the pass.
        unsafe { self.pass.run(isa, &jobs, scratch) };
        for image in images {
            image.gated_moments(isa, self.scaling, sums);
        }
    }
}
