//! A net in evaluation mode with fixed weights: logits, and their gradient with respect to pictures.
//!
//! This is the path of every attack. Batch norm is folded into the convolutions, and a few images go
//! through the whole net together, forward or backward, inside one core's cache. All that the way back needs
//! to know of the way there is which ReLUs were open: one bit a value.

mod build;
mod fold;
mod passage;
mod stage;

use super::head::Head;
use super::memory;
use super::picture::{Normalisation, PictureGradient};
use super::plan::Weights;
use super::pool::Pool;
use super::simd::Isa;
use super::steps::Steps;
use build::{Built, build};
use passage::Scratch;
use rayon::prelude::*;
use stage::{Contribution, Stage, View, Way};
use std::ops::Range;

/// How many images one task of the thread pool takes through the net, at least.
const IMAGES_A_TASK: usize = 4;

/// A net ready to be attacked.
pub(crate) struct Frozen {
    isa: Isa,
    normalisation: Normalisation,
    stages: Vec<Stage>,
    /// The floats of each buffer, and for how many images at once there has to be one.
    buffers: Vec<(usize, usize)>,
    /// How many images one task of the thread pool takes through the net.
    at_once: usize,
    /// The first stage that images go through together; up to it each goes alone.
    together: usize,
    /// How many words of masks an image has, and which are always set.
    masks: usize,
    open: Vec<Range<usize>>,
    output: View,
    output_mask: Option<Range<usize>>,
    head_back: Contribution,
    picture: PictureGradient,
    pixels: usize,
    head: Head,
    scratch: Pool<Scratch>,
}

/// Which ReLUs of which image were open, stage after stage: a word a vector.
pub(crate) struct Masks(Vec<u16>);

impl Frozen {
    pub fn new(weights: &Weights, isa: Isa) -> Self {
        memory::keep();
        let mut steps = Steps::new(&weights.nodes);
        let Built { stages, buffers, output, head, picture, output_mask, masks, open } =
            build(weights, &mut steps, isa);
        let company = stages.iter().map(Stage::images);
        let at_once = company.clone().fold(IMAGES_A_TASK, usize::max);
        let together = company.clone().position(|images| images > 1).unwrap_or(stages.len());
        let copies = |buffer: usize| {
            let late = stages[together..].iter().any(|stage| stage.touches(buffer));
            let by_head = [Some(output), head.open].into_iter().flatten();
            let late = late || by_head.into_iter().any(|view| view.buffer == buffer);
            if late { at_once } else { 1 }
        };
        Self {
            isa,
            normalisation: weights.normalisation.clone(),
            buffers: buffers.iter().enumerate().map(|(b, len)| (*len, copies(b))).collect(),
            at_once,
            together,
            masks,
            open,
            output,
            output_mask,
            head_back: head,
            picture,
            stages,
            pixels: weights.picture(),
            head: weights.head.clone(),
            scratch: Pool::default(),
        }
    }

    /// How many numbers a picture has.
    pub fn pixels(&self) -> usize {
        self.pixels
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
            .zip(masks.0.par_chunks_mut(self.at_once * self.masks.max(1)))
            .zip(pictures.par_chunks(self.at_once * self.pixels))
            .with_max_len(1)
            .for_each(|((logits, masks), pictures)| {
                let mut scratch = self.scratch.take(|| Scratch::new(self));
                self.forward(pictures, &mut scratch, masks);
                for (logits, features) in logits.chunks_mut(classes).zip(&scratch.features) {
                    self.head.logits(features, logits);
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
            .with_max_len(1)
            .for_each(|(representations, pictures)| {
                let mut scratch = self.scratch.take(|| Scratch::new(self));
                let mut masks = vec![0; pictures.len() / self.pixels * self.masks];
                self.forward(pictures, &mut scratch, &mut masks);
                for (to, from) in representations.chunks_mut(features).zip(&scratch.features) {
                    to.copy_from_slice(from);
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
        let last = self.output_mask.clone().unwrap_or_default();
        self.there_and_back(pictures, self.head.features(), |n, features, kept, masks| {
            kept.copy_from_slice(features);
            slope(n, features);
            masks[last.clone()].fill(u16::MAX);
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
            .with_max_len(1)
            .enumerate()
            .for_each(|(task, ((gradient, values), pictures))| {
                let images = pictures.len() / self.pixels;
                let mut scratch = self.scratch.take(|| Scratch::new(self));
                let mut masks = vec![0; images * self.masks];
                self.forward(pictures, &mut scratch, &mut masks);
                let each = scratch.features.iter_mut().zip(values.chunks_mut(kept));
                for (n, (features, values)) in each.take(images).enumerate() {
                    let masks = &mut masks[n * self.masks..][..self.masks];
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
            .zip(masks.0.par_chunks(self.at_once * self.masks.max(1)))
            .zip(logits.par_chunks(self.at_once * classes))
            .with_max_len(1)
            .for_each(|((pictures, masks), logits)| {
                let mut scratch = self.scratch.take(|| Scratch::new(self));
                for (logits, features) in logits.chunks(classes).zip(&mut scratch.features) {
                    self.head.backward(logits, features);
                }
                self.backward(masks, &mut scratch, pictures);
                self.scratch.put(scratch);
            });
        pictures
    }
}

impl Stage {
    /// How many images should go together.
    fn images(&self) -> usize {
        match &self.way {
            Way::Sum { forward, backward, .. } => forward.images().max(backward.images()),
            Way::Max { .. } | Way::Pack { .. } => 1,
        }
    }

    /// Whether the stage reads or writes a buffer, there or back.
    fn touches(&self, buffer: usize) -> bool {
        let add = match self.way {
            Way::Sum { add, .. } => add,
            Way::Max { .. } | Way::Pack { .. } => None,
        };
        let open = self.back.mask_first.and_then(|(_, open)| open);
        let own = &self.back.own;
        let views = [Some(self.from), Some(self.to), add, open, own.take_along, own.open];
        views.into_iter().flatten().any(|view| view.buffer == buffer)
    }
}
