//! One step of a frozen net: how it is taken there, and how its gradient is taken back.

use crate::engine::block::Block;
use crate::engine::convolution::Pass;
use crate::engine::max_pool::MaxPool;

/// An image, or some of its channels, in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub buffer: usize,
    /// How many floats it lies behind the buffer's start.
    pub start: usize,
    pub layout: Block,
}

/// A step there, `from` one view `to` another, and back.
pub(super) struct Stage {
    pub from: View,
    pub to: View,
    pub way: Way,
    pub back: Back,
}

/// What a stage computes.
pub(super) enum Way {
    /// Sums, to which a number a channel is added, and perhaps another image.
    Sum { forward: Pass, backward: Pass, bias: Vec<f32>, add: Option<View>, relu: Option<Relu> },
    /// The largest number of each window. Where it was is noted from word `chosen` of the masks on.
    Max { pool: MaxPool, chosen: usize },
    /// A copy among others, from a channel on.
    Pack { channel: usize },
}

/// Where the ReLU of a sum is, and the first word of its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relu {
    /// Before the other image is added.
    Inner(usize),
    /// Behind it.
    Outer(usize),
}

/// What happens to gradients at a stage, once that at `to` is complete.
#[derive(Clone, Debug, Default)]
pub(super) struct Back {
    /// A mask that is still to be applied to the gradient at `to`, and where to leave what it was.
    pub mask_first: Option<(usize, Option<View>)>,
    /// The gradient at `to` also belongs to another image and has to be handed on, as no stage takes it
    /// along: from, to, and whether it is the first there.
    pub hand_on: Option<(View, View, Order)>,
    /// What the stage writes to the gradient at `from`.
    pub own: Contribution,
}

/// Whether a gradient is the first to arrive, or is added to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    First,
    Later,
}

/// A gradient on its way to an image.
#[derive(Clone, Debug, Default)]
pub(super) struct Contribution {
    pub order: Order,
    /// Another gradient of the same image, that is taken along.
    pub take_along: Option<View>,
    /// The mask to apply, as this is the last contribution.
    pub mask: Option<usize>,
    /// Where to leave what it was before.
    pub open: Option<View>,
}
