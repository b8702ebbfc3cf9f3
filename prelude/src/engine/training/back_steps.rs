//! What happens to the gradients of images in one operation on the way back.

use super::backward::{Sums, Ways};
use super::hands::{Image, Rooms};
use super::places::Place;
use super::plan::{Back, Behind, Into, Slope};
use crate::engine::batch_norm::{self, Scaling, Slopes};
use crate::engine::conv::Job;
use crate::engine::convolution::Pass;
use crate::engine::finish::Finish;
use crate::engine::head;
use crate::engine::max_pool::choose;
use crate::engine::pack_channels::unpack;
use crate::engine::plan::{Weights, padded};
use crate::engine::simd::{Isa, LANES};
use crate::engine::winograd::Start;
use std::ptr::{null, null_mut};

/// What all images on their way back need to know.
pub(super) struct Guide<'a> {
    pub isa: Isa,
    pub weights: &'a Weights,
    pub scalings: &'a [Scaling],
    pub slopes: &'a [Slopes],
}

impl Back {
    /// A convolution's gradients, of its weights and of its input; it is number `conv` of the stage.
    pub(super) fn convolve(
        &self,
        guide: &Guide,
        ways: &Ways,
        images: &mut [Image],
        hands: &mut Rooms,
        sums: &mut Sums,
        (conv, start): (usize, Start),
    ) {
        let Back::Conv { slope, from, into, .. } = self else {
            unreachable!("{self:?} is no convolution")
        };
        let pairs: Vec<(*const f32, *const f32)> = (images.iter_mut().enumerate())
            .map(|(n, image)| {
                if let Slope::Made { behind, room } = slope {
                    let into = Into { to: *room, later: false, along: None };
                    let (scalings, slopes) = (guide.scalings, guide.slopes);
                    behind.before(guide.isa, scalings, slopes, into, n, image, hands);
                }
                let input = hands.at(*from, n, image).cast_const();
                (input, hands.at(slope.place(), n, image).cast_const())
            })
            .collect();
        let room = &mut sums.weights[conv][..ways.weights.sums()];
        // Every place was made for the layouts of the passes.
        unsafe { ways.weights.add(guide.isa, &pairs, start, room, &mut hands.winograd) };
        if ways.bias > 0 {
            let (layout, sums) = (slope.place().layout, &mut sums.biases[conv]);
            for (_, slope) in &pairs {
                let second = sums.len() / 2;
                // There is room for twice the channels, padded.
                unsafe {
                    batch_norm::moments(guide.isa, layout, *slope, sums.as_mut_ptr(), second);
                }
            }
        }
        if let (Some(pass), Some(into)) = (&ways.on, into) {
            go_on(guide, pass, slope.place(), *into, images, hands);
        }
    }

    /// Takes an image, number `n` of those that go together, through an operation that needs no company.
    pub(super) fn run_alone(
        &self,
        guide: &Guide,
        n: usize,
        image: &mut Image,
        hands: &mut Rooms,
        sums: &mut [f32],
    ) {
        let isa = guide.isa;
        match self {
            Back::Again(op) => op.run_alone(isa, guide.scalings, n, image, hands, sums),
            Back::Gate { gradient, value } => {
                let (g, v) = (hands.at(*gradient, n, image), hands.at(*value, n, image));
                // Both places were made for their layouts.
                unsafe { batch_norm::gate(isa, gradient.layout, g, value.layout, v) };
            }
            Back::Moments { behind, sums: at } => {
                let (scaling, sums) = (&guide.scalings[behind.term], &mut sums[*at..]);
                let behind = behind.images(n, image, hands);
                assert!(sums.len() >= 2 * LANES * behind.layout.blocks());
                // The places were made for their layouts, and the sums were measured.
                unsafe { batch_norm::gated_moments(isa, scaling, behind, sums.as_mut_ptr()) };
            }
            Back::Before { behind, into } => {
                behind.before(isa, guide.scalings, guide.slopes, *into, n, image, hands);
            }
            Back::HandOn { from, into } => {
                let (values, to) = (hands.at(*from, n, image), hands.at(into.to, n, image));
                let add = if into.later { to.cast_const() } else { null() };
                // Both places were made for their layouts.
                unsafe { batch_norm::copy(isa, from.layout, values, into.to.layout, add, to) };
            }
            Back::Max { pool, words, slope, into } => {
                let (at, to) = (hands.at(*slope, n, image), hands.at(into.to, n, image));
                let chosen = image.chosen[*words..][..pool.words()].as_ptr();
                let layout = into.to.layout;
                // The places were made for their layouts, and the pool's words were measured.
                unsafe {
                    if !into.later {
                        std::slice::from_raw_parts_mut(to, layout.len()).fill(0.0);
                    }
                    choose(isa, pool, slope.layout, at, chosen, layout, to);
                }
            }
            Back::Pack { channel, slope, into } => {
                let (at, to) = (hands.at(*slope, n, image), hands.at(into.to, n, image));
                let add = if into.later { to.cast_const() } else { null() };
                // The places were made for their layouts.
                unsafe { unpack(slope.layout, *channel, at, into.to.layout, add, to) };
            }
            other => unreachable!("{other:?} goes in company"),
        }
    }
}

impl Guide<'_> {
    /// From the logits' gradient to that at the output.
    pub fn head(&self, to: Place, logits: &[f32], image: &mut Image) {
        let mut features = vec![0.0; self.weights.head.features()];
        self.weights.head.backward(logits, &mut features);
        if self.weights.dropout > 0.0 {
            features.iter_mut().zip(&image.dropout).for_each(|(slope, factor)| *slope *= factor);
        }
        let (means, none) = (padded(&features), null());
        let gradient = image.buffer(to).as_mut_ptr();
        // The place was made for its layout.
        unsafe {
            head::spread(self.isa, to.layout, means.as_ptr(), none, null_mut(), gradient);
        }
    }
}

impl Behind {
    /// Where the gradient behind the term, and what went in, lie.
    fn images(self, n: usize, image: &mut Image, hands: &mut Rooms) -> batch_norm::Behind {
        let (gradient, z) = (hands.at(self.gradient, n, image), hands.at(self.z, n, image));
        let (layout, from) = (self.gradient.layout, self.z.layout);
        batch_norm::Behind { layout, gradient, from, z }
    }

    /// Writes the gradient before the term.
    #[allow(clippy::too_many_arguments)]
    pub fn before(
        self,
        isa: Isa,
        scalings: &[Scaling],
        slopes: &[Slopes],
        into: Into,
        n: usize,
        image: &mut Image,
        hands: &mut Rooms,
    ) {
        let to = hands.at(into.to, n, image);
        let add = if into.later { to.cast_const() } else { null() };
        let (scaling, slopes) = (&scalings[self.term], &slopes[self.term]);
        let behind = self.images(n, image, hands);
        // The places were made for their layouts, the numbers for their channels.
        unsafe { batch_norm::before(isa, scaling, slopes, behind, into.to.layout, add, to) };
    }
}

/// From the gradient at a window's output to that at its input.
pub(super) fn go_on(
    guide: &Guide,
    pass: &Pass,
    slope: Place,
    into: Into,
    images: &mut [Image],
    hands: &mut Rooms,
) {
    let jobs: Vec<Job> = (images.iter_mut().enumerate())
        .map(|(n, image)| {
            let to = hands.at(into.to, n, image);
            let earlier = if into.later { to.cast_const() } else { null() };
            let along = into.along.map_or(null(), |along| hands.at(along, n, image).cast_const());
            let (mask, open) = (null(), null_mut());
            let finish = Finish::Gate { mask, add: [earlier, along], open };
            Job { from: hands.at(slope, n, image), to, finish }
        })
        .collect();
    // Every place was made for the layouts of the pass.
    unsafe { pass.run(guide.isa, &jobs, &mut hands.winograd) };
}
