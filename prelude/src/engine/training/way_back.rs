//! The way back of a training step, in the order of a plan.

use super::places::{Place, Places};
use super::plan::{Back, Behind, Into, Slope, Stage, Stages, terms_of};
use crate::engine::max_pool::MaxPool;
use crate::engine::plan::{Node, geometry};
use crate::engine::steps::{Step, Term};
use std::collections::{HashMap, HashSet};

/// The stages from the logits back to the picture, for terms of steps.
pub(super) fn plan(places: &Places, terms: &[(usize, Term)], nodes: &[Node]) -> Vec<Stage<Back>> {
    let (whole, behind) = (HashMap::new(), HashMap::new());
    let (written, along) = (HashSet::new(), HashMap::new());
    let stages = Stages::new();
    let mut way = WayBack { places, terms, nodes, stages, whole, written, along, behind };
    let output = places.steps.output;
    let Into { to, .. } = way.bring(output, 0);
    way.stages.at(0).ops.push(Back::Head { to });
    for index in (0..places.steps.steps.len()).rev() {
        way.step(index);
    }
    way.stages.all
}

struct WayBack<'a> {
    places: &'a Places,
    terms: &'a [(usize, Term)],
    nodes: &'a [Node],
    stages: Stages<Back>,
    /// In which stage the last gradient so far came to a buffer.
    whole: HashMap<usize, usize>,
    /// The blocks of buffers that have a gradient.
    written: HashSet<(usize, usize)>,
    /// A gradient that waits to be added by the next that comes to a value.
    along: HashMap<usize, Place>,
    /// What is behind a convolution's output, and the stage in which its own gradient can be made.
    behind: HashMap<usize, (Behind, usize)>,
}

impl WayBack<'_> {
    fn step(&mut self, index: usize) {
        let step = self.places.steps.steps[index].clone();
        match &step {
            Step::Act { relu, to, .. } => self.act(index, *relu, *to),
            Step::Conv { node, from, to } => {
                let (number, slope) = self.slope(&step, *to);
                let place = self.place(*from, number);
                let into = (*from > 0).then(|| self.bring(*from, number));
                let op = Back::Conv { node: *node, slope, from: place, into };
                self.stages.at(number).ops.push(op);
            }
            Step::Pack { from, to, channel } => {
                let number = self.ready(*to);
                let (slope, into) = (self.places.slope(*to), self.lead(*from, number));
                let op = Back::Pack { channel: *channel, slope, into };
                self.stages.at(number).ops.push(op);
            }
            Step::Mean { window, from, to } => {
                let number = self.ready(*to);
                let (slope, into) = (self.places.slope(*to), self.bring(*from, number));
                let op = Back::Mean { window: *window, slope, into };
                self.stages.at(number).ops.push(op);
            }
            Step::Max { window, from, to } => {
                let number = self.ready(*to);
                let (slope, into) = (self.places.slope(*to), self.lead(*from, number));
                let window = geometry(*window, self.places.steps.values[*from].layout, 0);
                let pool = MaxPool { window, input: into.to.layout, output: slope.layout };
                let op = Back::Max { pool, words: self.places.words[&index], slope, into };
                self.stages.at(number).ops.push(op);
            }
        }
    }

    /// A sum: its batch norms get their sums, and each of its terms gets the gradient.
    fn act(&mut self, index: usize, relu: bool, to: usize) {
        let number = self.ready(to);
        let gradient = self.places.slope(to);
        if relu {
            let value = self.places.kept(to);
            self.stages.at(number).ops.push(Back::Gate { gradient, value });
        }
        for (id, term) in terms_of(self.terms, index) {
            if term.is_plain() && !self.places.is_direct(term.value) {
                self.hand_on(index, term.value, gradient, number);
                continue;
            }
            let behind = Behind { term: id, gradient, z: self.place(term.value, number) };
            let mut next = number;
            if term.norm.is_some() {
                let at = self.stages.at(number);
                let sums = at.more_sums(2 * self.places.channels(term.value));
                at.ops.push(Back::Moments { behind, sums });
                next += 1;
            }
            match self.places.is_direct(term.value) {
                true => {
                    self.behind.insert(term.value, (behind, next));
                }
                false => {
                    let behind = Behind { z: self.place(term.value, next), ..behind };
                    let into = self.lead(term.value, next);
                    self.stages.at(next).ops.push(Back::Before { behind, into });
                }
            }
        }
    }

    /// The gradient of a sum is that of a value too: the next step that has one for it takes it along.
    fn hand_on(&mut self, index: usize, value: usize, from: Place, number: usize) {
        let lies_alike = self.places.slope(value).layout == from.layout;
        let taker = self.places.steps.steps[..index].iter().rev().find(|step| match step {
            Step::Conv { from, .. } | Step::Mean { from, .. } => *from == value,
            _ => false,
        });
        if taker.is_some() && lies_alike && !self.along.contains_key(&value) {
            self.along.insert(value, from);
            return;
        }
        let into = self.lead(value, number);
        self.stages.at(number).ops.push(Back::HandOn { from, into });
    }

    /// The stage in which a convolution's own gradient is there, or can be made.
    fn slope(&mut self, step: &Step, to: usize) -> (usize, Slope) {
        let Some((behind, number)) = self.behind.remove(&to) else {
            return (self.ready(to), Slope::Kept(self.places.slope(to)));
        };
        let reach = self.places.window(step, self.nodes).expect("it is a convolution").reach();
        let layout = self.places.steps.bordered(to, reach);
        let room = self.stages.at(number).room(layout);
        (number, Slope::Made { behind, room })
    }

    /// Where a gradient for a value goes, together with the one that waits for it.
    fn bring(&mut self, value: usize, number: usize) -> Into {
        let along = self.along.remove(&value);
        Into { along, ..self.lead(value, number) }
    }

    /// Where a gradient for a value goes.
    fn lead(&mut self, value: usize, number: usize) -> Into {
        let at = &self.places.steps.values[value];
        let blocks = (at.block..at.block + at.layout.blocks()).map(|block| (at.buffer, block));
        let first = blocks.filter(|block| self.written.insert(*block)).count();
        assert!(
            first == 0 || first == at.layout.blocks(),
            "what has a part of a gradient has all of it"
        );
        let whole = self.whole.entry(at.buffer).or_default();
        *whole = number.max(*whole);
        Into { to: self.places.slope(value), later: first == 0, along: None }
    }

    /// The stage in which the gradient of a value is whole.
    fn ready(&self, value: usize) -> usize {
        self.whole.get(&self.places.steps.values[value].buffer).copied().unwrap_or(0)
    }

    /// Where a value lies in a stage; what is not kept is made again.
    fn place(&mut self, value: usize, number: usize) -> Place {
        self.stages.place(self.places, self.terms, value, number)
    }
}
