//! A net on a machine: its operations, and where its numbers lie.

use super::memory::{Hands, Memory};
use crate::Result;
use crate::engine::{Kind, Weights};
use std::rc::Rc;

/// How many numbers of windows are gathered at once, at most: a quarter of a gigabyte.
const WORKSPACE: usize = 1 << 26;

/// A net's numbers on a machine, beside the same net here, whose numbers are those it began with.
pub(super) struct Model {
    pub hands: Hands,
    pub start: Rc<Weights>,
    /// All of them, one after the other, in the order of [`Weights::parameters`].
    pub parameters: Memory,
    /// Where those of each node begin, and how many each is.
    pub places: Vec<Vec<Place>>,
    /// Running mean and variance of each node that is a batch norm.
    pub statistics: Vec<Option<Moments>>,
    /// Mean and deviation of each colour.
    pub colours: [Memory; 2],
    /// By how many nodes each one is used.
    pub uses: Vec<usize>,
    pub workspace: usize,
}

/// A parameter among all numbers.
#[derive(Clone, Copy)]
pub(super) struct Place {
    start: usize,
    len: usize,
}

/// Mean and variance of each channel.
#[derive(Clone)]
pub(super) struct Moments {
    pub mean: Memory,
    pub var: Memory,
}

impl Model {
    pub fn new(hands: &Hands, weights: &Weights) -> Result<Self> {
        let moments = |kind: &Kind| match kind {
            Kind::Norm(norm) => {
                let mean = hands.upload(&norm.running_mean)?;
                Ok(Some(Moments { mean, var: hands.upload(&norm.running_var)? }))
            }
            _ => Ok(None),
        };
        let mut uses = vec![0; weights.nodes.len()];
        weights.nodes.iter().flat_map(|node| &node.inputs).for_each(|input| uses[*input] += 1);
        Ok(Self {
            hands: hands.clone(),
            parameters: hands.upload(&weights.parameters().concat())?,
            places: places(weights),
            statistics: weights
                .nodes
                .iter()
                .map(|node| moments(&node.kind))
                .collect::<Result<_>>()?,
            colours: [
                hands.upload(&weights.normalisation.mean)?,
                hands.upload(&weights.normalisation.deviation)?,
            ],
            uses,
            start: Rc::new(weights.clone()),
            workspace: WORKSPACE,
        })
    }

    /// The same net with numbers of its own, which stay when this one learns.
    pub fn copy(&self) -> Result<Self> {
        let copy = |Moments { mean, var }: &Moments| {
            Ok(Moments { mean: self.hands.copy(mean)?, var: self.hands.copy(var)? })
        };
        let moments = |moments: &Option<Moments>| moments.as_ref().map(copy).transpose();
        Ok(Self {
            hands: self.hands.clone(),
            start: self.start.clone(),
            parameters: self.hands.copy(&self.parameters)?,
            places: self.places.clone(),
            statistics: self.statistics.iter().map(moments).collect::<Result<_>>()?,
            colours: self.colours.clone(),
            uses: self.uses.clone(),
            workspace: self.workspace,
        })
    }

    /// Parameter number `index` of a node among numbers that lie like the parameters.
    pub fn of_node(&self, all: &Memory, node: usize, index: usize) -> Memory {
        let Place { start, len } = self.places[node][index];
        all.part(start, len)
    }

    /// The linear layer's weight and bias among numbers that lie like the parameters.
    pub fn of_head(&self, all: &Memory) -> [Memory; 2] {
        let node = self.start.nodes.len();
        [self.of_node(all, node, 0), self.of_node(all, node, 1)]
    }

    /// Numbers that lie like the parameters, by parameter.
    pub fn of_each(&self, all: &Memory) -> Result<Vec<Vec<f32>>> {
        let numbers = self.hands.read(all)?;
        let places = self.places.iter().flatten();
        Ok(places.map(|Place { start, len }| numbers[*start..start + len].to_vec()).collect())
    }

    /// The classes of pictures, there.
    pub fn classes(&self, classes: &[usize]) -> Result<Memory> {
        let classes: Vec<f32> = classes.iter().map(|class| *class as f32).collect();
        self.hands.upload(&classes)
    }

    /// How many numbers a node's image has, of a batch.
    pub fn size(&self, node: usize, batch: usize) -> usize {
        self.start.nodes[node].shape.iter().product::<usize>() * batch
    }

    /// The net as it is now; `steps` have been taken since it began.
    pub fn weights(&self, steps: u64) -> Result<Weights> {
        let mut weights = Weights::clone(&self.start);
        let now = self.of_each(&self.parameters)?;
        for (parameter, now) in weights.parameters_mut().into_iter().zip(&now) {
            parameter.copy_from_slice(now);
        }
        for (norm, moments) in weights.norms_mut().zip(self.statistics.iter().flatten()) {
            norm.running_mean = self.hands.read(&moments.mean)?;
            norm.running_var = self.hands.read(&moments.var)?;
            norm.batches += steps;
        }
        Ok(weights)
    }
}

/// Where the parameters of each node lie, and last those of the linear layer.
fn places(weights: &Weights) -> Vec<Vec<Place>> {
    let mut next = 0;
    let mut place = |len: usize| {
        next += len;
        Place { start: next - len, len }
    };
    let mut places: Vec<Vec<Place>> = Vec::new();
    for node in &weights.nodes {
        places.push(match &node.kind {
            Kind::Conv(conv) => {
                let lengths = [Some(&conv.weight), conv.bias.as_ref()];
                lengths.into_iter().flatten().map(|values| place(values.len())).collect()
            }
            Kind::Norm(norm) => vec![place(norm.weight.len()), place(norm.bias.len())],
            _ => Vec::new(),
        });
    }
    places.push(vec![place(weights.head.weight.len()), place(weights.head.bias.len())]);
    places
}
