//! A net in evaluation mode with fixed weights: logits, and their gradient with respect to pictures.
//!
//! This is the path of every attack. Batch norm is folded into the convolutions, and a few images go
//! through the whole net together, forward or backward, inside one core's cache. All that the way back needs
//! to know of the way there is which ReLUs were open: one bit a value.

use super::conv::{Finish, Job};
use super::convolution::Pass;
use super::head::{self, Head};
use super::memory;
use super::pack::Conv;
use super::picture::{Normalisation, PictureGradient, leave};
use super::plan::{Unit, Weights, padded};
use super::pool::Pool;
use super::simd::Isa;
use super::winograd;
use rayon::prelude::*;

/// How many images one task of the thread pool takes through the net, at least.
const IMAGES_A_TASK: usize = 4;

/// A net ready to be attacked.
pub(crate) struct Frozen {
    isa: Isa,
    normalisation: Normalisation,
    units: Vec<Folded>,
    /// How many images one task of the thread pool takes through the net.
    at_once: usize,
    /// The first unit that images go through together; up to it each goes alone.
    together: usize,
    /// How many words of masks an image has.
    masks: usize,
    picture: PictureGradient,
    pixels: usize,
    head: Head,
    scratch: Pool<Scratch>,
}

/// A unit whose batch norm has become part of its convolution.
struct Folded {
    conv: Conv,
    residual: Option<usize>,
    adder: Option<usize>,
    /// Where the unit's masks begin among an image's.
    masks: usize,
    forward: Pass,
    bias: Vec<f32>,
    backward: Pass,
}

/// The numbers of a task's images on the way through: activations there, gradients back.
struct Scratch {
    pictures: Buffer,
    /// A buffer a unit.
    values: Vec<Buffer>,
    /// The gradients before the ReLU's mask, of units that another one will ask for.
    open: Vec<Buffer>,
    /// Each image's, padded.
    features: Vec<Vec<f32>>,
    winograd: winograd::Scratch,
}

/// An image for each of a task, or one for all where each is done with before the next comes.
struct Buffer {
    values: Vec<f32>,
    image: usize,
}

impl Buffer {
    fn new(image: usize, images: usize) -> Self {
        Self { values: vec![0.0; image * images], image }
    }

    /// Where image number `n` lies.
    fn of(&mut self, n: usize) -> *mut f32 {
        let images = self.values.len() / self.image.max(1);
        self.values[n % images.max(1) * self.image..].as_mut_ptr()
    }
}

/// Which ReLUs of which image were open, unit after unit: a word a vector.
pub(crate) struct Masks(Vec<u16>);

impl Frozen {
    pub fn new(weights: &Weights, isa: Isa) -> Self {
        memory::keep();
        let mut masks = 0;
        let mut units = Vec::new();
        for (index, unit) in weights.units.iter().enumerate() {
            units.push(Folded::new(weights, index, isa, masks));
            masks += unit.conv.output().vectors();
        }
        let company = units.iter().map(|unit| unit.forward.images());
        let at_once = company.clone().fold(IMAGES_A_TASK, usize::max);
        let together = company.clone().position(|images| images > 1);
        let first = &weights.units[0];
        let picture =
            PictureGradient::new(first.conv, &folded_weights(first), &weights.normalisation, isa);
        Self {
            isa,
            normalisation: weights.normalisation.clone(),
            at_once,
            together: together.unwrap_or(units.len()),
            units,
            masks,
            picture,
            pixels: weights.picture(),
            head: weights.head.clone(),
            scratch: Pool::default(),
        }
    }

    /// Logits `(n, classes)` of pictures `(n, pixels)` in [0, 1].
    pub fn logits(&self, pictures: &[f32]) -> Vec<f32> {
        self.logits_and_masks(pictures).0
    }

    /// The same, with what [`Frozen::picture_gradient`] needs.
    pub fn logits_and_masks(&self, pictures: &[f32]) -> (Vec<f32>, Masks) {
        let (images, classes) = (pictures.len() / self.pixels, self.head.classes());
        let mut masks = Masks(vec![0; images * self.masks]);
        let mut logits = vec![0.0; images * classes];
        logits
            .par_chunks_mut(self.at_once * classes)
            .zip(masks.0.par_chunks_mut(self.at_once * self.masks))
            .zip(pictures.par_chunks(self.at_once * self.pixels))
            .for_each(|((logits, masks), pictures)| {
                let mut scratch = self.scratch.take(|| self.scratch());
                self.forward(pictures, &mut scratch, masks);
                for (logits, features) in logits.chunks_mut(classes).zip(&scratch.features) {
                    self.head.logits(&features[..self.head.features()], logits);
                }
                self.scratch.put(scratch);
            });
        (logits, masks)
    }

    /// Logits `(n, classes)` of pictures `(n, pixels)`, and the gradient with respect to the pictures of
    /// a loss that is a sum over them; `slope` turns the logits of picture number `n` into the loss's
    /// gradient with respect to them.
    pub fn gradient(
        &self,
        pictures: &[f32],
        slope: impl Fn(usize, &mut [f32]) + Sync,
    ) -> (Vec<f32>, Vec<f32>) {
        self.there_and_back(pictures, self.head.classes(), |n, features, logits, _| {
            self.head.logits(features, logits);
            let mut slopes = logits.to_vec();
            slope(n, &mut slopes);
            self.head.backward(&slopes, features);
        })
    }

    /// The representations `(n, features)` of pictures `(n, pixels)`: what the linear layer reads.
    pub fn representations(&self, pictures: &[f32]) -> Vec<f32> {
        let features = self.head.features();
        let mut representations = vec![0.0; pictures.len() / self.pixels * features];
        representations
            .par_chunks_mut(self.at_once * features)
            .zip(pictures.par_chunks(self.at_once * self.pixels))
            .for_each(|(representations, pictures)| {
                let mut scratch = self.scratch.take(|| self.scratch());
                let mut masks = vec![0; pictures.len() / self.pixels * self.masks];
                self.forward(pictures, &mut scratch, &mut masks);
                for (to, from) in representations.chunks_mut(features).zip(&scratch.features) {
                    to.copy_from_slice(&from[..features]);
                }
                self.scratch.put(scratch);
            });
        representations
    }

    /// The representations `(n, features)` of pictures `(n, pixels)`, and the gradient with respect to
    /// the pictures of a loss that is a sum over them; `slope` turns the representation of picture
    /// number `n` into the loss's gradient with respect to it.
    ///
    /// The last ReLU is taken as open everywhere: a feature that an image does not have at all would
    /// else have no gradient, and could never come into it.
    pub fn representation_gradient(
        &self,
        pictures: &[f32],
        slope: impl Fn(usize, &mut [f32]) + Sync,
    ) -> (Vec<f32>, Vec<f32>) {
        let last = self.units.last().map_or(0, |unit| unit.masks);
        self.there_and_back(pictures, self.head.features(), |n, features, kept, masks| {
            kept.copy_from_slice(features);
            slope(n, features);
            masks[last..].fill(u16::MAX);
        })
    }

    /// Takes pictures through the net and a gradient back, in one task for a few images. In between,
    /// `turn` gets the number of an image, its features, in whose place it leaves their gradient, room
    /// for `kept` values that are given back for each image, and which ReLUs were open.
    fn there_and_back(
        &self,
        pictures: &[f32],
        kept: usize,
        turn: impl Fn(usize, &mut [f32], &mut [f32], &mut [u16]) + Sync,
    ) -> (Vec<f32>, Vec<f32>) {
        let mut gradient = vec![0.0; pictures.len()];
        let mut values = vec![0.0; pictures.len() / self.pixels * kept];
        gradient
            .par_chunks_mut(self.at_once * self.pixels)
            .zip(values.par_chunks_mut(self.at_once * kept))
            .zip(pictures.par_chunks(self.at_once * self.pixels))
            .enumerate()
            .for_each(|(task, ((gradient, values), pictures))| {
                let images = pictures.len() / self.pixels;
                let mut scratch = self.scratch.take(|| self.scratch());
                let mut masks = vec![0; images * self.masks];
                self.forward(pictures, &mut scratch, &mut masks);
                let each = scratch.features.iter_mut().zip(values.chunks_mut(kept));
                let each = each.zip(masks.chunks_mut(self.masks)).enumerate();
                for (n, ((features, values), masks)) in each {
                    let features = &mut features[..self.head.features()];
                    turn(task * self.at_once + n, features, values, masks);
                }
                self.backward(&masks, &mut scratch, gradient);
                self.scratch.put(scratch);
            });
        (values, gradient)
    }

    /// The gradient with respect to the pictures, `(n, pixels)`, from that with respect to their logits.
    pub fn picture_gradient(&self, masks: &Masks, logits: &[f32]) -> Vec<f32> {
        let classes = self.head.classes();
        let mut pictures = vec![0.0; logits.len() / classes * self.pixels];
        pictures
            .par_chunks_mut(self.at_once * self.pixels)
            .zip(masks.0.par_chunks(self.at_once * self.masks))
            .zip(logits.par_chunks(self.at_once * classes))
            .for_each(|((pictures, masks), logits)| {
                let mut scratch = self.scratch.take(|| self.scratch());
                for (logits, features) in logits.chunks(classes).zip(&mut scratch.features) {
                    self.head.backward(logits, &mut features[..self.head.features()]);
                }
                self.backward(masks, &mut scratch, pictures);
                self.scratch.put(scratch);
            });
        pictures
    }

    fn scratch(&self) -> Scratch {
        let open =
            |unit: &Folded| if unit.residual.is_some() { unit.conv.output().len() } else { 0 };
        let buffers = |len: fn(&Folded) -> usize| -> Vec<Buffer> {
            let units = self.units.iter().enumerate();
            units.map(|(index, unit)| Buffer::new(len(unit), self.copies(index + 1))).collect()
        };
        Scratch {
            pictures: Buffer::new(self.units[0].conv.input().len(), self.copies(0)),
            values: buffers(|unit| unit.conv.output().len()),
            open: buffers(open),
            features: vec![padded(&vec![0.0; self.head.features()]); self.at_once],
            winograd: winograd::Scratch::default(),
        }
    }

    /// How many images there have to be at once before unit `index`.
    fn copies(&self, index: usize) -> usize {
        if index < self.together { 1 } else { self.at_once }
    }

    fn forward(&self, pictures: &[f32], scratch: &mut Scratch, masks: &mut [u16]) {
        let (isa, layout) = (self.isa, self.units[0].conv.input());
        let images = pictures.len() / self.pixels;
        let mut masks: Vec<&mut [u16]> = masks.chunks_mut(self.masks).collect();
        for (n, picture) in pictures.chunks(self.pixels).enumerate() {
            let start = n % self.copies(0) * layout.len();
            self.normalisation.enter(picture, layout, &mut scratch.pictures.values[start..]);
            for unit in 0..self.together {
                let job = self.forward_job(unit, n, scratch, masks[n]);
                // Every buffer was made for exactly the images of the unit's pass.
                unsafe { self.units[unit].forward.run(isa, &[job], &mut scratch.winograd) };
            }
        }
        for unit in self.together..self.units.len() {
            let jobs: Vec<Job> = (masks.iter_mut().enumerate())
                .map(|(n, masks)| self.forward_job(unit, n, scratch, masks))
                .collect();
            // Every buffer was made for exactly the images of the unit's pass.
            unsafe { self.units[unit].forward.run(isa, &jobs, &mut scratch.winograd) };
        }
        let last = self.units.len() - 1;
        for (n, features) in scratch.features[..images].iter_mut().enumerate() {
            let (from, layout) = (scratch.values[last].of(n), self.units[last].conv.output());
            // The features were padded to whole vectors.
            unsafe { head::mean(isa, layout, from, features.as_mut_ptr()) };
        }
    }

    /// Image number `n` through unit `index`, which leaves its masks among the image's.
    fn forward_job(&self, index: usize, n: usize, scratch: &mut Scratch, masks: &mut [u16]) -> Job {
        let unit = &self.units[index];
        let residual = unit.residual.map_or(std::ptr::null(), |r| scratch.values[r].of(n).cast());
        let (bias, mask) = (unit.bias.as_ptr(), masks[unit.masks..].as_mut_ptr());
        let from = match index.checked_sub(1) {
            None => scratch.pictures.of(n),
            Some(before) => scratch.values[before].of(n),
        };
        let finish = Finish::Activate { bias, residual, mask };
        Job { from, to: scratch.values[index].of(n), finish }
    }

    /// From the gradient with respect to the features, in `scratch`, to that with respect to `pictures`.
    fn backward(&self, masks: &[u16], scratch: &mut Scratch, pictures: &mut [f32]) {
        let (isa, images) = (self.isa, pictures.len() / self.pixels);
        let masks: Vec<&[u16]> = masks.chunks(self.masks).collect();
        (0..images).for_each(|n| self.spread(n, scratch, masks[n]));
        for unit in (self.together..self.units.len()).rev().filter(|unit| *unit > 0) {
            let jobs: Vec<Job> = (masks.iter().enumerate())
                .map(|(n, masks)| self.backward_job(unit - 1, n, scratch, masks))
                .collect();
            // Every buffer was made for exactly the images of the unit's pass.
            unsafe { self.units[unit].backward.run(isa, &jobs, &mut scratch.winograd) };
        }
        for (n, picture) in pictures.chunks_mut(self.pixels).enumerate() {
            for unit in (1..self.together).rev() {
                let job = self.backward_job(unit - 1, n, scratch, masks[n]);
                // Every buffer was made for exactly the images of the unit's pass.
                unsafe { self.units[unit].backward.run(isa, &[job], &mut scratch.winograd) };
            }
            let from = scratch.values[0].of(n);
            // The picture has the pixels of the first convolution's input, the gradient its output's.
            unsafe { leave(isa, &self.picture, from, picture.as_mut_ptr()) };
        }
    }

    /// Image number `n` to the gradient at the convolution of unit `index`, from that of the unit behind.
    fn backward_job(&self, index: usize, n: usize, scratch: &mut Scratch, masks: &[u16]) -> Job {
        let unit = &self.units[index];
        let add = unit.adder.map_or(std::ptr::null(), |a| scratch.open[a].of(n).cast());
        let mask = masks[unit.masks..].as_ptr();
        let finish = Finish::Gate { mask, add, open: self.open(index, n, scratch) };
        let from = scratch.values[index + 1].of(n);
        Job { from, to: scratch.values[index].of(n), finish }
    }

    /// Image number `n` to the gradient at the last convolution, from that with respect to the features.
    fn spread(&self, n: usize, scratch: &mut Scratch, masks: &[u16]) {
        let index = self.units.len() - 1;
        let unit = &self.units[index];
        let (mask, open) = (masks[unit.masks..].as_ptr(), self.open(index, n, scratch));
        let (means, to) = (scratch.features[n].as_ptr(), scratch.values[index].of(n));
        // The features were padded to whole vectors, and every buffer was made for the unit's output.
        unsafe { head::spread(self.isa, unit.conv.output(), means, mask, open, to) };
    }

    /// Where the gradient of what unit `index` hands on goes, if another unit will ask for it.
    fn open(&self, index: usize, n: usize, scratch: &mut Scratch) -> *mut f32 {
        self.units[index].residual.map_or(std::ptr::null_mut(), |_| scratch.open[index].of(n))
    }
}

impl Folded {
    fn new(weights: &Weights, index: usize, isa: Isa, masks: usize) -> Self {
        let unit = &weights.units[index];
        let conv = unit.conv;
        let folded = folded_weights(unit);
        Self {
            conv,
            residual: unit.residual,
            adder: weights.adder(index),
            masks,
            forward: Pass::forward(conv, isa, &folded, conv.output()),
            bias: padded(&unit.norm.fold().1),
            backward: Pass::backward(conv, isa, &folded, conv.input()),
        }
    }
}

fn folded_weights(unit: &Unit) -> Vec<f32> {
    let (scale, _) = unit.norm.fold();
    let an_output = unit.conv.inputs * 9;
    (unit.weight.iter().enumerate()).map(|(i, weight)| weight * scale[i / an_output]).collect()
}
