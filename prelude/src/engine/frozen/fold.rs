//! A net's steps in evaluation mode: batch norms become part of the convolutions before them.

use crate::engine::plan::{Weights, Window, padded};
use crate::engine::steps::{Step, Steps, Term, Value};

/// A step whose batch norm has become numbers.
pub(super) struct Folded {
    pub from: usize,
    pub to: usize,
    pub work: Work,
    /// A number a channel, padded.
    pub bias: Vec<f32>,
    pub inner: bool,
    /// A value that is added.
    pub add: Option<usize>,
    pub outer: bool,
}

/// What a folded step computes.
pub(super) enum Work {
    /// `(outputs, inputs, kernel)`, with zeros where the input has no channel.
    Conv { window: Window, weights: Vec<f32> },
    /// Each channel's mean over a window, times a number.
    Scale { window: Window, weights: Vec<f32> },
    /// The largest number of a window.
    Max { window: Window },
    /// A copy among others, from a channel on.
    Pack { channel: usize },
}

/// The folded steps of a net, and the values between them, of which there may be more than before.
pub(super) fn fold(weights: &Weights, steps: &mut Steps) -> Vec<Folded> {
    let waiting = waiting(steps);
    let mut folding = Folding { weights, steps, waiting, done: Vec::new() };
    for step in folding.steps.steps.clone() {
        folding.step(&step);
    }
    folding.done
}

/// For each value the convolution that makes it, if all that follows is one term of a sum.
fn waiting(steps: &Steps) -> Vec<Option<usize>> {
    let mut readers = vec![0; steps.values.len()];
    let mut terms = vec![0; steps.values.len()];
    readers[steps.output] += 1;
    for part in steps.values.iter().flat_map(|value| &value.parts) {
        readers[part.value] += 1;
    }
    for step in &steps.steps {
        match step {
            Step::Act { terms: all, .. } => all.iter().for_each(|term| {
                readers[term.value] += 1;
                terms[term.value] += 1;
            }),
            Step::Conv { from, .. } | Step::Max { from, .. } | Step::Mean { from, .. } => {
                readers[*from] += 1;
            }
            // It has been counted as a part.
            Step::Pack { .. } => {}
        }
    }
    let mut waiting = vec![None; steps.values.len()];
    for (index, step) in steps.steps.iter().enumerate() {
        if let Step::Conv { to, .. } = step
            && (readers[*to], terms[*to]) == (1, 1)
        {
            waiting[*to] = Some(index);
        }
    }
    waiting
}

struct Folding<'a> {
    weights: &'a Weights,
    steps: &'a mut Steps,
    waiting: Vec<Option<usize>>,
    done: Vec<Folded>,
}

impl Folding<'_> {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Conv { to, .. } if self.waiting[*to].is_some() => {}
            Step::Conv { to, .. } => {
                let term = Term { value: *to, norm: None, relu: false };
                self.conv(step, term, *to, None, false);
            }
            Step::Act { terms, relu, to } => self.act(terms, *relu, *to),
            Step::Max { window, from, to } => {
                self.plain(*from, *to, Work::Max { window: *window });
            }
            Step::Mean { window, from, to } => {
                let channels = self.value(*from).layout.channels;
                let share = 1.0 / (window.kernel[0] * window.kernel[1]) as f32;
                let weights = padded(&vec![share; channels]);
                self.plain(*from, *to, Work::Scale { window: *window, weights });
            }
            Step::Pack { from, to, channel } => {
                self.plain(*from, *to, Work::Pack { channel: *channel });
            }
        }
    }

    /// The sum of terms: what needs a step of its own gets one, and the last of them adds the other.
    fn act(&mut self, terms: &[Term], relu: bool, to: usize) {
        let [first, second] = match *terms {
            [term] => return self.term(term, to, None, relu),
            [first, second] => [first, second],
            _ => unreachable!("a sum has two terms"),
        };
        // The convolution that comes last does the addition, or else whatever is more than a value.
        let rank = |term: Term| (self.waiting[term.value], !term.is_plain());
        let (mut last, other) =
            if rank(first) > rank(second) { (first, second) } else { (second, first) };
        if last.relu && relu {
            last = self.made(last);
        }
        let other = self.made(other).value;
        self.term(last, to, Some(other), relu);
    }

    /// A term as a value of its own.
    fn made(&mut self, term: Term) -> Term {
        if term.is_plain() && self.waiting[term.value].is_none() {
            return term;
        }
        let value = match self.waiting[term.value] {
            // A convolution whose output nobody else sees leaves the term in its place.
            Some(_) => term.value,
            None => self.another_like(term.value),
        };
        self.term(term, value, None, false);
        Term { value, norm: None, relu: false }
    }

    fn another_like(&mut self, value: usize) -> usize {
        let layout = self.value(value).layout;
        self.steps.buffers.push(layout);
        let buffer = self.steps.buffers.len() - 1;
        self.steps.values.push(Value { layout, buffer, block: 0, parts: Vec::new() });
        self.waiting.push(None);
        self.steps.values.len() - 1
    }

    fn term(&mut self, term: Term, to: usize, add: Option<usize>, outer: bool) {
        if let Some(step) = self.waiting[term.value].take() {
            let step = self.steps.steps[step].clone();
            return self.conv(&step, term, to, add, outer);
        }
        let channels = self.value(term.value).layout.channels;
        let (scale, shift) = match term.norm {
            None => (vec![1.0; channels], vec![0.0; channels]),
            Some(norm) => self.weights.norm(norm).fold(),
        };
        let (weights, bias) = (padded(&scale), padded(&shift));
        let work = Work::Scale { window: Window::square(1, 1), weights };
        let from = term.value;
        self.done.push(Folded { from, to, work, bias, inner: term.relu, add, outer });
    }

    fn conv(&mut self, step: &Step, term: Term, to: usize, add: Option<usize>, outer: bool) {
        let Step::Conv { node, from, .. } = step else { unreachable!("it is a convolution") };
        let conv = self.weights.convolution(*node);
        let outputs = self.value(to).layout.channels;
        let bias = conv.bias.clone().unwrap_or_else(|| vec![0.0; outputs]);
        let (scale, bias) = match term.norm {
            None => (vec![1.0; outputs], bias),
            Some(norm) => {
                let (scale, shift) = self.weights.norm(norm).fold();
                let bias = bias.iter().zip(&scale).zip(shift);
                let bias = bias.map(|((bias, scale), shift)| bias * scale + shift).collect();
                (scale, bias)
            }
        };
        let an_output = conv.weight.len() / outputs;
        let weights: Vec<f32> = (conv.weight.iter().enumerate())
            .map(|(index, weight)| weight * scale[index / an_output])
            .collect();
        let (work, bias) = (Work::Conv { window: conv.window, weights }, padded(&bias));
        self.done.push(Folded { from: *from, to, work, bias, inner: term.relu, add, outer });
    }

    fn plain(&mut self, from: usize, to: usize, work: Work) {
        let bias = padded(&vec![0.0; self.value(to).layout.channels]);
        self.done.push(Folded { from, to, work, bias, inner: false, add: None, outer: false });
    }

    fn value(&self, value: usize) -> &Value {
        &self.steps.values[value]
    }
}
