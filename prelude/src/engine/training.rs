//! A net in training mode: batch statistics, and gradients with respect to every parameter.
//!
//! A batch norm needs the whole batch before it can go on, so the net runs unit by unit, all images
//! through each. One parallel region a unit does everything between two such meetings: forward it
//! normalises the last unit's output and convolves it; backward it finishes a unit's gradient, adds
//! to its weights' and goes on to the unit before. Sums over the batch are taken in shares of a fixed
//! size and added in a fixed order, so that the result does not depend on the number of threads.

use super::batch_norm::{self, Slopes};
use super::block::Block;
use super::conv::{Finish, Sweep, sweep};
use super::head;
use super::picture::{PictureGradient, leave};
use super::plan::{NORM_EPSILON, NORM_MOMENTUM, Weights, padded};
use super::pool::Pool;
use super::simd::{Isa, LANES};
use super::weight_gradient::{WeightGradient, accumulate};
use rayon::prelude::*;

/// How many images' sums are added up before they are added to those of the others.
const IMAGES_A_SHARE: usize = 8;

/// The buffers of a training step, kept from step to step.
pub(crate) struct Training {
    isa: Isa,
    images: Vec<Image>,
    /// The batch statistics of each unit, as the backward pass needs them.
    statistics: Vec<Statistics>,
    shares: Pool<Vec<f32>>,
    gradients: Pool<Vec<f32>>,
}

/// What a step keeps of one image.
struct Image {
    picture: Vec<f32>,
    units: Vec<UnitImage>,
    features: Vec<f32>,
    logits: Vec<f32>,
}

struct UnitImage {
    /// The convolution's output, flat.
    z: Vec<f32>,
    /// What the unit hands on, bordered.
    activation: Vec<f32>,
    mask: Vec<u16>,
    /// The gradient with respect to what the unit hands on, flat.
    gradient: Vec<f32>,
}

#[derive(Clone, Default)]
struct Statistics {
    mean: Vec<f32>,
    deviation_inverse: Vec<f32>,
}

/// Gradients with respect to the parameters, in the order of [`Weights::parameters`], and the
/// pictures.
pub(crate) struct Gradients {
    pub parameters: Vec<Vec<f32>>,
    pub pictures: Vec<f32>,
}

impl Training {
    pub fn new(isa: Isa) -> Self {
        Self {
            isa,
            images: Vec::new(),
            statistics: Vec::new(),
            shares: Pool::default(),
            gradients: Pool::default(),
        }
    }

    /// Logits `(n, classes)` of pictures `(n, pixels)` in [0, 1] with the batch's own statistics, which
    /// also go into the running ones.
    pub fn forward(&mut self, weights: &mut Weights, pictures: &[f32]) -> Vec<f32> {
        let images = pictures.len() / weights.picture();
        self.make_room(weights, images);
        self.statistics.clear();
        for index in 0..weights.units.len() {
            let sums = self.convolve(weights, index, pictures);
            let statistics = self.learn_statistics(weights, index, &sums, images);
            self.statistics.push(statistics);
        }
        self.finish(weights, images);
        self.images[..images].iter().flat_map(|image| image.logits.iter().copied()).collect()
    }

    fn make_room(&mut self, weights: &Weights, images: usize) {
        while self.images.len() < images {
            self.images.push(Image::new(weights));
        }
    }

    /// Brings every image up to the output of convolution `index`; returns the sums over the batch.
    fn convolve(&mut self, weights: &Weights, index: usize, pictures: &[f32]) -> Vec<f64> {
        let (isa, unit) = (self.isa, &weights.units[index]);
        let flat = unit.conv.output().flat();
        let forward = unit.conv.forward(isa, flat);
        let packed = unit.conv.pack_forward(isa, &unit.weight);
        let before = index.checked_sub(1).map(|b| Scaling::new(weights, b, &self.statistics[b]));
        let pixels = weights.picture();
        let shares: Vec<Vec<f32>> = self
            .images
            .par_chunks_mut(IMAGES_A_SHARE)
            .zip(pictures.par_chunks(IMAGES_A_SHARE * pixels))
            .map(|(images, pictures)| {
                let mut sums = vec![0.0; 2 * flat.blocks() * LANES];
                for (image, picture) in images.iter_mut().zip(pictures.chunks(pixels)) {
                    match &before {
                        None => weights.normalisation.enter(
                            picture,
                            unit.conv.input(),
                            &mut image.picture,
                        ),
                        Some(scaling) => image.activate(isa, scaling),
                    }
                    image.convolve(isa, index, &forward, &packed);
                    let z = image.units[index].z.as_ptr();
                    // `z` was made for `flat`, and `sums` for twice its channels.
                    unsafe { batch_norm::moments(isa, flat, z, sums.as_mut_ptr()) };
                }
                sums
            })
            .collect();
        add_up(&shares)
    }

    fn learn_statistics(
        &self,
        weights: &mut Weights,
        index: usize,
        sums: &[f64],
        images: usize,
    ) -> Statistics {
        let unit = &mut weights.units[index];
        let output = unit.conv.output();
        let count = (images * output.height * output.width) as f64;
        let channels = output.blocks() * LANES;
        let mut statistics = Statistics::default();
        for channel in 0..channels {
            let mean = sums[channel] / count;
            let var = (sums[channels + channel] / count - mean * mean).max(0.0);
            statistics.mean.push(mean as f32);
            statistics
                .deviation_inverse
                .push((1.0 / (var + f64::from(NORM_EPSILON)).sqrt()) as f32);
            if channel < output.channels {
                let momentum = f64::from(NORM_MOMENTUM);
                let learn = |running: &mut f32, now: f64| {
                    *running = (f64::from(*running) * (1.0 - momentum) + now * momentum) as f32;
                };
                learn(&mut unit.norm.running_mean[channel], mean);
                // PyTorch keeps the unbiased estimate.
                let unbiased = var * count / (count - 1.0).max(1.0);
                learn(&mut unit.norm.running_var[channel], unbiased);
            }
        }
        unit.norm.batches += 1;
        statistics
    }

    /// From the last convolution to the logits.
    fn finish(&mut self, weights: &Weights, images: usize) {
        let (isa, last) = (self.isa, weights.units.len() - 1);
        let scaling = Scaling::new(weights, last, &self.statistics[last]);
        self.images[..images].par_chunks_mut(IMAGES_A_SHARE).flatten().for_each(|image| {
            image.activate(isa, &scaling);
            let activation = image.units[last].activation.as_ptr();
            let output = weights.units[last].conv.output();
            // The features were padded to whole vectors.
            unsafe { head::mean(isa, output, activation, image.features.as_mut_ptr()) };
            weights.head.logits(&image.features[..weights.head.features()], &mut image.logits);
        });
    }

    /// The gradients, from that with respect to the logits of the last [`Training::forward`].
    pub fn backward(&mut self, weights: &Weights, logits: &[f32]) -> Gradients {
        let images = logits.len() / weights.head.classes();
        let mut parameters = self.backward_head(weights, logits);
        let last = weights.units.len() - 1;
        let mut sums = self.backward_pool(weights, logits);
        let mut pictures = vec![0.0; images * weights.picture()];
        for index in (0..=last).rev() {
            let (norm_weight, norm_bias, slopes) = self.slopes(weights, index, &sums, images);
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
        let minus_mean = self.minus_mean(last);
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

    fn minus_mean(&self, index: usize) -> Vec<f32> {
        self.statistics[index].mean.iter().map(|mean| -mean).collect()
    }

    /// The gradients of a batch norm's parameters, and how its input's gradient follows from the rest.
    fn slopes(
        &self,
        weights: &Weights,
        index: usize,
        sums: &[f64],
        images: usize,
    ) -> (Vec<f32>, Vec<f32>, Slopes) {
        let unit = &weights.units[index];
        let output = unit.conv.output();
        let count = (images * output.height * output.width) as f64;
        let channels = output.blocks() * LANES;
        let zeros = || vec![0.0; channels];
        let mut slopes = Slopes { of_gradient: zeros(), of_z: zeros(), constant: zeros() };
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for channel in 0..output.channels {
            let mean = f64::from(self.statistics[index].mean[channel]);
            let inverse = f64::from(self.statistics[index].deviation_inverse[channel]);
            let (shift, scale) = (sums[channel], sums[channels + channel] * inverse);
            weight.push(scale as f32);
            bias.push(shift as f32);
            let slope = f64::from(unit.norm.weight[channel]) * inverse;
            let of_z = -slope * scale / count * inverse;
            slopes.of_gradient[channel] = slope as f32;
            slopes.of_z[channel] = of_z as f32;
            slopes.constant[channel] = (-slope * shift / count - of_z * mean) as f32;
        }
        (weight, bias, slopes)
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
        let job = WeightGradient::new(unit.conv, isa);
        let parts = unit.conv.backward(isa, before);
        let packed = unit.conv.pack_backward(isa, &unit.weight);
        let minus_mean = self.minus_mean(index - 1);
        let adder = weights.adder(index - 1);
        let (gradients, share_buffers) = (&self.gradients, &self.shares);
        let shares: Vec<(Vec<f32>, Vec<f32>)> = self.images[..images]
            .par_chunks_mut(IMAGES_A_SHARE)
            .map(|images| {
                let mut sums = vec![0.0; 2 * before.blocks() * LANES];
                let mut gradient = zeroed(gradients, output.len());
                let mut share = zeroed(share_buffers, job.len());
                for image in images {
                    image.close(isa, output, index, slopes, &mut gradient);
                    let from = image.units[index - 1].activation.as_ptr();
                    // The buffers were made for the images that the job and the parts name.
                    unsafe { accumulate(isa, &job, from, gradient.as_ptr(), share.as_mut_ptr()) };
                    image.go_back(isa, index, &parts, &packed, adder, &gradient);
                    image.gated_moments(isa, before, index - 1, &minus_mean, &mut sums);
                }
                gradients.put(gradient);
                (share, sums)
            })
            .collect();
        let (weight, sums): (Vec<_>, Vec<_>) = shares.into_iter().unzip();
        let unpacked = job.unpack(&add_up_in_place(&weight));
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
        let job = WeightGradient::new(unit.conv, isa);
        let picture = PictureGradient::new(unit.conv, &unit.weight, &weights.normalisation, isa);
        let pixels = weights.picture();
        let gradients = &self.gradients;
        let shares: Vec<Vec<f32>> = self
            .images
            .par_chunks_mut(IMAGES_A_SHARE)
            .zip(pictures.par_chunks_mut(IMAGES_A_SHARE * pixels))
            .map(|(images, pictures)| {
                let mut gradient = zeroed(gradients, output.len());
                let mut share = vec![0.0; job.len()];
                for (image, to) in images.iter_mut().zip(pictures.chunks_mut(pixels)) {
                    image.close(isa, output, 0, slopes, &mut gradient);
                    // The buffers were made for the images that the jobs name.
                    unsafe {
                        let from = image.picture.as_ptr();
                        accumulate(isa, &job, from, gradient.as_ptr(), share.as_mut_ptr());
                        leave(isa, &picture, gradient.as_ptr(), to.as_mut_ptr());
                    }
                }
                gradients.put(gradient);
                share
            })
            .collect();
        (job.unpack(&add_up_in_place(&shares)), Vec::new())
    }
}

/// What turns a unit's convolution into its activation.
struct Scaling {
    index: usize,
    residual: Option<usize>,
    layout: Block,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl Scaling {
    fn new(weights: &Weights, index: usize, statistics: &Statistics) -> Self {
        let unit = &weights.units[index];
        let scale: Vec<f32> = (unit.norm.weight.iter().zip(&statistics.deviation_inverse))
            .map(|(weight, inverse)| weight * inverse)
            .collect();
        let shift: Vec<f32> = (unit.norm.bias.iter().zip(&statistics.mean).zip(&scale))
            .map(|((bias, mean), scale)| bias - mean * scale)
            .collect();
        Self {
            index,
            residual: unit.residual,
            layout: unit.conv.output().flat(),
            scale: padded(&scale),
            shift: padded(&shift),
        }
    }
}

impl Image {
    fn new(weights: &Weights) -> Self {
        let unit = |unit: &super::plan::Unit| {
            let output = unit.conv.output();
            UnitImage {
                z: vec![0.0; output.flat().len()],
                activation: vec![0.0; output.len()],
                mask: vec![0; output.vectors()],
                gradient: vec![0.0; output.flat().len()],
            }
        };
        Self {
            picture: vec![0.0; weights.units[0].conv.input().len()],
            units: weights.units.iter().map(unit).collect(),
            features: padded(&vec![0.0; weights.head.features()]),
            logits: vec![0.0; weights.head.classes()],
        }
    }

    fn activate(&mut self, isa: Isa, scaling: &Scaling) {
        let (before, after) = self.units.split_at_mut(scaling.index);
        let unit = &mut after[0];
        let residual = scaling.residual.map_or(std::ptr::null(), |r| before[r].activation.as_ptr());
        // Every buffer was made for the unit's layout, and the scaling for its channels.
        unsafe {
            batch_norm::activate(
                isa,
                scaling.layout,
                unit.z.as_ptr(),
                scaling.scale.as_ptr(),
                scaling.shift.as_ptr(),
                residual,
                unit.activation.as_mut_ptr(),
                unit.mask.as_mut_ptr(),
            );
        }
    }

    fn convolve(&mut self, isa: Isa, index: usize, forward: &Sweep, packed: &[f32]) {
        let (before, after) = self.units.split_at_mut(index);
        let from = before.last().map_or(&self.picture, |unit| &unit.activation);
        let to = after[0].z.as_mut_ptr();
        // Every buffer was made for the image that the sweep names.
        unsafe { sweep(isa, forward, from.as_ptr(), packed.as_ptr(), to, Finish::Store) };
    }

    fn gated_moments(
        &self,
        isa: Isa,
        flat: Block,
        index: usize,
        minus_mean: &[f32],
        sums: &mut [f32],
    ) {
        let unit = &self.units[index];
        // Every buffer was made for `flat`, and the sums for twice its channels.
        unsafe {
            batch_norm::gated_moments(
                isa,
                flat,
                unit.gradient.as_ptr(),
                unit.mask.as_ptr(),
                unit.z.as_ptr(),
                minus_mean.as_ptr(),
                sums.as_mut_ptr(),
            );
        }
    }

    /// Writes the gradient at the convolution of unit `index` to the bordered `to`.
    fn close(&self, isa: Isa, output: Block, index: usize, slopes: &Slopes, to: &mut [f32]) {
        let unit = &self.units[index];
        let (gradient, mask, z) = (unit.gradient.as_ptr(), unit.mask.as_ptr(), unit.z.as_ptr());
        // Every buffer was made for the unit's output.
        unsafe {
            batch_norm::gradient(isa, output.flat(), gradient, mask, z, slopes, to.as_mut_ptr());
        }
    }

    /// From the gradient at convolution `index` to that of what the unit before it handed on.
    fn go_back(
        &mut self,
        isa: Isa,
        index: usize,
        parts: &[Sweep],
        packed: &[f32],
        adder: Option<usize>,
        gradient: &[f32],
    ) {
        let (before, after) = self.units.split_at_mut(index);
        let add = adder.map_or(std::ptr::null(), |a| after[a - index].gradient.as_ptr());
        let finish = Finish::Gate { mask: std::ptr::null(), add, open: std::ptr::null_mut() };
        let to = before[index - 1].gradient.as_mut_ptr();
        for part in parts {
            // Every buffer was made for the images that the sweeps name.
            unsafe { sweep(isa, part, gradient.as_ptr(), packed.as_ptr(), to, finish) };
        }
    }
}

fn zeroed(pool: &Pool<Vec<f32>>, len: usize) -> Vec<f32> {
    let mut buffer = pool.take(Vec::new);
    buffer.clear();
    buffer.resize(len, 0.0);
    buffer
}

/// The sum of all shares, in their order.
fn add_up(shares: &[Vec<f32>]) -> Vec<f64> {
    let mut sums = vec![0.0; shares[0].len()];
    for share in shares {
        for (sum, value) in sums.iter_mut().zip(share) {
            *sum += f64::from(*value);
        }
    }
    sums
}

fn add_up_in_place(shares: &[Vec<f32>]) -> Vec<f32> {
    let mut sums = shares[0].clone();
    for share in &shares[1..] {
        for (sum, value) in sums.iter_mut().zip(share) {
            *sum += value;
        }
    }
    sums
}
