//! A net in evaluation mode with fixed weights: logits, and their gradient with respect to pictures.
//!
//! This is the path of every attack. Batch norm is folded into the convolutions, and an image goes
//! through the whole net, forward or backward, inside one core's cache. All that the way back needs
//! to know of the way there is which ReLUs were open: one bit a value.

use super::conv::{Finish, Sweep, sweep};
use super::head::{self, Head};
use super::pack::Conv;
use super::picture::{Normalisation, PictureGradient, leave};
use super::plan::{Unit, Weights, padded};
use super::pool::Pool;
use super::simd::Isa;
use rayon::prelude::*;

/// How many images one task of the thread pool takes through the net.
const IMAGES_A_TASK: usize = 4;

/// A net ready to be attacked.
pub(crate) struct Frozen {
    isa: Isa,
    normalisation: Normalisation,
    units: Vec<Folded>,
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
    forward: Sweep,
    weights: Vec<f32>,
    bias: Vec<f32>,
    backward: Vec<Sweep>,
    backward_weights: Vec<f32>,
}

/// One image's numbers on the way through.
struct Scratch {
    picture: Vec<f32>,
    activations: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    open: Vec<Vec<f32>>,
    features: Vec<f32>,
}

/// Which ReLUs of which image were open, unit after unit.
pub(crate) struct Masks {
    words: Vec<u16>,
    an_image: usize,
}

impl Frozen {
    pub fn new(weights: &Weights, isa: Isa) -> Self {
        let units: Vec<Folded> =
            (0..weights.units.len()).map(|index| Folded::new(weights, index, isa)).collect();
        let first = &weights.units[0];
        let picture =
            PictureGradient::new(first.conv, &folded_weights(first), &weights.normalisation, isa);
        Self {
            isa,
            normalisation: weights.normalisation.clone(),
            units,
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
        let an_image = self.units.iter().map(|unit| unit.conv.output().vectors()).sum();
        let mut masks = Masks { words: vec![0; images * an_image], an_image };
        let mut logits = vec![0.0; images * classes];
        logits
            .par_chunks_mut(IMAGES_A_TASK * classes)
            .zip(masks.words.par_chunks_mut(IMAGES_A_TASK * an_image))
            .zip(pictures.par_chunks(IMAGES_A_TASK * self.pixels))
            .for_each(|((logits, masks), pictures)| {
                let mut scratch = self.scratch.take(|| self.scratch());
                let images = logits.chunks_mut(classes).zip(masks.chunks_mut(an_image));
                for ((logits, masks), picture) in images.zip(pictures.chunks(self.pixels)) {
                    self.forward(picture, &mut scratch, masks);
                    self.head.logits(&scratch.features[..self.head.features()], logits);
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
            .zip(masks.words.par_chunks(IMAGES_A_TASK * masks.an_image))
            .zip(logits.par_chunks(IMAGES_A_TASK * classes))
            .for_each(|((pictures, masks_of_task), logits)| {
                let mut scratch = self.scratch.take(|| self.scratch());
                let images = masks_of_task.chunks(masks.an_image).zip(logits.chunks(classes));
                for (picture, (masks, logits)) in pictures.chunks_mut(self.pixels).zip(images) {
                    self.head.backward(logits, &mut scratch.features[..self.head.features()]);
                    self.backward(masks, &mut scratch, picture);
                }
                self.scratch.put(scratch);
            });
        pictures
    }

    fn scratch(&self) -> Scratch {
        let images = || self.units.iter().map(|unit| vec![0.0; unit.conv.output().len()]).collect();
        Scratch {
            picture: vec![0.0; self.units[0].conv.input().len()],
            activations: images(),
            gradients: images(),
            open: images(),
            features: padded(&vec![0.0; self.head.features()]),
        }
    }

    fn forward(&self, picture: &[f32], scratch: &mut Scratch, masks: &mut [u16]) {
        let input = self.units[0].conv.input();
        self.normalisation.enter(picture, input, &mut scratch.picture);
        let mut masks = masks;
        for (index, unit) in self.units.iter().enumerate() {
            let (mask, rest) = masks.split_at_mut(unit.conv.output().vectors());
            masks = rest;
            let (before, after) = scratch.activations.split_at_mut(index);
            let finish = Finish::Activate {
                bias: unit.bias.as_ptr(),
                residual: unit.residual.map_or(std::ptr::null(), |r| before[r].as_ptr()),
                mask: mask.as_mut_ptr(),
            };
            let from = before.last().unwrap_or(&scratch.picture);
            // Every buffer was made for exactly the image that the unit's sweep names.
            unsafe {
                let to = after[0].as_mut_ptr();
                sweep(self.isa, &unit.forward, from.as_ptr(), unit.weights.as_ptr(), to, finish);
            }
        }
        let last = self.units.len() - 1;
        let (from, to) = (&scratch.activations[last], &mut scratch.features);
        // The features were padded to whole vectors.
        unsafe {
            head::mean(self.isa, self.units[last].conv.output(), from.as_ptr(), to.as_mut_ptr())
        };
    }

    /// From the gradient with respect to the features, in `scratch`, to that with respect to `picture`.
    fn backward(&self, masks: &[u16], scratch: &mut Scratch, picture: &mut [f32]) {
        let mut end = masks.len();
        for index in (0..self.units.len()).rev() {
            let unit = &self.units[index];
            let words = unit.conv.output().vectors();
            end -= words;
            let mask = masks[end..end + words].as_ptr();
            // Every buffer was made for exactly the image that the sweeps name.
            unsafe { self.gradient_of(index, mask, scratch) };
        }
        // The picture has the pixels of the first convolution's input, the gradient its output's.
        unsafe {
            leave(self.isa, &self.picture, scratch.gradients[0].as_ptr(), picture.as_mut_ptr());
        }
    }

    /// The gradient at the convolution of unit `index`, from that of the unit behind it.
    ///
    /// # Safety
    /// `mask` must be valid for a word a vector of the unit's output, and `scratch` made by this net.
    unsafe fn gradient_of(&self, index: usize, mask: *const u16, scratch: &mut Scratch) {
        let unit = &self.units[index];
        let open = match unit.residual {
            Some(_) => scratch.open[index].as_mut_ptr(),
            None => std::ptr::null_mut(),
        };
        let (before, after) = scratch.gradients.split_at_mut(index + 1);
        let to = before[index].as_mut_ptr();
        let Some(behind) = self.units.get(index + 1) else {
            // The features were padded to whole vectors.
            let means = scratch.features.as_ptr();
            return unsafe {
                head::spread(self.isa, unit.conv.output(), means, mask, open, to);
            };
        };
        let add = unit.adder.map_or(std::ptr::null(), |a| scratch.open[a].as_ptr());
        let weights = behind.backward_weights.as_ptr();
        for part in &behind.backward {
            let finish = Finish::Gate { mask, add, open };
            // As for the caller: buffers, mask and sweep are of this net's images.
            unsafe { sweep(self.isa, part, after[0].as_ptr(), weights, to, finish) };
        }
    }
}

impl Folded {
    fn new(weights: &Weights, index: usize, isa: Isa) -> Self {
        let unit = &weights.units[index];
        let conv = unit.conv;
        let folded = folded_weights(unit);
        Self {
            conv,
            residual: unit.residual,
            adder: weights.adder(index),
            forward: conv.forward(isa, conv.output()),
            weights: conv.pack_forward(isa, &folded),
            bias: padded(&unit.norm.fold().1),
            backward: conv.backward(isa, conv.input()),
            backward_weights: conv.pack_backward(isa, &folded),
        }
    }
}

fn folded_weights(unit: &Unit) -> Vec<f32> {
    let (scale, _) = unit.norm.fold();
    let an_output = unit.conv.inputs * 9;
    (unit.weight.iter().enumerate()).map(|(i, weight)| weight * scale[i / an_output]).collect()
}
