//! A few images on their way through a frozen net, and their gradients on the way back.

use super::Frozen;
use super::stage::{Order, Relu, Stage, View, Way};
use crate::engine::conv::Job;
use crate::engine::finish::Finish;
use crate::engine::max_pool::{choose, maximum};
use crate::engine::pack_channels::{pack, unpack};
use crate::engine::picture::leave;
use crate::engine::plan::padded;
use crate::engine::{batch_norm, head, winograd};
use std::ptr::{null, null_mut};

/// The numbers of a task's images on the way through: activations there, gradients back.
pub(super) struct Scratch {
    buffers: Vec<Buffer>,
    /// Each image's.
    pub features: Vec<Vec<f32>>,
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
    /// Room for the images of a task.
    pub fn new(net: &Frozen) -> Self {
        let buffer =
            |&(image, copies): &(usize, usize)| Buffer { values: vec![0.0; image * copies], image };
        Self {
            buffers: net.buffers.iter().map(buffer).collect(),
            features: vec![vec![0.0; net.head.features()]; net.at_once],
            means: padded(&vec![0.0; net.head.features()]),
            winograd: winograd::Scratch::default(),
        }
    }

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

impl Frozen {
    pub(super) fn forward(&self, pictures: &[f32], scratch: &mut Scratch, masks: &mut [u16]) {
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
    pub(super) fn backward(&self, masks: &[u16], scratch: &mut Scratch, pictures: &mut [f32]) {
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
