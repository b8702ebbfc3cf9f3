//! What the engine does for a net, in order: batch norms, ReLUs and sums become one step each, and what
//! is concatenated is written side by side in the first place.

use super::block::Block;
use super::plan::{Kind, Node, Parts, Window, picture};

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

/// An image between two steps.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub parts: Parts,
    /// Without a border.
    pub layout: Block,
    /// The buffer it lies in, and the first of its blocks there.
    pub buffer: usize,
    pub block: usize,
    /// The values that it consists of, if it is nothing but several side by side.
    pub members: Vec<usize>,
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
            | Step::Mean { to, .. } => *to,
        }
    }

    /// Whether terms can be added: equal channels at equal places.
    fn fits(&self, values: &[Value]) -> bool {
        let Step::Act { terms, .. } = self else { return true };
        terms.iter().all(|term| values[term.value].parts == values[terms[0].value].parts)
    }
}

impl Steps {
    /// The steps of a net.
    ///
    /// # Errors
    /// What is wrong, if the nodes do not fit into this order of things.
    pub fn new(nodes: &[Node]) -> Result<Self, &'static str> {
        let mut uses = vec![0; nodes.len()];
        nodes.iter().flat_map(|node| &node.inputs).for_each(|input| uses[*input] += 1);
        let (values, steps, of) = (Vec::new(), Vec::new(), vec![None; nodes.len()]);
        let mut lowering = Lowering { nodes, uses, values, steps, of };
        (0..nodes.len()).for_each(|node| lowering.visit(node));
        let output = lowering.value(nodes.len() - 1);
        let Lowering { mut values, steps, .. } = lowering;
        let mut placed = vec![false; values.len()];
        let mut buffers = Vec::new();
        // A concatenation comes after its members, so that the largest is placed first.
        for value in (0..values.len()).rev() {
            if !placed[value] {
                place(&mut values, &mut placed, value, (buffers.len(), 0))?;
                buffers.push(values[value].layout);
            }
        }
        match steps.iter().all(|step| step.fits(&values)) {
            true => Ok(Self { values, steps, buffers, output }),
            false => Err("a sum of channels that were concatenated differently"),
        }
    }

    /// The value's layout with a border.
    pub fn bordered(&self, value: usize, border: [usize; 2]) -> Block {
        self.values[value].layout.bordered(border)
    }
}

/// Puts a value and its members where a block of a buffer begins.
fn place(
    values: &mut [Value],
    placed: &mut [bool],
    value: usize,
    (buffer, block): (usize, usize),
) -> Result<(), &'static str> {
    if std::mem::replace(&mut placed[value], true) {
        return Err("an output that is concatenated twice");
    }
    (values[value].buffer, values[value].block) = (buffer, block);
    let mut next = block;
    for member in values[value].members.clone() {
        place(values, placed, member, (buffer, next))?;
        next += values[member].layout.blocks();
    }
    Ok(())
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
            Kind::Picture => self.push(Parts(vec![node.shape[0]]), index),
            Kind::Concat => {
                let members: Vec<usize> = node.inputs.iter().map(|i| self.value(*i)).collect();
                let parts = members.iter().flat_map(|value| self.values[*value].parts.0.clone());
                let value = self.push(Parts(parts.collect()), index);
                self.values[value].members = members;
                value
            }
            kind => {
                let from = self.value(node.inputs[0]);
                let step = |to| match kind {
                    Kind::Conv(_) => Step::Conv { node: index, from, to },
                    Kind::Max(window) => Step::Max { window: *window, from, to },
                    Kind::Mean(window) => Step::Mean { window: *window, from, to },
                    other => unreachable!("{other:?} has been dealt with"),
                };
                // A pool keeps its input's parts, a convolution makes one.
                let parts = match kind {
                    Kind::Conv(_) => Parts(vec![node.shape[0]]),
                    _ => self.values[from].parts.clone(),
                };
                let to = self.push(parts, index);
                self.steps.push(step(to));
                to
            }
        };
        self.of[index] = Some(value);
    }

    /// The value of a node, which is made now if it has waited.
    fn value(&mut self, node: usize) -> usize {
        if let Some(value) = self.of[node] {
            return value;
        }
        let (terms, relu) = self.expression(node);
        let parts = self.values[terms[0].value].parts.clone();
        let value = self.push(parts, node);
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

    fn push(&mut self, parts: Parts, node: usize) -> usize {
        let [channels, height, width] = self.nodes[node].shape;
        let layout = match (node, &parts.0[..]) {
            (0, _) => picture(self.nodes[0].shape),
            (_, [channels]) => Block::flat(*channels, height, width),
            _ => Block::flat(parts.places(), height, width),
        };
        debug_assert_eq!(parts.channels(), channels);
        self.values.push(Value { parts, layout, buffer: 0, block: 0, members: Vec::new() });
        self.values.len() - 1
    }
}
