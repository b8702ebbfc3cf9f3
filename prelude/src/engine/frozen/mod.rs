//! A net in evaluation mode with fixed weights: logits, and their gradient with respect to pictures.
//!
//! This is the path of every attack. Batch norm is folded into the convolutions, and a few images go
//! through the whole net together, forward or backward, inside one core's cache. All that the way back needs
//! to know of the way there is which ReLUs were open: one bit a value.

mod build;
mod fold;
mod stage;

use super::conv::{Finish, Job};
use super::head::{self, Head};
use super::max_pool::{choose, maximum};
use super::pack_channels::{pack, unpack};
use super::picture::{Normalisation, PictureGradient, leave};
use super::plan::{Weights, padded};
use super::pool::Pool;
use super::simd::Isa;
use super::steps::Steps;
use super::{batch_norm, memory, winograd};
use build::{Built, build};
use rayon::prelude::*;
use stage::{Contribution, Order, Relu, Stage, View, Way};
use std::ops::Range;
use std::ptr::{null, null_mut};

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

/// The numbers of a task's images on the way through: activations there, gradients back.
struct Scratch {
    buffers: Vec<Buffer>,
    /// Each image's.
    features: Vec<Vec<f32>>,
    means: Vec<f32>,
    winograd: winograd::Scratch,
}

/// An image for each of a task, or one for all where each is done with before the next comes.
struct Buffer {
    values: Vec<f32>,
    image: usize,
}

impl Buffer {
    /// Where image number `n` lies.
    fn of(&mut self, n: usize) -> *mut f32 {
        let images = self.values.len() / self.image.max(1);
        self.values[n % images.max(1) * self.image..].as_mut_ptr()
    }
}

impl Scratch {
    /// Where image number `n` lies in a view.
    fn at(&mut self, view: View, n: usize) -> *mut f32 {
        let image = &mut self.buffers[view.buffer];
        assert!(view.start + view.layout.len() <= image.image);
        // The view was just seen to end inside the buffer.
        unsafe { image.of(n).add(view.start) }
    }

    /// The same, null where there is no view.
    fn maybe(&mut self, view: Option<View>, n: usize) -> *mut f32 {
        view.map_or(null_mut(), |view| self.at(view, n))
    }
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
            .for_each(|((logits, masks), pictures)| {
                let mut scratch = self.scratch.take(|| self.scratch());
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
            .for_each(|(representations, pictures)| {
                let mut scratch = self.scratch.take(|| self.scratch());
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
            .enumerate()
            .for_each(|(task, ((gradient, values), pictures))| {
                let images = pictures.len() / self.pixels;
                let mut scratch = self.scratch.take(|| self.scratch());
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
            .for_each(|((pictures, masks), logits)| {
                let mut scratch = self.scratch.take(|| self.scratch());
                for (logits, features) in logits.chunks(classes).zip(&mut scratch.features) {
                    self.head.backward(logits, features);
                }
                self.backward(masks, &mut scratch, pictures);
                self.scratch.put(scratch);
            });
        pictures
    }

    fn scratch(&self) -> Scratch {
        let buffer =
            |&(image, copies): &(usize, usize)| Buffer { values: vec![0.0; image * copies], image };
        Scratch {
            buffers: self.buffers.iter().map(buffer).collect(),
            features: vec![vec![0.0; self.head.features()]; self.at_once],
            means: padded(&vec![0.0; self.head.features()]),
            winograd: winograd::Scratch::default(),
        }
    }

    fn forward(&self, pictures: &[f32], scratch: &mut Scratch, masks: &mut [u16]) {
        let images = pictures.len() / self.pixels;
        let View { buffer, layout, .. } = self.stages[0].from;
        let mut masks: Vec<&mut [u16]> = match self.masks {
            0 => (0..images).map(|_| &mut [][..]).collect(),
            words => masks.chunks_mut(words).collect(),
        };
        for (n, picture) in pictures.chunks(self.pixels).enumerate() {
            self.open.iter().for_each(|open| masks[n][open.clone()].fill(u16::MAX));
            let copies = self.buffers[buffer].1;
            let start = n % copies * layout.len();
            self.normalisation.enter(picture, layout, &mut scratch.buffers[buffer].values[start..]);
            for stage in &self.stages[..self.together] {
                self.go(stage, n, scratch, std::slice::from_mut(&mut masks[n]));
            }
        }
        for stage in &self.stages[self.together..] {
            self.go(stage, 0, scratch, &mut masks);
        }
        for n in 0..images {
            let (from, means) = (scratch.at(self.output, n), scratch.means.as_mut_ptr());
            // The means were made for the channels of the output, padded.
            unsafe { head::mean(self.isa, self.output.layout, from, means) };
            scratch.features[n].copy_from_slice(&scratch.means[..self.head.features()]);
        }
    }

    /// Takes the images from number `first` on, whose masks are given, through a stage.
    fn go(&self, stage: &Stage, first: usize, scratch: &mut Scratch, masks: &mut [&mut [u16]]) {
        let Stage { from, to, way, .. } = stage;
        let images = (first..).zip(masks);
        match way {
            Way::Sum { forward, bias, add, relu, .. } => {
                let jobs: Vec<Job> = images
                    .map(|(n, masks)| {
                        let (mut inner, mut outer) = (null_mut(), null_mut());
                        match relu {
                            None => {}
                            Some(Relu::Inner(mask)) => inner = masks[*mask..].as_mut_ptr(),
                            Some(Relu::Outer(mask)) => outer = masks[*mask..].as_mut_ptr(),
                        }
                        let (bias, add) = (bias.as_ptr(), scratch.maybe(*add, n).cast_const());
                        let finish = Finish::Activate { bias, inner, add, outer };
                        Job { from: scratch.at(*from, n), to: scratch.at(*to, n), finish }
                    })
                    .collect();
                // Every buffer was made for exactly the images of the stage's pass.
                unsafe { forward.run(self.isa, &jobs, &mut scratch.winograd) };
            }
            Way::Pack { channel } => images.for_each(|(n, _)| {
                let (values, output) = (scratch.at(*from, n), scratch.at(*to, n));
                // The views were made for their layouts.
                unsafe { pack(from.layout, values, to.layout, *channel, output) };
            }),
            Way::Max { pool, chosen } => images.for_each(|(n, masks)| {
                let (from, to) = (scratch.at(*from, n), scratch.at(*to, n));
                let chosen = masks[*chosen..][..pool.words()].as_mut_ptr();
                // Every buffer was made for exactly the images of the pool.
                unsafe { maximum(self.isa, pool, from, to, chosen) };
            }),
        }
    }

    /// From the gradient with respect to the features, in `scratch`, to that with respect to `pictures`.
    fn backward(&self, masks: &[u16], scratch: &mut Scratch, pictures: &mut [f32]) {
        let images = pictures.len() / self.pixels;
        let masks: Vec<&[u16]> = match self.masks {
            0 => vec![&[]; images],
            words => masks.chunks(words).collect(),
        };
        (0..images).for_each(|n| self.spread(n, scratch, masks[n]));
        for index in (self.together.max(1)..self.stages.len()).rev() {
            self.come_back(index, 0, scratch, &masks);
        }
        for (n, picture) in pictures.chunks_mut(self.pixels).enumerate() {
            for index in (1..self.together).rev() {
                self.come_back(index, n, scratch, &masks[n..=n]);
            }
            self.prepare(&self.stages[0], n, scratch, masks[n]);
            let from = scratch.at(self.stages[0].to, n);
            // The picture has the pixels of the first convolution's input, the gradient its output's.
            unsafe { leave(self.isa, &self.picture, from, picture.as_mut_ptr()) };
        }
    }

    /// Completes the gradient at a stage's output for image number `n`, and hands it on where no other
    /// stage takes it along.
    fn prepare(&self, stage: &Stage, n: usize, scratch: &mut Scratch, masks: &[u16]) {
        let (isa, to) = (self.isa, stage.to);
        if let Some((mask, open)) = stage.back.mask_first {
            let (gradient, open) = (scratch.at(to, n), scratch.maybe(open, n));
            let mask = masks[mask..][..to.layout.vectors()].as_ptr();
            // The gradient and its open copy were made for the layout, the mask was measured.
            unsafe { batch_norm::mask(isa, to.layout, gradient, mask, open) };
        }
        if let Some((from, to, order)) = stage.back.hand_on {
            let (gradient, at) = (scratch.at(from, n).cast_const(), scratch.at(to, n));
            let add = if order == Order::Later { at.cast_const() } else { null() };
            // Both were made for their layouts, which have the same channels and pixels.
            unsafe { batch_norm::copy(isa, from.layout, gradient, to.layout, add, at) };
        }
    }

    /// Takes the gradients of images from number `first` on back through stage `index`.
    fn come_back(&self, index: usize, first: usize, scratch: &mut Scratch, masks: &[&[u16]]) {
        let stage = &self.stages[index];
        let Stage { from, to, way, back } = stage;
        for (n, masks) in (first..).zip(masks) {
            self.prepare(stage, n, scratch, masks);
        }
        let own = &back.own;
        let images = (first..).zip(masks);
        match way {
            Way::Sum { backward, .. } => {
                let jobs: Vec<Job> = images
                    .map(|(n, masks)| {
                        let at = scratch.at(*from, n);
                        let earlier = if own.order == Order::Later { at } else { null_mut() };
                        let along = scratch.maybe(own.take_along, n);
                        let mask = own.mask.map_or(null(), |mask| masks[mask..].as_ptr());
                        let open = scratch.maybe(own.open, n);
                        let add = [earlier.cast_const(), along.cast_const()];
                        Job {
                            from: scratch.at(*to, n),
                            to: at,
                            finish: Finish::Gate { mask, add, open },
                        }
                    })
                    .collect();
                // Every buffer was made for exactly the images of the stage's pass.
                unsafe { backward.run(self.isa, &jobs, &mut scratch.winograd) };
            }
            Way::Pack { channel } => images.for_each(|(n, _)| {
                let (slope, at) = (scratch.at(*to, n), scratch.at(*from, n));
                let add = if own.order == Order::Later { at.cast_const() } else { null() };
                // The views were made for their layouts.
                unsafe { unpack(to.layout, *channel, slope, from.layout, add, at) };
            }),
            Way::Max { pool, chosen } => images.for_each(|(n, masks)| {
                let (slope, at) = (scratch.at(*to, n), scratch.at(*from, n));
                let chosen = masks[*chosen..][..pool.words()].as_ptr();
                // Every buffer was made for exactly the images of the pool.
                unsafe {
                    if own.order == Order::First {
                        std::slice::from_raw_parts_mut(at, from.layout.len()).fill(0.0);
                    }
                    choose(self.isa, pool, to.layout, slope, chosen, from.layout, at);
                }
            }),
        }
    }

    /// Image number `n` to the gradient at the output, from that with respect to the features.
    fn spread(&self, n: usize, scratch: &mut Scratch, masks: &[u16]) {
        let means = padded(&scratch.features[n]);
        let mask = self.head_back.mask.map_or(null(), |mask| masks[mask..].as_ptr());
        let (open, to) = (scratch.maybe(self.head_back.open, n), scratch.at(self.output, n));
        // The means are padded, and every buffer was made for the output.
        unsafe { head::spread(self.isa, self.output.layout, means.as_ptr(), mask, open, to) };
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
