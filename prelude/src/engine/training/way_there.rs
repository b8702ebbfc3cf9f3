//! The way there of a training step, in the order of a plan.

use super::places::{Place, Places};
use super::plan::{Stage, Stages, There};
use crate::engine::max_pool::MaxPool;
use crate::engine::plan::geometry;
use crate::engine::steps::{Step, Term};

/// The stages from the picture to the logits, and the terms of all steps, each with its step, by the
/// numbers that the stages give them.
pub(super) fn plan(places: &Places) -> (Vec<Stage<There>>, Vec<(usize, Term)>) {
    let whole = vec![0; places.steps.values.len()];
    let mut way = WayThere { places, stages: Stages::new(), terms: Vec::new(), whole };
    way.stages.at(0).ops.push(There::Enter { to: places.kept(0) });
    for (index, step) in places.steps.steps.iter().enumerate() {
        way.step(index, step);
    }
    let output = places.steps.output;
    let last = way.ready(output);
    let from = way.place(output, last);
    way.stages.at(last).ops.push(There::Head { from });
    (way.stages.all, way.terms)
}

struct WayThere<'a> {
    places: &'a Places,
    stages: Stages<There>,
    /// The step and the term, by the numbers that the plan gives them.
    terms: Vec<(usize, Term)>,
    /// In which stage a value is whole, and in which its sums are.
    whole: Vec<usize>,
}

impl WayThere<'_> {
    fn step(&mut self, index: usize, step: &Step) {
        let to = step.to();
        match step {
            Step::Act { terms, .. } => {
                for term in terms {
                    self.whole[to] = self.whole[to].max(self.term_ready(*term));
                    self.terms.push((index, *term));
                }
                if self.places.is_kept(to) {
                    let home = (self.whole[to], self.places.kept(to));
                    self.stages.act(self.places, &self.terms, index, home);
                }
            }
            Step::Conv { node, from, .. } => {
                let (number, from) = self.bring(*from, to);
                let op = There::Conv { node: *node, from, to: self.places.kept(to) };
                self.stages.at(number).ops.push(op);
            }
            Step::Pack { from, channel, .. } => {
                // What is written in place would overwrite a copy in the same block: that comes first.
                let number = self.ready(to);
                let (from, to) = (self.place(*from, number), self.places.kept(to));
                let op = There::Pack { channel: *channel, from, to };
                self.stages.at(number).ops.push(op);
            }
            Step::Mean { window, from, .. } => {
                let (number, from) = self.bring(*from, to);
                let op = There::Mean { window: *window, from, to: self.places.kept(to) };
                self.stages.at(number).ops.push(op);
            }
            Step::Max { window, from, .. } => {
                let (number, from) = self.bring(*from, to);
                let (to, words) = (self.places.kept(to), self.places.words[&index]);
                let window = geometry(*window, from.layout, 0);
                let pool = MaxPool { window, input: from.layout, output: to.layout };
                let op = There::Max { pool, words, from, to };
                self.stages.at(number).ops.push(op);
            }
        }
        if self.places.is_normed(to) {
            let number = self.whole[to];
            let from = self.place(to, number);
            let at = self.stages.at(number);
            let sums = at.more_sums(2 * self.places.channels(to));
            at.ops.push(There::Moments { value: to, from, sums });
        }
    }

    /// Has a value ready for a step that makes `to` of it: in which stage, and where.
    fn bring(&mut self, from: usize, to: usize) -> (usize, Place) {
        let number = self.ready(from);
        self.whole[to] = number;
        (number, self.place(from, number))
    }

    /// The first stage in which a value can be used.
    fn ready(&self, value: usize) -> usize {
        let parts = &self.places.steps.values[value].parts;
        let of_parts = parts.iter().map(|part| self.ready(part.value)).max();
        of_parts.unwrap_or(self.whole[value])
    }

    /// The first stage in which the next term can be computed: behind the one that sums up its value.
    fn term_ready(&mut self, term: Term) -> usize {
        let ready = self.ready(term.value);
        if term.norm.is_none() {
            return ready;
        }
        let id = self.terms.len();
        self.stages.at(ready).norms.push(id);
        ready + 1
    }

    /// Where a value lies in a stage; what is not kept is made there.
    fn place(&mut self, value: usize, number: usize) -> Place {
        self.stages.place(self.places, &self.terms, value, number)
    }
}
