//! Where everything of a frozen net lies, and who writes and masks which gradient.

use super::fold::{Folded, Work, fold};
use super::stage::{Back, Contribution, Order, Relu, Stage, View, Way};
use crate::engine::block::Block;
use crate::engine::convolution::Pass;
use crate::engine::max_pool::MaxPool;
use crate::engine::pack::Conv;
use crate::engine::picture::PictureGradient;
use crate::engine::plan::{Weights, Window, geometry};
use crate::engine::simd::Isa;
use crate::engine::steps::Steps;
use std::collections::HashMap;
use std::ops::Range;

/// The stages of a net, and the memory of an image.
pub(super) struct Built {
    pub stages: Vec<Stage>,
    /// Those that a stage uses; others stay empty.
    pub buffers: Vec<usize>,
    /// What goes to the head, and what the head does to its gradient.
    pub output: View,
    pub head: Contribution,
    pub picture: PictureGradient,
    /// The mask of the output, if it comes out of a ReLU.
    pub output_mask: Option<Range<usize>>,
    /// How many words of masks an image has, and which of them are set from the start: those of
    /// channels without a ReLU beside others with one.
    pub masks: usize,
    pub open: Vec<Range<usize>>,
}

/// The stages of `weights`, for values that lie as `steps` say.
pub(super) fn build(weights: &Weights, steps: &mut Steps, isa: Isa) -> Built {
    let folded = fold(weights, steps);
    let Work::Conv { window, weights: of_pictures } = &folded[0].work else {
        unreachable!("a net begins with a convolution")
    };
    let places = Places::new(steps, &folded);
    let mut stages: Vec<Stage> = folded.iter().map(|step| places.stage(step, isa)).collect();
    let mut buffers = places.sizes(&folded);
    let output = places.view(steps.output);
    let Stage { from, to, .. } = &stages[0];
    let window = geometry(*window, from.layout, to.layout.channels);
    let picture = PictureGradient::new(window, of_pictures, &weights.normalisation, to.layout, isa);
    let head = Backward::plan(&mut stages, &mut buffers, output, &places.masked);
    let output_mask = places.mask(output).filter(|_| {
        let last = folded.iter().rfind(|step| step.to == steps.output);
        last.is_some_and(|step| step.inner || step.outer)
    });
    let output_mask = output_mask.map(|start| start..start + output.layout.vectors());
    Built {
        open: places.open(&stages),
        masks: places.words,
        stages,
        buffers,
        output,
        head,
        picture,
        output_mask,
    }
}

/// Where values and masks lie.
struct Places<'a> {
    steps: &'a Steps,
    /// The border of all images of a height and width: the widest that any of them needs.
    borders: HashMap<[usize; 2], [usize; 2]>,
    /// The first word of a buffer's masks, if a ReLU writes there.
    masked: HashMap<usize, usize>,
    /// The first word of where each maximum was, by the value that it goes to.
    chosen: HashMap<usize, usize>,
    words: usize,
}

impl<'a> Places<'a> {
    fn new(steps: &'a Steps, folded: &[Folded]) -> Self {
        let (borders, masked, chosen) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut places = Self { steps, borders, masked, chosen, words: 0 };
        for step in folded {
            places.make_room(step);
        }
        for step in folded {
            let (from, to) = (&steps.values[step.from], &steps.values[step.to]);
            if step.inner || step.outer {
                let vectors = steps.buffers[to.buffer].vectors();
                let start = *places.masked.entry(to.buffer).or_insert(places.words);
                places.words = places.words.max(start + vectors);
            }
            if let Work::Max { window } = &step.work {
                places.chosen.insert(step.to, places.words);
                let window = geometry(*window, from.layout, 0);
                places.words += to.layout.vectors() * window.places();
            }
        }
        places
    }

    /// Widens the borders to what a step needs there and back.
    fn make_room(&mut self, step: &Folded) {
        let Some(window) = self.window(step) else { return };
        let (from, to) = (&self.steps.values[step.from], &self.steps.values[step.to]);
        for (layout, border) in [(from.layout, window.padding), (to.layout, window.reach())] {
            let widest = self.borders.entry([layout.height, layout.width]).or_default();
            *widest = [widest[0].max(border[0]), widest[1].max(border[1])];
        }
    }

    /// The window of a step's sums.
    fn window(&self, step: &Folded) -> Option<Conv> {
        let (from, to) = (&self.steps.values[step.from], &self.steps.values[step.to]);
        let window: Window = match &step.work {
            Work::Conv { window, .. } | Work::Scale { window, .. } => *window,
            Work::Max { .. } | Work::Pack { .. } => return None,
        };
        Some(geometry(window, from.layout, to.layout.channels))
    }

    fn bordered(&self, layout: Block) -> Block {
        let border = self.borders.get(&[layout.height, layout.width]).copied().unwrap_or_default();
        layout.bordered(border)
    }

    fn view(&self, value: usize) -> View {
        let value = &self.steps.values[value];
        let layout = self.bordered(value.layout);
        View { buffer: value.buffer, start: value.block * layout.plane(), layout }
    }

    /// The first word of the masks of a view, if its buffer has any.
    fn mask(&self, view: View) -> Option<usize> {
        let block = view.start / view.layout.plane();
        let first = block * view.layout.height * view.layout.width;
        self.masked.get(&view.buffer).map(|start| start + first)
    }

    /// The floats of each buffer that a step uses.
    fn sizes(&self, folded: &[Folded]) -> Vec<usize> {
        let mut sizes = vec![0; self.steps.buffers.len()];
        for value in folded.iter().flat_map(|step| [step.from, step.to]) {
            let buffer = self.steps.values[value].buffer;
            sizes[buffer] = self.bordered(self.steps.buffers[buffer]).len();
        }
        sizes
    }

    fn stage(&self, step: &Folded, isa: Isa) -> Stage {
        let (from, to) = (self.view(step.from), self.view(step.to));
        let way = match &step.work {
            Work::Max { window } => {
                let window = geometry(*window, self.steps.values[step.from].layout, 0);
                let pool = MaxPool { window, input: from.layout, output: to.layout };
                Way::Max { pool, chosen: self.chosen[&step.to] }
            }
            Work::Pack { channel } => Way::Pack { channel: *channel },
            _ => self.sum(step, (from, to), isa),
        };
        Stage { from, to, way, back: Back::default() }
    }

    fn sum(&self, step: &Folded, (from, to): (View, View), isa: Isa) -> Way {
        let window = self.window(step).expect("a sum has a window");
        let (a, b) = (from.layout, to.layout);
        let (forward, backward) = match &step.work {
            Work::Conv { weights, .. } => (
                Pass::forward(window, isa, weights, a, b),
                Pass::backward(window, isa, weights, b, a),
            ),
            Work::Scale { weights, .. } => (
                Pass::channelwise(window, isa, weights.clone(), a, b),
                Pass::channelwise_back(window, isa, weights.clone(), b, a),
            ),
            Work::Max { .. } | Work::Pack { .. } => unreachable!("it is no sum"),
        };
        let mask = || self.mask(to).expect("a buffer behind a ReLU has masks");
        let relu = match (step.inner, step.outer) {
            (true, _) => Some(Relu::Inner(mask())),
            (_, true) => Some(Relu::Outer(mask())),
            _ => None,
        };
        let (bias, add) = (step.bias.clone(), step.add.map(|value| self.view(value)));
        Way::Sum { forward, backward, bias, add, relu }
    }

    /// The masks of what no ReLU writes in buffers that have masks.
    fn open(&self, stages: &[Stage]) -> Vec<Range<usize>> {
        let without = stages.iter().filter(|stage| stage.relu().is_none());
        let masks = without.filter_map(|stage| {
            let start = self.mask(stage.to)?;
            Some(start..start + stage.to.layout.vectors())
        });
        masks.collect()
    }
}

impl Stage {
    pub fn relu(&self) -> Option<Relu> {
        match self.way {
            Way::Sum { relu, .. } => relu,
            Way::Max { .. } | Way::Pack { .. } => None,
        }
    }

    fn add(&self) -> Option<View> {
        match self.way {
            Way::Sum { add, .. } => add,
            Way::Max { .. } | Way::Pack { .. } => None,
        }
    }
}

impl View {
    /// The blocks of its buffer that it covers.
    fn blocks(self) -> Range<usize> {
        let first = self.start / self.layout.plane();
        first..first + self.layout.blocks()
    }
}

/// Who writes a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Head,
    /// A stage's own contribution to what came in.
    Own(usize),
    /// What a stage hands on.
    HandedOn,
}

/// Who has written the gradient of each block of each buffer, and who did so last.
struct Backward {
    last: HashMap<(usize, usize), Writer>,
}

impl Backward {
    /// Fills in every stage's way back, and returns what the head does.
    fn plan(
        stages: &mut [Stage],
        buffers: &mut Vec<usize>,
        output: View,
        masked: &HashMap<usize, usize>,
    ) -> Contribution {
        let taken = taken_along(stages);
        let mut backward = Self { last: HashMap::new() };
        backward.write(output, Writer::Head);
        for index in (0..stages.len()).rev() {
            if let Some(add) = stages[index].add()
                && !taken.values().any(|adder| *adder == index)
            {
                let order = backward.write(add, Writer::HandedOn);
                stages[index].back.hand_on = Some((stages[index].to, add, order));
            }
            if index > 0 {
                let order = backward.write(stages[index].from, Writer::Own(index));
                stages[index].back.own.order = order;
            }
        }
        let mut head = Contribution::default();
        for index in 0..stages.len() {
            backward.mask(stages, buffers, &mut head, output, masked, index);
        }
        // What adds an image behind its own ReLU leaves the other's gradient aside, unmasked.
        for index in 0..stages.len() {
            let source = stages[index].back.mask_first.and_then(|(_, open)| open);
            let source = source.or_else(|| left_open(stages, &head, output, index));
            let source = source.unwrap_or(stages[index].to);
            if let Some((from, _, _)) = &mut stages[index].back.hand_on {
                *from = source;
            }
            if let Some((taker, _)) = taken.iter().find(|(_, adder)| **adder == index) {
                stages[*taker].back.own.take_along = Some(source);
            }
        }
        head
    }

    /// Notes who writes to a view, and says whether it is the first.
    fn write(&mut self, view: View, writer: Writer) -> Order {
        let blocks = view.blocks().map(|block| (view.buffer, block));
        let before = blocks.map(|block| self.last.insert(block, writer));
        let written = before.filter(Option::is_some).count();
        assert!(
            written == 0 || written == view.layout.blocks(),
            "what has a part of a gradient has all of it"
        );
        if written == 0 { Order::First } else { Order::Later }
    }

    /// Has the mask of stage `index` applied by whoever writes last to the gradient of its output, or
    /// else by the stage itself.
    fn mask(
        &self,
        stages: &mut [Stage],
        buffers: &mut Vec<usize>,
        head: &mut Contribution,
        output: View,
        masked: &HashMap<usize, usize>,
        index: usize,
    ) {
        let Some(relu) = stages[index].relu() else { return };
        let to = stages[index].to;
        let (Relu::Inner(mask) | Relu::Outer(mask)) = relu;
        let leaves_open = matches!(relu, Relu::Inner(_)) && stages[index].add().is_some();
        let open = leaves_open.then(|| {
            buffers.push(to.layout.len());
            View { buffer: buffers.len() - 1, start: 0, ..to }
        });
        let writer = self.only_writer(to);
        let covered = match writer {
            Some(Writer::Head) => Some(output),
            Some(Writer::Own(stage)) if matches!(stages[stage].way, Way::Sum { .. }) => {
                Some(stages[stage].from)
            }
            _ => None,
        };
        let covered = covered.filter(|view| self.only_writer(*view) == writer);
        let covered = covered.filter(|view| open.is_none() || *view == to);
        // A mask would close channels of others in the same block that are still to be copied out.
        let covered = covered.filter(|view| !copies_later(stages, *view, writer));
        let Some(covered) = covered else {
            stages[index].back.mask_first = Some((mask, open));
            return;
        };
        let contribution = match writer {
            Some(Writer::Own(stage)) => &mut stages[stage].back.own,
            _ => head,
        };
        let first = covered.blocks().start * to.layout.height * to.layout.width;
        contribution.mask = masked.get(&to.buffer).map(|start| start + first);
        contribution.open = contribution.open.or(open);
    }

    /// Who writes last to all blocks of a view, if it is one.
    fn only_writer(&self, view: View) -> Option<Writer> {
        let mut writers = view.blocks().map(|block| self.last.get(&(view.buffer, block)).copied());
        let first = writers.next()??;
        writers.all(|writer| writer == Some(first)).then_some(first)
    }
}

/// Whether a stage copies channels out of the gradient of a view's buffer after a writer has been there.
fn copies_later(stages: &[Stage], view: View, writer: Option<Writer>) -> bool {
    let after = |index: usize| match writer {
        Some(Writer::Own(stage)) => index < stage,
        _ => true,
    };
    stages.iter().enumerate().any(|(index, stage)| {
        matches!(stage.way, Way::Pack { .. }) && stage.to.buffer == view.buffer && after(index)
    })
}

/// Where the gradient at the output of stage `index` is left without a mask by its last writer.
fn left_open(stages: &[Stage], head: &Contribution, output: View, index: usize) -> Option<View> {
    if !matches!(stages[index].relu(), Some(Relu::Inner(_))) || stages[index].add().is_none() {
        return None;
    }
    let to = stages[index].to;
    let by_stages = stages.iter().filter(|stage| stage.from == to).find_map(|s| s.back.own.open);
    by_stages.or(head.open.filter(|_| output == to))
}

/// Which stage takes along the gradient that which other stage would have to hand on: the first on the
/// way back that writes to exactly the image that was added.
fn taken_along(stages: &[Stage]) -> HashMap<usize, usize> {
    let mut taken = HashMap::new();
    for (adder, stage) in stages.iter().enumerate().rev() {
        let Some(add) = stage.add() else { continue };
        let takes = |index: &usize| {
            let stage = &stages[*index];
            stage.from == add && matches!(stage.way, Way::Sum { .. }) && !taken.contains_key(index)
        };
        if let Some(taker) = (1..adder).rev().find(takes) {
            taken.insert(taker, adder);
        }
    }
    taken
}
