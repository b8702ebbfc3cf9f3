//! What a training step keeps of an image, and where it lies.

use crate::engine::block::Block;
use crate::engine::pack::Conv;
use crate::engine::plan::{Kind, Node, geometry};
use crate::engine::simd::LANES;
use crate::engine::steps::{Step, Steps};
use std::collections::HashMap;

/// A memory that images lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// A buffer that is kept for each image of the batch.
    Kept(usize),
    /// One for gradients.
    Slope(usize),
    /// A room of the stage.
    Room(usize),
}

/// An image, or some of its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub home: Home,
    /// How many floats it lies behind the start of its home.
    pub start: usize,
    pub layout: Block,
}

/// A net's values in training.
pub(super) struct Places {
    pub steps: Steps,
    /// The step that makes each value; the picture and what is only concatenated have none.
    pub maker: Vec<usize>,
    /// The layout of each buffer that is kept, and of each one for gradients.
    pub kept: Vec<Option<Block>>,
    pub slopes: Vec<Option<Block>>,
    /// The first word of where each maximum was, by its step, and how many words there are.
    pub words: HashMap<usize, usize>,
    pub all_words: usize,
    /// The widest border that an image of a height and width needs.
    borders: HashMap<[usize; 2], [usize; 2]>,
    /// Values whose sums a batch norm needs.
    normed: Vec<bool>,
    /// Values that are part of another one.
    member: Vec<bool>,
    /// How many steps read a value, itself or as part of another one.
    readers: Vec<usize>,
}

impl Places {
    pub fn new(steps: Steps, nodes: &[Node]) -> Self {
        let count = steps.values.len();
        let mut places = Self {
            maker: vec![usize::MAX; count],
            kept: vec![None; steps.buffers.len()],
            slopes: vec![None; steps.buffers.len()],
            words: HashMap::new(),
            all_words: 0,
            borders: HashMap::new(),
            normed: vec![false; count],
            member: vec![false; count],
            readers: vec![0; count],
            steps,
        };
        places.look_at_steps(nodes);
        places.keep();
        places.keep_slopes(nodes);
        places
    }

    /// How many places for channels a value's blocks have.
    pub fn channels(&self, value: usize) -> usize {
        self.steps.values[value].layout.channels.next_multiple_of(LANES)
    }

    /// Whether a value is kept: all but what follows from a single kept one at no more cost than to
    /// read it.
    pub fn is_kept(&self, value: usize) -> bool {
        let Some(Step::Act { terms, .. }) = self.steps.steps.get(self.maker[value]) else {
            return true;
        };
        terms.len() > 1 || self.member[value]
    }

    /// Whether a batch norm needs the sums of a value.
    pub fn is_normed(&self, value: usize) -> bool {
        self.normed[value]
    }

    /// Where a value is kept.
    pub fn kept(&self, value: usize) -> Place {
        let whole = self.kept[self.steps.values[value].buffer].expect("it is kept");
        self.part(value, whole, Home::Kept(self.steps.values[value].buffer))
    }

    /// Where the gradient of a value lies.
    pub fn slope(&self, value: usize) -> Place {
        let whole = self.slopes[self.steps.values[value].buffer].expect("it has a gradient");
        self.part(value, whole, Home::Slope(self.steps.values[value].buffer))
    }

    /// The layout of a value in a room.
    pub fn room(&self, value: usize) -> Block {
        self.bordered(self.steps.values[value].layout)
    }

    /// Whether the gradient at a convolution's output is made from the one behind the only term that
    /// reads it, and is kept nowhere.
    pub fn is_direct(&self, value: usize) -> bool {
        let by_conv = matches!(self.steps.steps.get(self.maker[value]), Some(Step::Conv { .. }));
        let read_once = self.readers[value] == 1 && !self.member[value];
        let by_term = self.steps.steps.iter().any(|step| match step {
            Step::Act { terms, .. } => terms.iter().any(|term| term.value == value),
            _ => false,
        });
        by_conv && read_once && by_term && value != self.steps.output
    }

    /// The window of the step that makes a value, if it sums over one.
    pub fn window(&self, step: &Step, nodes: &[Node]) -> Option<Conv> {
        let (window, from, to) = match step {
            Step::Conv { node, from, to } => match &nodes[*node].kind {
                Kind::Conv(conv) => (conv.window, from, to),
                other => unreachable!("{other:?} is no convolution"),
            },
            Step::Mean { window, from, to } => (*window, from, to),
            _ => return None,
        };
        let outputs = self.steps.values[*to].layout.channels;
        Some(geometry(window, self.steps.values[*from].layout, outputs))
    }

    fn part(&self, value: usize, whole: Block, home: Home) -> Place {
        let value = &self.steps.values[value];
        let layout = value.layout.bordered(whole.border);
        Place { home, start: value.block * layout.plane(), layout }
    }

    fn bordered(&self, layout: Block) -> Block {
        let border = self.borders.get(&[layout.height, layout.width]).copied().unwrap_or_default();
        layout.bordered(border)
    }

    fn look_at_steps(&mut self, nodes: &[Node]) {
        for value in 0..self.steps.values.len() {
            for part in self.steps.values[value].parts.iter().filter(|part| part.in_place) {
                self.member[part.value] = true;
            }
        }
        for (index, step) in self.steps.steps.clone().iter().enumerate() {
            self.maker[step.to()] = index;
            if let Some(window) = self.window(step, nodes) {
                let size = [window.height, window.width];
                let widest = self.borders.entry(size).or_default();
                *widest = [0, 1].map(|axis| widest[axis].max(window.padding[axis]));
            }
            match step {
                Step::Act { terms, .. } => terms.iter().for_each(|term| {
                    self.read(term.value);
                    if term.norm.is_some() {
                        self.sum_up(term.value);
                    }
                }),
                Step::Conv { from, .. } | Step::Mean { from, .. } | Step::Pack { from, .. } => {
                    self.read(*from);
                }
                Step::Max { window, from, to } => {
                    self.read(*from);
                    self.words.insert(index, self.all_words);
                    let places = window.kernel[0] * window.kernel[1];
                    self.all_words += self.steps.values[*to].layout.vectors() * places;
                }
            }
        }
    }

    fn read(&mut self, value: usize) {
        self.readers[value] += 1;
    }

    /// A batch norm needs the sums of a value, or of all of which it consists.
    fn sum_up(&mut self, value: usize) {
        match self.steps.values[value].parts.clone() {
            parts if parts.is_empty() => self.normed[value] = true,
            parts => parts.iter().for_each(|part| self.sum_up(part.value)),
        }
    }

    /// Gives a buffer to every value that is kept, with a border where a window or an addition wants it.
    fn keep(&mut self) {
        for value in 0..self.steps.values.len() {
            if self.is_kept(value) {
                let buffer = self.steps.values[value].buffer;
                self.kept[buffer].get_or_insert(self.steps.buffers[buffer]);
            }
        }
        for step in self.steps.steps.clone() {
            let bordered: Vec<usize> = match &step {
                Step::Conv { from, .. } | Step::Mean { from, .. } => vec![*from],
                Step::Act { terms, to, .. } => {
                    let plain = terms.iter().filter(|term| term.is_plain() && terms.len() > 1);
                    plain.map(|term| term.value).chain((terms.len() > 1).then_some(*to)).collect()
                }
                Step::Max { .. } | Step::Pack { .. } => Vec::new(),
            };
            for value in bordered {
                if !self.is_kept(value) {
                    continue;
                }
                let buffer = self.steps.values[value].buffer;
                self.kept[buffer] = Some(self.bordered(self.steps.buffers[buffer]));
            }
        }
    }

    /// Gives a buffer to every gradient that is kept, with the border that the way back from it needs.
    fn keep_slopes(&mut self, nodes: &[Node]) {
        for value in 1..self.steps.values.len() {
            if self.is_direct(value) {
                continue;
            }
            let buffer = self.steps.values[value].buffer;
            let mut layout = self.slopes[buffer].unwrap_or(self.steps.buffers[buffer]);
            let maker = self.steps.steps.get(self.maker[value]);
            if let Some(window) = maker.and_then(|step| self.window(step, nodes)) {
                let reach = window.reach();
                layout.border = [0, 1].map(|axis| layout.border[axis].max(reach[axis]));
            }
            self.slopes[buffer] = Some(layout);
        }
    }
}
