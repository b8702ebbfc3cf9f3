//! A net in training mode: batch statistics, and gradients with respect to every parameter.
//!
//! A batch norm needs the whole batch before it can go on, so the net runs stage by stage, all images
//! through each. One parallel region a stage does everything between two such meetings. Sums over the
//! batch are taken in shares of a fixed size and added in a fixed order, so that the result does not
//! depend on the number of threads.

mod back_steps;
mod backward;
mod forward;
mod hands;
mod places;
mod plan;
mod shares;
mod statistics;
mod way_back;
mod way_there;

use super::batch_norm::{Scaling, Slopes};
use super::memory;
use super::plan::Weights;
use super::pool::Pool;
use super::simd::Isa;
use super::steps::{Term, Value};
use hands::{Image, Rooms};
use plan::{Plan, Stage};
use statistics::{Moments, Statistics};

/// The buffers of a training step, kept from step to step.
pub(crate) struct Training {
    isa: Isa,
    work: Option<Work>,
}

/// A net's plan, and what a step leaves on its way.
struct Work {
    isa: Isa,
    plan: Plan,
    images: Vec<Image>,
    /// The sums of each value that a batch norm asks for.
    moments: Vec<Moments>,
    /// The batch statistics of each term that has a batch norm, and what every term does.
    statistics: Vec<Statistics>,
    scalings: Vec<Scaling>,
    /// How the gradient before each term follows from that behind it.
    slopes: Vec<Slopes>,
    /// The rooms of each stage, there and back: their borders stay zero.
    rooms: [Vec<Pool<Rooms>>; 2],
    /// Sums for the gradient of a convolution's weights.
    sums: Pool<Vec<f32>>,
}

impl Training {
    pub fn new(isa: Isa) -> Self {
        memory::keep();
        Self { isa, work: None }
    }

    /// Logits `(n, classes)` of pictures `(n, pixels)` in [0, 1] with the batch's own statistics, which
    /// also go into the running ones.
    pub fn forward(&mut self, weights: &mut Weights, pictures: &[f32]) -> Vec<f32> {
        let isa = self.isa;
        let work = self.work.get_or_insert_with(|| Work::new(weights, isa));
        let images = pictures.len() / weights.picture();
        work.make_room(weights, images);
        for number in 0..work.plan.there.len() {
            let sums = work.there(number, weights, pictures);
            work.learn(number, weights, &sums, images);
        }
        work.images[..images].iter().flat_map(|image| image.logits.iter().copied()).collect()
    }

    /// The gradients with respect to the parameters, in the order of [`Weights::parameters`], from that
    /// with respect to the logits of the last [`Training::forward`]. That with respect to the
    /// pictures goes to `pictures`, if somebody asks for it.
    pub fn backward(
        &mut self,
        weights: &Weights,
        logits: &[f32],
        pictures: Option<&mut [f32]>,
    ) -> Vec<Vec<f32>> {
        let work = self.work.as_mut().expect("forward comes before backward");
        work.back(weights, logits, pictures)
    }
}

impl Work {
    fn new(weights: &Weights, isa: Isa) -> Self {
        let plan = Plan::new(&weights.nodes);
        let shelves = |count: usize| (0..count).map(|_| Pool::default()).collect();
        let channels: Vec<usize> =
            plan.terms.iter().map(|term| plan.places.channels(term.value)).collect();
        Self {
            isa,
            images: Vec::new(),
            moments: vec![Moments::default(); plan.places.steps.values.len()],
            statistics: vec![Statistics::default(); plan.terms.len()],
            scalings: (plan.terms.iter().zip(&channels))
                .map(|(term, channels)| Scaling::identity(*channels, term.relu))
                .collect(),
            slopes: channels.iter().map(|channels| Slopes::identity(*channels)).collect(),
            rooms: [shelves(plan.there.len()), shelves(plan.back.len())],
            sums: Pool::default(),
            plan,
        }
    }

    fn make_room(&mut self, weights: &Weights, images: usize) {
        while self.images.len() < images {
            self.images.push(Image::new(&self.plan.places, &weights.head));
        }
    }

    fn value(&self, value: usize) -> &Value {
        &self.plan.places.steps.values[value]
    }

    /// The batch norms whose sums are whole behind a stage learn from them.
    fn learn(&mut self, number: usize, weights: &mut Weights, sums: &[f64], images: usize) {
        let Stage { ops, norms, .. } = &self.plan.there[number];
        for op in ops {
            if let plan::There::Moments { value, sums: at, .. } = op {
                let of_value = &sums[*at..][..2 * self.plan.places.channels(*value)];
                let (sum, squares) = of_value.split_at(of_value.len() / 2);
                self.moments[*value] = Moments { sum: sum.to_vec(), squares: squares.to_vec() };
            }
        }
        for term in norms.clone() {
            let Term { value, norm, relu } = self.plan.terms[term];
            let (moments, at) = (self.moments_of(value), self.value(value));
            let count = (images * at.layout.height * at.layout.width) as f64;
            let norm = weights.norm_mut(norm.expect("the term has a batch norm"));
            let statistics = Statistics::learn(norm, &moments, count);
            self.scalings[term] = statistics.scaling(norm, relu);
            self.statistics[term] = statistics;
        }
    }

    /// The sums of a value, which may consist of others.
    fn moments_of(&self, value: usize) -> Moments {
        let parts = &self.value(value).parts;
        if parts.is_empty() {
            return self.moments[value].clone();
        }
        let mut all = Moments::default();
        for part in parts {
            let Moments { sum, squares } = self.moments_of(part.value);
            let channels = self.value(part.value).layout.channels;
            all.sum.extend(&sum[..channels]);
            all.squares.extend(&squares[..channels]);
        }
        all
    }
}
