//! In which order a training step works, and where everything lies.
//!
//! A batch norm needs the whole batch before it can go on. Between two such meetings every image goes its
//! way alone; so the work is put into stages, each as early as what it needs is there.

use super::places::{Home, Place, Places};
use crate::engine::block::Block;
use crate::engine::max_pool::MaxPool;
use crate::engine::plan::{Node, Window, geometry};
use crate::engine::steps::{Step, Steps, Term};
use std::collections::HashMap;

/// The stages of a training step.
pub(super) struct Plan {
    pub places: Places,
    /// Every term of every sum.
    pub terms: Vec<Term>,
    pub there: Vec<Stage<There>>,
    pub back: Vec<Stage<Back>>,
}

/// Work on one image after the other, and what follows from all of them.
pub(super) struct Stage<Op> {
    pub ops: Vec<Op>,
    /// Images that are needed in this stage only, one of each for an image on its way.
    pub rooms: Vec<Block>,
    /// How many floats the sums over the batch are.
    pub sums: usize,
    /// The terms whose batch norms have all they need behind this stage.
    pub norms: Vec<usize>,
}

/// Work on the way there.
#[derive(Clone, Debug)]
pub(super) enum There {
    /// The picture, normalised.
    Enter {
        to: Place,
    },
    /// `term + add`, and perhaps a ReLU.
    Act {
        term: usize,
        from: Place,
        add: Option<Place>,
        relu: bool,
        to: Place,
    },
    /// The convolution of a node.
    Conv {
        node: usize,
        from: Place,
        to: Place,
    },
    Mean {
        window: Window,
        from: Place,
        to: Place,
    },
    Max {
        pool: MaxPool,
        words: usize,
        from: Place,
        to: Place,
    },
    /// A copy among others, from a channel on.
    Pack {
        channel: usize,
        from: Place,
        to: Place,
    },
    /// A value's sums, which go to this place among those of the stage.
    Moments {
        value: usize,
        from: Place,
        sums: usize,
    },
    /// The end: features and logits.
    Head {
        from: Place,
    },
}

/// Work on the way back.
#[derive(Clone, Debug)]
pub(super) enum Back {
    /// From the logits to the gradient at the output.
    Head {
        to: Place,
    },
    /// Makes anew what was not kept.
    Again(There),
    /// Closes a gradient where a value is not above zero.
    Gate {
        gradient: Place,
        value: Place,
    },
    /// The sums that a term's batch norm needs.
    Moments {
        behind: Behind,
        sums: usize,
    },
    /// A gradient before a term, which is added to those that are there.
    Before {
        behind: Behind,
        into: Into,
    },
    /// A gradient that belongs to another value too.
    HandOn {
        from: Place,
        into: Into,
    },
    /// The convolution of a node, from the gradient at its output.
    Conv {
        node: usize,
        slope: Slope,
        from: Place,
        into: Option<Into>,
    },
    Mean {
        window: Window,
        slope: Place,
        into: Into,
    },
    Max {
        pool: MaxPool,
        words: usize,
        slope: Place,
        into: Into,
    },
    /// What was copied among others, from a channel on.
    Pack {
        channel: usize,
        slope: Place,
        into: Into,
    },
}

/// The gradient behind a term, and the value that went in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    pub term: usize,
    pub gradient: Place,
    pub z: Place,
}

/// The gradient at a convolution's output.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slope {
    /// It is there.
    Kept(Place),
    /// It follows from the one behind the only term that reads the output, and is made in a room.
    Made { behind: Behind, room: Place },
}

impl Slope {
    /// Where it lies, once it is made.
    pub fn place(self) -> Place {
        match self {
            Slope::Kept(place) | Slope::Made { room: place, .. } => place,
        }
    }
}

/// Where a gradient goes, and the others that it is added to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Into {
    pub to: Place,
    /// Whether there is one already.
    pub later: bool,
    /// Another one that lies as `to` does.
    pub along: Option<Place>,
}

impl Plan {
    /// The plan for a net's nodes.
    pub fn new(nodes: &[Node]) -> Self {
        let steps = Steps::new(nodes);
        let places = Places::new(steps, nodes);
        let mut there = WayThere::new(&places);
        there.plan();
        let WayThere { stages, terms, .. } = there;
        let back = super::way_back::plan(&places, &terms, nodes);
        let terms = terms.into_iter().map(|(_, term)| term).collect();
        Self { terms, there: stages.all, back, places }
    }
}

impl From<There> for Back {
    fn from(op: There) -> Self {
        Self::Again(op)
    }
}

/// Stages under way, in each of which what is not kept is made once.
pub(super) struct Stages<Op> {
    pub all: Vec<Stage<Op>>,
    /// Where values that are not kept lie in a stage.
    made: HashMap<(usize, usize), Place>,
}

impl<Op: From<There>> Stages<Op> {
    pub fn new() -> Self {
        Self { all: Vec::new(), made: HashMap::new() }
    }

    /// The stage with that number, made if there is none yet.
    pub fn at(&mut self, number: usize) -> &mut Stage<Op> {
        while self.all.len() <= number {
            let (ops, rooms, norms) = (Vec::new(), Vec::new(), Vec::new());
            self.all.push(Stage { ops, rooms, sums: 0, norms });
        }
        &mut self.all[number]
    }

    /// Where a value lies in a stage; what is not kept is made there.
    pub fn place(
        &mut self,
        places: &Places,
        terms: &[(usize, Term)],
        value: usize,
        number: usize,
    ) -> Place {
        if places.is_kept(value) {
            return places.kept(value);
        }
        if let Some(place) = self.made.get(&(number, value)) {
            return *place;
        }
        let room = self.at(number).room(places.room(value));
        self.act(places, terms, places.maker[value], (number, room));
        self.made.insert((number, value), room);
        room
    }

    /// The operations of a sum in a stage: each term is added to the one before it.
    pub fn act(
        &mut self,
        places: &Places,
        terms: &[(usize, Term)],
        index: usize,
        (number, to): (usize, Place),
    ) {
        let Step::Act { relu, .. } = places.steps.steps[index] else {
            unreachable!("step {index} is no sum")
        };
        let own = terms_of(terms, index);
        let from: Vec<Place> =
            own.iter().map(|(_, term)| self.place(places, terms, term.value, number)).collect();
        let ops = acts(&own, &from, relu, to).into_iter().map(Op::from);
        self.at(number).ops.extend(ops);
    }
}

impl<Op> Stage<Op> {
    /// A place in a new room.
    pub fn room(&mut self, layout: Block) -> Place {
        self.rooms.push(layout);
        Place { home: Home::Room(self.rooms.len() - 1), start: 0, layout }
    }

    /// Room for so many sums.
    pub fn more_sums(&mut self, count: usize) -> usize {
        self.sums += count;
        self.sums - count
    }
}

/// The way there, step by step.
struct WayThere<'a> {
    places: &'a Places,
    stages: Stages<There>,
    /// The step and the term, by the numbers that the plan gives them.
    terms: Vec<(usize, Term)>,
    /// In which stage a value is whole, and in which its sums are.
    whole: Vec<usize>,
}

impl<'a> WayThere<'a> {
    fn new(places: &'a Places) -> Self {
        let whole = vec![0; places.steps.values.len()];
        Self { places, stages: Stages::new(), terms: Vec::new(), whole }
    }

    fn plan(&mut self) {
        let places = self.places;
        self.stages.at(0).ops.push(There::Enter { to: places.kept(0) });
        for (index, step) in places.steps.steps.iter().enumerate() {
            self.step(index, step);
        }
        let output = places.steps.output;
        let last = self.ready(output);
        let from = self.place(output, last);
        self.stages.at(last).ops.push(There::Head { from });
    }

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

/// The terms of a step among all, with their numbers.
pub(super) fn terms_of(all: &[(usize, Term)], step: usize) -> Vec<(usize, Term)> {
    let numbered = all.iter().enumerate();
    numbered.filter(|(_, (of, _))| *of == step).map(|(id, (_, term))| (id, *term)).collect()
}

/// One or two terms as operations: what is a value as it is, and lies as `to` does, is added as it lies.
fn acts(terms: &[(usize, Term)], from: &[Place], relu: bool, to: Place) -> Vec<There> {
    let act = |index: usize, add, relu| There::Act {
        term: terms[index].0,
        from: from[index],
        add,
        relu,
        to,
    };
    let added = |index: usize| {
        let lies_alike = from[index].layout == to.layout;
        (terms[index].1.is_plain() && lies_alike).then_some(from[index])
    };
    match terms.len() {
        1 => vec![act(0, None, relu)],
        _ => match (added(0), added(1)) {
            (Some(add), _) => vec![act(1, Some(add), relu)],
            (_, Some(add)) => vec![act(0, Some(add), relu)],
            (None, None) => vec![act(0, None, false), act(1, Some(to), relu)],
        },
    }
}
