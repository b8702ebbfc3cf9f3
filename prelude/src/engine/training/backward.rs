//! From the logits back to every parameter and the pictures.

use super::shares::{add_up, add_up_weights, zeroed};
use super::{Gradients, IMAGES_A_SHARE, Training};
use crate::engine::batch_norm::Slopes;
use crate::engine::convolution::{Pass, WeightPass};
use crate::engine::head;
use crate::engine::picture::{PictureGradient, leave};
use crate::engine::plan::{Weights, padded};
use crate::engine::simd::LANES;
use crate::engine::winograd;
use rayon::prelude::*;

/// How many images go back through a convolution together.
const AT_ONCE: usize = 4;

impl Training {
    /// The gradients, from that with respect to the logits of the last [`Training::forward`].
    pub fn backward(&mut self, weights: &Weights, logits: &[f32]) -> Gradients {
        let images = logits.len() / weights.head.classes();
        let mut parameters = self.backward_head(weights, logits);
        let last = weights.units.len() - 1;
        let mut sums = self.backward_pool(weights, logits);
        let mut pictures = vec![0.0; images * weights.picture()];
        for index in (0..=last).rev() {
            let (norm_weight, norm_bias, slopes) =
                self.statistics[index].slopes(&weights.units[index], &sums, images);
            let weight;
            (weight, sums) = match index {
                0 => self.backward_picture(weights, &slopes, &mut pictures),
                _ => self.backward_unit(weights, index, &slopes, images),
            };
            parameters.splice(0..0, [weight, norm_weight, norm_bias]);
        }
        Gradients { parameters, pictures }
    }

    fn backward_head(&self, weights: &Weights, logits: &[f32]) -> Vec<Vec<f32>> {
        let head = &weights.head;
        let mut weight = vec![0.0; head.weight.len()];
        let mut bias = vec![0.0; head.bias.len()];
        for (image, logits) in self.images.iter().zip(logits.chunks(head.classes())) {
            for (class, gradient) in logits.iter().enumerate() {
                bias[class] += gradient;
                let row = &mut weight[class * head.features()..][..head.features()];
                for (weight, feature) in row.iter_mut().zip(&image.features) {
                    *weight += gradient * feature;
                }
            }
        }
        vec![weight, bias]
    }

    /// From the logits to the last unit's output; returns that unit's gated sums.
    fn backward_pool(&mut self, weights: &Weights, logits: &[f32]) -> Vec<f64> {
        let (isa, last) = (self.isa, weights.units.len() - 1);
        let flat = weights.units[last].conv.output().flat();
        let minus_mean = self.statistics[last].minus_mean();
        let classes = weights.head.classes();
        let shares: Vec<Vec<f32>> = self
            .images
            .par_chunks_mut(IMAGES_A_SHARE)
            .zip(logits.par_chunks(IMAGES_A_SHARE * classes))
            .map(|(images, logits)| {
                let mut sums = vec![0.0; 2 * flat.blocks() * LANES];
                let mut features = padded(&vec![0.0; weights.head.features()]);
                for (image, logits) in images.iter_mut().zip(logits.chunks(classes)) {
                    weights.head.backward(logits, &mut features[..weights.head.features()]);
                    let gradient = image.units[last].gradient.as_mut_ptr();
                    let (none, nowhere) = (std::ptr::null(), std::ptr::null_mut());
                    // The gradient was made for `flat`.
                    unsafe { head::spread(isa, flat, features.as_ptr(), none, gradient, nowhere) };
                    image.gated_moments(isa, flat, last, &minus_mean, &mut sums);
                }
                sums
            })
            .collect();
        add_up(&shares)
    }

    /// Unit `index`: the gradient of its weights, and the gated sums of the unit before it.
    fn backward_unit(
        &mut self,
        weights: &Weights,
        index: usize,
        slopes: &Slopes,
        images: usize,
    ) -> (Vec<f32>, Vec<f64>) {
        let (isa, unit) = (self.isa, &weights.units[index]);
        let output = unit.conv.output();
        let before = weights.units[index - 1].conv.output().flat();
        let job = WeightPass::new(unit.conv, isa);
        let back = Pass::backward(unit.conv, isa, &unit.weight, before);
        let minus_mean = self.statistics[index - 1].minus_mean();
        let adder = weights.adder(index - 1);
        let (gradients, share_buffers) = (&self.gradients, &self.shares);
        let scratch = &self.scratch;
        let shares: Vec<(Vec<f32>, Vec<f32>)> = self.images[..images]
            .par_chunks_mut(IMAGES_A_SHARE)
            .map(|images| {
                let mut sums = vec![0.0; 2 * before.blocks() * LANES];
                let mut gradient = zeroed(gradients, AT_ONCE * output.len());
                let mut share = zeroed(share_buffers, job.sums());
                let mut winograd = scratch.take(winograd::Scratch::default);
                for images in images.chunks_mut(AT_ONCE) {
                    let mut pairs = Vec::new();
                    let mut jobs = Vec::new();
                    for (image, gradient) in
                        images.iter_mut().zip(gradient.chunks_mut(output.len()))
                    {
                        image.close(isa, output, index, slopes, gradient);
                        pairs.push((image.units[index - 1].activation.as_ptr(), gradient.as_ptr()));
                        jobs.push(image.go_back(index, adder, gradient));
                    }
                    // Every buffer was made for the images of these passes.
                    unsafe {
                        job.add(isa, &pairs, &mut share, &mut winograd);
                        back.run(isa, &jobs, &mut winograd);
                    }
                    for image in images {
                        image.gated_moments(isa, before, index - 1, &minus_mean, &mut sums);
                    }
                }
                job.finish(isa, &mut share);
                scratch.put(winograd);
                gradients.put(gradient);
                (share, sums)
            })
            .collect();
        let (weight, sums): (Vec<_>, Vec<_>) = shares.into_iter().unzip();
        let unpacked = job.unpack(unit.conv, &add_up_weights(&weight));
        weight.into_iter().for_each(|share| self.shares.put(share));
        (unpacked, add_up(&sums))
    }

    /// The first unit: the gradient of its weights, and of the pictures.
    fn backward_picture(
        &mut self,
        weights: &Weights,
        slopes: &Slopes,
        pictures: &mut [f32],
    ) -> (Vec<f32>, Vec<f64>) {
        let (isa, unit) = (self.isa, &weights.units[0]);
        let output = unit.conv.output();
        let job = WeightPass::new(unit.conv, isa);
        let picture = PictureGradient::new(unit.conv, &unit.weight, &weights.normalisation, isa);
        let pixels = weights.picture();
        let (gradients, scratch) = (&self.gradients, &self.scratch);
        let shares: Vec<Vec<f32>> = self
            .images
            .par_chunks_mut(IMAGES_A_SHARE)
            .zip(pictures.par_chunks_mut(IMAGES_A_SHARE * pixels))
            .map(|(images, pictures)| {
                let mut gradient = zeroed(gradients, output.len());
                let mut share = vec![0.0; job.sums()];
                let mut winograd = scratch.take(winograd::Scratch::default);
                for (image, to) in images.iter_mut().zip(pictures.chunks_mut(pixels)) {
                    image.close(isa, output, 0, slopes, &mut gradient);
                    let pair = (image.picture.as_ptr(), gradient.as_ptr());
                    // The buffers were made for the images that the jobs name.
                    unsafe {
                        job.add(isa, &[pair], &mut share, &mut winograd);
                        leave(isa, &picture, gradient.as_ptr(), to.as_mut_ptr());
                    }
                }
                job.finish(isa, &mut share);
                scratch.put(winograd);
                gradients.put(gradient);
                share
            })
            .collect();
        (job.unpack(unit.conv, &add_up_weights(&shares)), Vec::new())
    }
}
