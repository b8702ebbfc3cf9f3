//! The numeric engine: a net's forward and backward pass on the CPU, fused and vectorised.
//!
//! It computes what the dfdx graph in [`crate::net`] computes, and is held against it.

mod batch_norm;
mod block;
mod channelwise;
mod conv;
mod convolution;
mod dropout;
mod finish;
mod frozen;
mod head;
mod max_pool;
mod memory;
mod pack;
mod pack_channels;
mod peak;
mod picture;
mod plan;
mod pool;
mod simd;
mod steps;
mod tape;
#[cfg(test)]
mod tests;
mod training;
mod weight_gradient;
mod winograd;

pub(crate) use dropout::Dropout;
pub(crate) use frozen::Frozen;
pub(crate) use head::Head;
pub(crate) use picture::Normalisation;
pub use plan::Window;
pub(crate) use plan::{Convolution, Kind, NORM_MOMENTUM, Node, Norm, Weights};
pub use simd::Isa;
pub use tape::{Batch, CpuTape};
pub(crate) use tape::{Learner, batch, cross_entropy, frozen, one_hot, parameters};
pub(crate) use tape::{training, values};
pub(crate) use training::Training;

pub mod bench;
