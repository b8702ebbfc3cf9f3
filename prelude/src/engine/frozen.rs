//! A net in evaluation mode with fixed weights: logits, and their gradient with respect to pictures.
//!
//! This is the path of every attack. Batch norm is folded into the convolutions, and a few images go
//! through the whole net together, forward or backward, inside one core's cache. All that the way back needs
//! to know of the way there is which ReLUs were open: one bit a value.

use super::conv::{Finish, Job};
use super::convolution::Pass;
use super::head::{self, Head};
use super::pack::Conv;
use super::picture::{Normalisation, PictureGradient, leave};
use super::plan::{Unit, Weights, padded};
use super::pool::Pool;
use super::simd::Isa;
use super::winograd;
use rayon::prelude::*;

/// How many images one task of the thread pool takes through the net.
const IMAGES_A_TASK: usize = 4;

/// A net ready to be attacked.
pub(crate) struct Frozen {
    isa: Isa,
    normalisation: Normalisation,
    units: Vec<Folded>,
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

/// What a task needs on the way through: its images' numbers.
struct Scratch {
    images: Vec<Image>,
    winograd: winograd::Scratch,
}

/// One image's numbers.
struct Image {
    picture: Vec<f32>,
    activations: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    open: Vec<Vec<f32>>,
    features: Vec<f32>,
}

/// Which ReLUs of which image were open, unit after unit: a word a vector.
pub(crate) struct Masks(Vec<u16>);

impl Frozen {
    pub fn new(weights: &Weights, isa: Isa) -> Self {
        let mut masks = 0;
        let mut units = Vec::new();
        for (index, unit) in weights.units.iter().enumerate() {
            units.push(Folded::new(weights, index, isa, masks));
            masks += unit.conv.output().vectors();
        }
        let first = &weights.units[0];
        let picture =
            PictureGradient::new(first.conv, &folded_weights(first), &weights.normalisation, isa);
        Self {
            isa,
            normalisation: weights.normalisation.clone(),
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
            .par_chunks_mut(IMAGES_A_TASK * classes)
            .zip(masks.0.par_chunks_mut(IMAGES_A_TASK * self.masks))
            .zip(pictures.par_chunks(IMAGES_A_TASK * self.pixels))
            .for_each(|((logits, masks), pictures)| {
                let mut scratch = self.scratch.take(|| self.scratch());
                self.forward(pictures, &mut scratch, masks);
                for (logits, image) in logits.chunks_mut(classes).zip(&scratch.images) {
                    self.head.logits(&image.features[..self.head.features()], logits);
                }
                self.scratch.put(scratch);
            });
        (logits, masks)
    }

    /// The gradient with respect to the pictures, `(n, pixels)`, from that with respect to their logits.
    pub fn picture_gradient(&self, masks: &Masks, logits: &[f32]) -> Vec<f32> {
        let classes = self.head.classes();
        let mut pictures = vec![0.0; logits.len() / classes * self.pixels];
        pictures
            .par_chunks_mut(IMAGES_A_TASK * self.pixels)
            .zip(masks.0.par_chunks(IMAGES_A_TASK * self.masks))
            .zip(logits.par_chunks(IMAGES_A_TASK * classes))
            .for_each(|((pictures, masks), logits)| {
                let mut scratch = self.scratch.take(|| self.scratch());
                for (logits, image) in logits.chunks(classes).zip(&mut scratch.images) {
                    self.head.backward(logits, &mut image.features[..self.head.features()]);
                }
                self.backward(masks, &mut scratch, pictures);
                self.scratch.put(scratch);
            });
        pictures
    }

    fn scratch(&self) -> Scratch {
        let image = || {
            let buffers =
                || self.units.iter().map(|unit| vec![0.0; unit.conv.output().len()]).collect();
            Image {
                picture: vec![0.0; self.units[0].conv.input().len()],
                activations: buffers(),
                gradients: buffers(),
                open: buffers(),
                features: padded(&vec![0.0; self.head.features()]),
            }
        };
        let images = (0..IMAGES_A_TASK).map(|_| image()).collect();
        Scratch { images, winograd: winograd::Scratch::default() }
    }

    fn forward(&self, pictures: &[f32], scratch: &mut Scratch, masks: &mut [u16]) {
        let Scratch { images, winograd } = scratch;
        let images = &mut images[..pictures.len() / self.pixels];
        for (picture, image) in pictures.chunks(self.pixels).zip(images.iter_mut()) {
            self.normalisation.enter(picture, self.units[0].conv.input(), &mut image.picture);
        }
        for (index, unit) in self.units.iter().enumerate() {
            let masks = masks.chunks_mut(self.masks);
            let jobs: Vec<Job> = (images.iter_mut().zip(masks))
                .map(|(image, masks)| image.forward(index, unit, &mut masks[unit.masks..]))
                .collect();
            // Every buffer was made for exactly the images of the unit's pass.
            unsafe { unit.forward.run(self.isa, &jobs, winograd) };
        }
        let last = self.units.len() - 1;
        for image in images {
            let (from, to) = (&image.activations[last], &mut image.features);
            // The features were padded to whole vectors.
            unsafe {
                head::mean(self.isa, self.units[last].conv.output(), from.as_ptr(), to.as_mut_ptr())
            };
        }
    }

    /// From the gradient with respect to the features, in `scratch`, to that with respect to `pictures`.
    fn backward(&self, masks: &[u16], scratch: &mut Scratch, pictures: &mut [f32]) {
        let Scratch { images, winograd } = scratch;
        let images = &mut images[..pictures.len() / self.pixels];
        for (index, unit) in self.units.iter().enumerate().rev() {
            let masks = masks.chunks(self.masks).map(|masks| &masks[unit.masks..]);
            let images = images.iter_mut().zip(masks);
            match self.units.get(index + 1) {
                None => images.for_each(|(image, mask)| image.spread(self.isa, index, unit, mask)),
                Some(behind) => {
                    let jobs: Vec<Job> =
                        images.map(|(image, mask)| image.backward(index, unit, mask)).collect();
                    // Every buffer was made for exactly the images of the unit's pass.
                    unsafe { behind.backward.run(self.isa, &jobs, winograd) };
                }
            }
        }
        for (image, picture) in images.iter().zip(pictures.chunks_mut(self.pixels)) {
            let from = image.gradients[0].as_ptr();
            // The picture has the pixels of the first convolution's input, the gradient its output's.
            unsafe { leave(self.isa, &self.picture, from, picture.as_mut_ptr()) };
        }
    }
}

impl Image {
    /// Through unit `index`, which leaves its masks in `mask`.
    fn forward(&mut self, index: usize, unit: &Folded, mask: &mut [u16]) -> Job {
        let (before, after) = self.activations.split_at_mut(index);
        let finish = Finish::Activate {
            bias: unit.bias.as_ptr(),
            residual: unit.residual.map_or(std::ptr::null(), |r| before[r].as_ptr()),
            mask: mask.as_mut_ptr(),
        };
        let from = before.last().unwrap_or(&self.picture);
        Job { from: from.as_ptr(), to: after[0].as_mut_ptr(), finish }
    }

    /// To the gradient at the convolution of unit `index`, from that of the unit behind it.
    fn backward(&mut self, index: usize, unit: &Folded, mask: &[u16]) -> Job {
        let add = unit.adder.map_or(std::ptr::null(), |a| self.open[a].as_ptr());
        let finish = Finish::Gate { mask: mask.as_ptr(), add, open: self.open(index, unit) };
        let (before, after) = self.gradients.split_at_mut(index + 1);
        Job { from: after[0].as_ptr(), to: before[index].as_mut_ptr(), finish }
    }

    /// To the gradient at the convolution of the last unit, from that with respect to the features.
    fn spread(&mut self, isa: Isa, index: usize, unit: &Folded, mask: &[u16]) {
        let open = self.open(index, unit);
        let (means, to) = (self.features.as_ptr(), self.gradients[index].as_mut_ptr());
        // The features were padded to whole vectors, and every buffer was made for the unit's output.
        unsafe { head::spread(isa, unit.conv.output(), means, mask.as_ptr(), open, to) };
    }

    /// Where the gradient of what unit `index` hands on goes, if another unit will ask for it.
    fn open(&mut self, index: usize, unit: &Folded) -> *mut f32 {
        unit.residual.map_or(std::ptr::null_mut(), |_| self.open[index].as_mut_ptr())
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
