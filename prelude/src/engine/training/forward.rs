//! The stages of the way there.

use super::Work;
use super::hands::{Image, Rooms};
use super::places::Place;
use super::plan::{Stage, There};
use super::shares::{MOST_A_SHARE, add_up, images_a_share};
use crate::engine::batch_norm::{self, Rest, Scaling};
use crate::engine::conv::Job;
use crate::engine::convolution::Pass;
use crate::engine::dropout::Dropout;
use crate::engine::finish::Finish;
use crate::engine::head;
use crate::engine::max_pool::maximum;
use crate::engine::pack::Conv;
use crate::engine::pack_channels::pack;
use crate::engine::plan::{Weights, geometry, padded};
use crate::engine::simd::{Isa, LANES};
use rayon::prelude::*;
use std::ptr::{null, null_mut};

/// What all images on their way need to know.
struct Guide<'a> {
    isa: Isa,
    weights: &'a Weights,
    scalings: &'a [Scaling],
    dropout: Dropout,
}

impl Work {
    /// Takes all images through a stage; returns the sums over the batch.
    pub(super) fn there(&mut self, number: usize, weights: &Weights, pictures: &[f32]) -> Vec<f64> {
        let guide = Guide {
            isa: self.isa,
            weights,
            scalings: &self.scalings,
            dropout: Dropout::new(weights.dropout, &weights.head.bias),
        };
        let Stage { ops, rooms, sums, .. } = &self.plan.there[number];
        let ways: Vec<Option<Way>> = ops.iter().map(|op| op.way(&guide)).collect();
        let together = ways.iter().flatten().map(|way| way.pass.images()).max().unwrap_or(1);
        let (together, pixels) = (together.min(MOST_A_SHARE), weights.picture());
        let a_share = images_a_share(pictures.len() / pixels);
        let shelf = &self.rooms[0][number];
        let shares: Vec<Vec<f32>> = self
            .images
            .par_chunks_mut(a_share)
            .zip(pictures.par_chunks(a_share * pixels))
            .with_max_len(1)
            .enumerate()
            .map(|(share, (images, pictures))| {
                let images = &mut images[..pictures.len() / pixels];
                let mut hands = shelf.take(|| Rooms::new(rooms));
                let mut sums = vec![0.0; *sums];
                // A few images at a time: what one kernel leaves in the cache the next one finds there.
                let pictures = pictures.chunks(together * pixels);
                for (part, (images, pictures)) in
                    images.chunks_mut(together).zip(pictures).enumerate()
                {
                    let first = share * a_share + part * together;
                    for (op, way) in ops.iter().zip(&ways) {
                        let company = Company { images: &mut *images, pictures, first };
                        op.run(&guide, way.as_ref(), company, &mut hands, &mut sums);
                    }
                }
                shelf.put(hands);
                sums
            })
            .collect();
        add_up(&shares)
    }
}

/// A way through a window, and the bias that is added to its sums, padded.
struct Way {
    pass: Pass,
    bias: Option<Vec<f32>>,
}

/// Images that go together, their pictures, and the number of the first in the batch.
struct Company<'a> {
    images: &'a mut [Image],
    pictures: &'a [f32],
    first: usize,
}

impl There {
    /// The way through a window, with its weights in order.
    fn way(&self, guide: &Guide) -> Option<Way> {
        match self {
            There::Conv { node, from, to } => {
                let conv = guide.weights.convolution(*node);
                let window = geometry(conv.window, from.layout, to.layout.channels);
                let pass = Pass::forward(window, guide.isa, &conv.weight, from.layout, to.layout);
                Some(Way { pass, bias: conv.bias.as_deref().map(padded) })
            }
            There::Mean { window, from, to } => {
                let window = geometry(*window, from.layout, to.layout.channels);
                let shares = mean_weights(window);
                let pass = Pass::channelwise(window, guide.isa, shares, from.layout, to.layout);
                Some(Way { pass, bias: None })
            }
            _ => None,
        }
    }

    /// Takes images through the operation.
    fn run(
        &self,
        guide: &Guide,
        way: Option<&Way>,
        company: Company,
        hands: &mut Rooms,
        sums: &mut [f32],
    ) {
        let Company { images, pictures, first } = company;
        match self {
            There::Conv { from, to, .. } | There::Mean { from, to, .. } => {
                let Way { pass, bias } = way.expect("a window has a way");
                let jobs: Vec<Job> = (images.iter_mut().enumerate())
                    .map(|(n, image)| Job {
                        from: hands.at(*from, n, image),
                        to: hands.at(*to, n, image),
                        finish: finish(bias.as_deref()),
                    })
                    .collect();
                // Every place was made for the layouts of the pass.
                unsafe { pass.run(guide.isa, &jobs, &mut hands.winograd) };
            }
            There::Enter { to } => {
                let pixels = pictures.len() / images.len();
                for (image, picture) in images.iter_mut().zip(pictures.chunks(pixels)) {
                    let buffer = image.buffer(*to);
                    guide.weights.normalisation.enter(picture, to.layout, buffer);
                }
            }
            There::Head { from } => {
                for (n, image) in images.iter_mut().enumerate() {
                    guide.finish(*from, n, first + n, image, hands);
                }
            }
            _ => {
                for (n, image) in images.iter_mut().enumerate() {
                    self.run_alone(guide.isa, guide.scalings, n, image, hands, sums);
                }
            }
        }
    }

    /// Takes an image, number `n` of those that go together, through an operation that needs no company.
    pub(super) fn run_alone(
        &self,
        isa: Isa,
        scalings: &[Scaling],
        n: usize,
        image: &mut Image,
        hands: &mut Rooms,
        sums: &mut [f32],
    ) {
        match self {
            There::Act { term, from, add, relu, to } => {
                let add = add.map_or(null(), |add| hands.at(add, n, image).cast_const());
                let (z, output) = (hands.at(*from, n, image), hands.at(*to, n, image));
                let (rest, scaling) = (Rest { add, relu: *relu }, &scalings[*term]);
                // Every place was made for its layout, and what is added lies as the sum does.
                unsafe {
                    batch_norm::activate(isa, scaling, from.layout, z, rest, to.layout, output);
                }
            }
            There::Moments { from, sums: at, .. } => {
                let (z, sums) = (hands.at(*from, n, image), &mut sums[*at..]);
                let second = from.layout.blocks() * LANES;
                assert!(sums.len() >= 2 * second);
                // The place was made for its layout, and the sums were measured.
                unsafe { batch_norm::moments(isa, from.layout, z, sums.as_mut_ptr(), second) };
            }
            There::Max { pool, words, from, to } => {
                let (input, output) = (hands.at(*from, n, image), hands.at(*to, n, image));
                let chosen = image.chosen[*words..][..pool.words()].as_mut_ptr();
                // The places were made for the pool's images, and its words were measured.
                unsafe { maximum(isa, pool, input, output, chosen) };
            }
            There::Pack { channel, from, to } => {
                let (values, output) = (hands.at(*from, n, image), hands.at(*to, n, image));
                // The places were made for their layouts.
                unsafe { pack(from.layout, values, to.layout, *channel, output) };
            }
            other => unreachable!("{other:?} goes in company"),
        }
    }
}

impl Guide<'_> {
    /// From the output of image number `n` of those that go together, and `number` of the batch, to its
    /// logits.
    fn finish(&self, from: Place, n: usize, number: usize, image: &mut Image, hands: &mut Rooms) {
        let mut means = padded(&image.features);
        let at = hands.at(from, n, image);
        // The place was made for its layout, and the means for its channels, padded.
        unsafe { head::mean(self.isa, from.layout, at, means.as_mut_ptr()) };
        image.features.copy_from_slice(&means[..self.weights.head.features()]);
        if self.weights.dropout > 0.0 {
            self.dropout.factors(number, &mut image.dropout);
            for (feature, factor) in image.features.iter_mut().zip(&image.dropout) {
                *feature *= factor;
            }
        }
        self.weights.head.logits(&image.features, &mut image.logits);
    }
}

/// What becomes of a sum that has perhaps a bias.
fn finish(bias: Option<&[f32]>) -> Finish {
    match bias {
        None => Finish::Store,
        Some(bias) => {
            let (inner, outer) = (null_mut(), null_mut());
            Finish::Activate { bias: bias.as_ptr(), inner, add: null(), outer }
        }
    }
}

/// What makes a mean of a window's sum, for each channel.
pub(super) fn mean_weights(window: Conv) -> Vec<f32> {
    let share = 1.0 / window.places() as f32;
    vec![share; window.inputs.next_multiple_of(LANES)]
}
