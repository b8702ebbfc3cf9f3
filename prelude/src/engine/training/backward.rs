//! From the logits back to every parameter and the pictures.

use super::Work;
use super::back_steps::{Guide, go_on};
use super::forward::mean_weights;
use super::hands::{Image, Rooms};
use super::plan::{Back, Into, Slope, Stage};
use super::shares::{MOST_A_SHARE, add_up, add_up_weights, images_a_share};
use crate::engine::convolution::{Pass, WeightPass};
use crate::engine::pack::Conv;
use crate::engine::picture::{PictureGradient, leave};
use crate::engine::plan::{Weights, geometry};
use crate::engine::pool::Pool;
use crate::engine::simd::LANES;
use crate::engine::winograd::Start;
use rayon::prelude::*;

/// A convolution on the way back: its gradient of the weights, and how it goes on.
pub(super) struct Ways {
    window: Conv,
    pub weights: WeightPass,
    /// How many numbers the sums for a bias are: none without one.
    pub bias: usize,
    pub on: Option<Pass>,
}

/// How an operation goes back, where it goes through a window.
enum Way {
    Conv(Box<Ways>),
    Mean(Pass),
    Alone,
}

/// The sums of a share of the images: those of batch norms, and the gradients of weights and biases.
#[derive(Default)]
pub(super) struct Sums {
    norms: Vec<f32>,
    pub weights: Vec<Vec<f32>>,
    pub biases: Vec<Vec<f32>>,
}

impl Work {
    /// See [`super::Training::backward`].
    pub(super) fn back(
        &mut self,
        weights: &Weights,
        logits: &[f32],
        mut pictures: Option<&mut [f32]>,
    ) -> Vec<Vec<f32>> {
        let images = logits.len() / weights.head.classes();
        let mut parameters = vec![Vec::new(); weights.parameters().len()];
        let of_head = self.head(weights, logits);
        parameters.splice(weights.parameters().len() - 2.., of_head);
        let places = weights.parameter_places();
        for number in 0..self.plan.back.len() {
            let (ways, shares) = self.stage(number, weights, logits, images);
            if let Some(pictures) = &mut pictures {
                self.pictures(number, weights, pictures);
            }
            self.convolutions(number, &ways, &shares, &places, &mut parameters);
            let of_norms: Vec<Vec<f32>> = shares.into_iter().map(|share| share.norms).collect();
            self.norms(number, weights, &add_up(&of_norms), &places, &mut parameters);
        }
        parameters
    }

    /// The gradients of the linear layer.
    fn head(&self, weights: &Weights, logits: &[f32]) -> [Vec<f32>; 2] {
        let head = &weights.head;
        let mut weight = vec![0.0; head.weight.len()];
        let mut bias = vec![0.0; head.bias.len()];
        let classes = weight.par_chunks_mut(head.features()).zip(&mut bias).enumerate();
        classes.for_each(|(class, (weight, bias))| {
            for (image, logits) in self.images.iter().zip(logits.chunks(head.classes())) {
                *bias += logits[class];
                for (weight, feature) in weight.iter_mut().zip(&image.features) {
                    *weight += logits[class] * feature;
                }
            }
        });
        [weight, bias]
    }

    /// Takes all images back through a stage.
    fn stage(
        &mut self,
        number: usize,
        weights: &Weights,
        logits: &[f32],
        images: usize,
    ) -> (Vec<Way>, Vec<Sums>) {
        let guide =
            Guide { isa: self.isa, weights, scalings: &self.scalings, slopes: &self.slopes };
        let Stage { ops, rooms, sums, .. } = &self.plan.back[number];
        let ways: Vec<Way> = ops.iter().map(|op| op.way(&guide)).collect();
        let together = ways.iter().map(Way::images).max().unwrap_or(1).min(MOST_A_SHARE);
        let (a_share, classes) = (images_a_share(images), weights.head.classes());
        let (shelf, room) = (&self.rooms[1][number], &self.sums);
        let shares = self.images[..images]
            .par_chunks_mut(a_share)
            .zip(logits.par_chunks(a_share * classes))
            .with_max_len(1)
            .map(|(images, logits)| {
                let mut hands = shelf.take(|| Rooms::new(rooms));
                let mut all = Sums { norms: vec![0.0; *sums], ..Sums::start(&ways, room) };
                let mut start = Start::Zero;
                let logits = logits.chunks(together * classes);
                for (images, logits) in images.chunks_mut(together).zip(logits) {
                    let steps = ops.iter().zip(&ways);
                    take_back(&guide, steps, (images, logits), &mut hands, &mut all, start);
                    start = Start::Kept;
                }
                shelf.put(hands);
                all.finish(&guide, &ways, room)
            })
            .collect();
        (ways, shares)
    }

    /// The gradients of a stage's convolutions, from their shares.
    fn convolutions(
        &self,
        number: usize,
        ways: &[Way],
        shares: &[Sums],
        places: &[usize],
        parameters: &mut [Vec<f32>],
    ) {
        let convs =
            self.plan.back[number].ops.iter().zip(ways).filter_map(|(op, way)| match (op, way) {
                (Back::Conv { node, .. }, Way::Conv(ways)) => Some((*node, ways)),
                _ => None,
            });
        for (index, (node, ways)) in convs.enumerate() {
            let of_weights: Vec<&[f32]> =
                shares.iter().map(|share| &share.weights[index][..]).collect();
            parameters[places[node]] =
                ways.weights.unpack(ways.window, &add_up_weights(&of_weights));
            if ways.bias > 0 {
                let of_bias: Vec<&[f32]> =
                    shares.iter().map(|share| &share.biases[index][..]).collect();
                let bias = add_up_weights(&of_bias);
                parameters[places[node] + 1] = bias[..ways.window.outputs].to_vec();
            }
        }
    }

    /// The gradients of a stage's batch norms, and what follows for the gradients before them.
    fn norms(
        &mut self,
        number: usize,
        weights: &Weights,
        sums: &[f64],
        places: &[usize],
        parameters: &mut [Vec<f32>],
    ) {
        for op in &self.plan.back[number].ops {
            let Back::Moments { behind, sums: at } = op else { continue };
            let term = self.plan.terms[behind.term];
            let node = term.norm.expect("the term has a batch norm");
            let of_norm = &sums[*at..][..2 * self.plan.places.channels(term.value)];
            let (weight, bias, slopes) =
                self.statistics[behind.term].slopes(weights.norm(node), of_norm);
            (parameters[places[node]], parameters[places[node] + 1]) = (weight, bias);
            self.slopes[behind.term] = slopes;
        }
    }

    /// From the first convolution to the pictures, if the stage has it.
    fn pictures(&mut self, number: usize, weights: &Weights, pictures: &mut [f32]) {
        let Stage { ops, rooms, .. } = &self.plan.back[number];
        let first = ops.iter().find_map(|op| match op {
            Back::Conv { node, slope, into: None, from, .. } => Some((*node, *slope, *from)),
            _ => None,
        });
        let Some((node, slope, from)) = first else { return };
        let (conv, layout) = (weights.convolution(node), slope.place().layout);
        let window = geometry(conv.window, from.layout, layout.channels);
        let picture =
            PictureGradient::new(window, &conv.weight, &weights.normalisation, layout, self.isa);
        let mut hands = Rooms::new(rooms);
        for (image, to) in self.images.iter_mut().zip(pictures.chunks_mut(weights.picture())) {
            if let Slope::Made { behind, room } = slope {
                let into = Into { to: room, later: false, along: None };
                let (scalings, slopes) = (&self.scalings, &self.slopes);
                behind.before(self.isa, scalings, slopes, into, 0, image, &mut hands);
            }
            let gradient = hands.at(slope.place(), 0, image);
            // The place was made for its layout, and the picture has the pixels of the first input.
            unsafe { leave(self.isa, &picture, gradient, to.as_mut_ptr()) };
        }
    }
}

/// Takes a few images and their logits back through the operations of a stage.
fn take_back<'a>(
    guide: &Guide,
    steps: impl Iterator<Item = (&'a Back, &'a Way)>,
    (images, logits): (&mut [Image], &[f32]),
    hands: &mut Rooms,
    all: &mut Sums,
    start: Start,
) {
    let (mut convs, classes) = (0, guide.weights.head.classes());
    for (op, way) in steps {
        match (op, way) {
            (Back::Conv { .. }, Way::Conv(ways)) => {
                op.convolve(guide, ways, images, hands, all, (convs, start));
                convs += 1;
            }
            (Back::Mean { slope, into, .. }, Way::Mean(pass)) => {
                go_on(guide, pass, *slope, *into, images, hands);
            }
            (Back::Head { to }, _) => {
                for (image, logits) in images.iter_mut().zip(logits.chunks(classes)) {
                    guide.head(*to, logits, image);
                }
            }
            _ => {
                for (n, image) in images.iter_mut().enumerate() {
                    op.run_alone(guide, n, image, hands, &mut all.norms);
                }
            }
        }
    }
}

impl Sums {
    /// Room for the gradients of convolutions: those of weights from a shelf.
    fn start(ways: &[Way], shelf: &Pool<Vec<f32>>) -> Self {
        let mut all = Self::default();
        for way in ways {
            let Way::Conv(ways) = way else { continue };
            let Ways { weights, bias, .. } = &**ways;
            let mut room = shelf.take(Vec::new);
            if room.len() < weights.sums() {
                room.resize(weights.sums(), 0.0);
            }
            all.weights.push(room);
            all.biases.push(vec![0.0; *bias]);
        }
        all
    }

    /// What is left of the share at its end; the room goes back to the shelf.
    fn finish(self, guide: &Guide, ways: &[Way], shelf: &Pool<Vec<f32>>) -> Self {
        let convs = ways.iter().filter_map(|way| match way {
            Way::Conv(ways) => Some(&ways.weights),
            _ => None,
        });
        let finished = convs.zip(self.weights).map(|(pass, mut room)| {
            pass.finish(guide.isa, &mut room[..pass.sums()]);
            // All shares are there at once, and finished ones can be a quarter as large.
            let finished = room[..pass.finished()].to_vec();
            shelf.put(room);
            finished
        });
        Self { weights: finished.collect(), ..self }
    }
}

impl Way {
    /// How many images should go together.
    fn images(&self) -> usize {
        match self {
            Way::Conv(ways) => ways.weights.images().max(ways.on.as_ref().map_or(1, Pass::images)),
            Way::Mean(pass) => pass.images(),
            Way::Alone => 1,
        }
    }
}

impl Back {
    /// How the operation goes back, with the weights in order.
    fn way(&self, guide: &Guide) -> Way {
        let isa = guide.isa;
        match self {
            Back::Conv { node, slope, from, into } => {
                let (conv, slope) = (guide.weights.convolution(*node), slope.place().layout);
                let window = geometry(conv.window, from.layout, slope.channels);
                let weights = WeightPass::new(window, isa, from.layout, slope);
                let on = into
                    .map(|into| Pass::backward(window, isa, &conv.weight, slope, into.to.layout));
                let bias = conv.bias.as_ref().map_or(0, |_| 2 * LANES * slope.blocks());
                Way::Conv(Box::new(Ways { window, weights, bias, on }))
            }
            Back::Mean { window, slope, into } => {
                let (from, to) = (into.to.layout, slope.layout);
                let window = geometry(*window, from, to.channels);
                let shares = mean_weights(window);
                Way::Mean(Pass::channelwise_back(window, isa, shares, to, from))
            }
            _ => Way::Alone,
        }
    }
}
