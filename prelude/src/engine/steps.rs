//! What the engine does for a net, in order: batch norms, ReLUs and sums become one step each, and what
//! is concatenated is written side by side in the first place, where it begins a block.

use super::block::Block;
use super::plan::{Kind, Node, Window, picture};
use super::simd::LANES;

/// A net's steps, and the images between them.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    pub values: Vec<Value>,
    pub steps: Vec<Step>,
    /// The memory that the values lie in.
    pub buffers: Vec<Block>,
    /// The value that goes to the head.
    pub output: usize,
}

/// An image between two steps. Behind its last channel there may be others in the same block, or nothing
/// that means anything.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// Without a border.
    pub layout: Block,
    /// The buffer it lies in, and the first of its blocks there.
    pub buffer: usize,
    pub block: usize,
    /// The values that it consists of, if it is nothing but several side by side.
    pub parts: Vec<Part>,
}

/// A value among others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub value: usize,
    /// Its first channel there.
    pub channel: usize,
    /// Whether it lies there and nowhere else; if not, it is copied.
    pub in_place: bool,
}

/// One step, from some values to another.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The convolution of a node.
    Conv { node: usize, from: usize, to: usize },
    /// The sum of one or two terms, and perhaps a ReLU.
    Act { terms: Vec<Term>, relu: bool, to: usize },
    /// The largest number of each window.
    Max { window: Window, from: usize, to: usize },
    /// The mean of each window.
    Mean { window: Window, from: usize, to: usize },
    /// A value's copy among others, from a channel on.
    Pack { from: usize, to: usize, channel: usize },
}

/// A value, perhaps through the batch norm of a node, and perhaps through a ReLU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub value: usize,
    pub norm: Option<usize>,
    pub relu: bool,
}

impl Term {
    /// Whether it is the value as it is.
    pub fn is_plain(self) -> bool {
        self.norm.is_none() && !self.relu
    }
}

impl Step {
    /// The value that the step makes.
    pub fn to(&self) -> usize {
        match self {
            Step::Conv { to, .. }
            | Step::Act { to, .. }
            | Step::Max { to, .. }
            | Step::Mean { to, .. }
            | Step::Pack { to, .. } => *to,
        }
    }
}

impl Steps {
    /// The steps of a net.
    pub fn new(nodes: &[Node]) -> Self {
        let mut uses = vec![0; nodes.len()];
        nodes.iter().flat_map(|node| &node.inputs).for_each(|input| uses[*input] += 1);
        let (values, steps, of) = (Vec::new(), Vec::new(), vec![None; nodes.len()]);
        let mut lowering = Lowering { nodes, uses, values, steps, of };
        (0..nodes.len()).for_each(|node| lowering.visit(node));
        let output = lowering.value(nodes.len() - 1);
        let Lowering { mut values, steps, .. } = lowering;
        let mut placed = vec![false; values.len()];
        let mut buffers = Vec::new();
        // A concatenation comes after its parts, so that the largest is placed first.
        for value in (0..values.len()).rev() {
            if !placed[value] {
                place(&mut values, &mut placed, value, (buffers.len(), 0));
                buffers.push(values[value].layout);
            }
        }
        Self { values, steps, buffers, output }
    }

    /// The value's layout with a border.
    pub fn bordered(&self, value: usize, border: [usize; 2]) -> Block {
        self.values[value].layout.bordered(border)
    }
}

/// Puts a value and the parts that lie in it where a block of a buffer begins.
fn place(values: &mut [Value], placed: &mut [bool], value: usize, (buffer, block): (usize, usize)) {
    placed[value] = true;
    (values[value].buffer, values[value].block) = (buffer, block);
    for part in values[value].parts.clone() {
        if part.in_place {
            place(values, placed, part.value, (buffer, block + part.channel / LANES));
        }
    }
}

/// Nodes on their way to steps.
struct Lowering<'a> {
    nodes: &'a [Node],
    /// By how many nodes each one is used.
    uses: Vec<usize>,
    values: Vec<Value>,
    steps: Vec<Step>,
    /// The value of each node that has one.
    of: Vec<Option<usize>>,
}

impl Lowering<'_> {
    /// Makes the step of a node, unless it waits to become part of another one's.
    fn visit(&mut self, index: usize) {
        let node = &self.nodes[index];
        let value = match &node.kind {
            Kind::Norm(_) | Kind::Relu | Kind::Sum => return,
            Kind::Picture => self.push(index),
            Kind::Concat => self.concat(index, &node.inputs),
            kind => {
                let (from, to) = (self.value(node.inputs[0]), self.push(index));
                self.steps.push(match kind {
                    Kind::Conv(_) => Step::Conv { node: index, from, to },
                    Kind::Max(window) => Step::Max { window: *window, from, to },
                    Kind::Mean(window) => Step::Mean { window: *window, from, to },
                    other => unreachable!("{other:?} has been dealt with"),
                });
                to
            }
        };
        self.of[index] = Some(value);
    }

    /// Values side by side. What begins a block is written there, and the rest is copied when all is there.
    fn concat(&mut self, index: usize, inputs: &[usize]) -> usize {
        let inputs: Vec<usize> = inputs.iter().map(|input| self.value(*input)).collect();
        let to = self.push(index);
        let mut channel = 0;
        for value in inputs {
            let taken =
                |other: &Value| other.parts.iter().any(|part| part.value == value && part.in_place);
            let in_place = channel % LANES == 0 && value > 0 && !self.values.iter().any(taken);
            self.values[to].parts.push(Part { value, channel, in_place });
            channel += self.values[value].layout.channels;
        }
        for Part { value: from, channel, in_place } in self.values[to].parts.clone() {
            if !in_place {
                self.steps.push(Step::Pack { from, to, channel });
            }
        }
        to
    }

    /// The value of a node, which is made now if it has waited.
    fn value(&mut self, node: usize) -> usize {
        if let Some(value) = self.of[node] {
            return value;
        }
        let (terms, relu) = self.expression(node);
        let value = self.push(node);
        self.steps.push(Step::Act { terms, relu, to: value });
        self.of[node] = Some(value);
        value
    }

    /// A waiting node as a sum of terms, and whether a ReLU follows.
    fn expression(&mut self, node: usize) -> (Vec<Term>, bool) {
        let inputs = self.nodes[node].inputs.clone();
        let plain = |value| Term { value, norm: None, relu: false };
        match self.nodes[node].kind {
            Kind::Norm(_) => {
                let term = plain(self.value(inputs[0]));
                (vec![Term { norm: Some(node), ..term }], false)
            }
            Kind::Relu if self.waits_for(inputs[0]) => {
                let (mut terms, _) = self.expression(inputs[0]);
                match &mut terms[..] {
                    [term] => {
                        term.relu = true;
                        (terms, false)
                    }
                    _ => (terms, true),
                }
            }
            Kind::Relu => (vec![Term { relu: true, ..plain(self.value(inputs[0])) }], false),
            _ => {
                let terms = inputs.iter().map(|input| {
                    match self.waits_for(*input) && !self.is_sum(*input) {
                        true => self.expression(*input).0[0],
                        false => plain(self.value(*input)),
                    }
                });
                (terms.collect(), false)
            }
        }
    }

    /// Whether a node waits for the one node that uses it.
    fn waits_for(&self, node: usize) -> bool {
        let kind = &self.nodes[node].kind;
        let waits = matches!(kind, Kind::Norm(_) | Kind::Relu | Kind::Sum);
        waits && self.uses[node] == 1 && self.of[node].is_none()
    }

    /// Whether a waiting node is a sum, or a ReLU of one.
    fn is_sum(&self, node: usize) -> bool {
        match self.nodes[node].kind {
            Kind::Sum => true,
            Kind::Relu => {
                let input = self.nodes[node].inputs[0];
                self.waits_for(input) && self.is_sum(input)
            }
            _ => false,
        }
    }

    fn push(&mut self, node: usize) -> usize {
        let [channels, height, width] = self.nodes[node].shape;
        let layout = match node {
            0 => picture(self.nodes[0].shape),
            _ => Block::flat(channels, height, width),
        };
        self.values.push(Value { layout, buffer: 0, block: 0, parts: Vec::new() });
        self.values.len() - 1
    }
}
