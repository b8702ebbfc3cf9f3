//! In which order a training step works, and where everything lies.
//!
//! A batch norm needs the whole batch before it can go on. Between two such meetings every image goes its
//! way alone; so the work is put into stages, each as early as what it needs is there.

use super::places::{Home, Place, Places};
use crate::engine::block::Block;
use crate::engine::max_pool::MaxPool;
use crate::engine::plan::{Node, Window};
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
        let (there, terms) = super::way_there::plan(&places);
        let back = super::way_back::plan(&places, &terms, nodes);
        let terms = terms.into_iter().map(|(_, term)| term).collect();
        Self { terms, there, back, places }
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
