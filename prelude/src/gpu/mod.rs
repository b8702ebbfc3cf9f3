//! The engine on a GPU: kernels of our own and products of matrices, on numbers that stay there.
//!
//! It computes what the engine on the CPU and dfdx's graph compute. Its kernels are plain CUDA C
//! (`kernels/*.cu`), compiled when the first net goes to the GPU; everything else is Rust that asks a
//! [`Machine`](machine::Machine) for memory, kernels and products. In tests a processor stands in for
//! that machine and runs the same source.

mod backward;
mod convolution;
#[cfg(feature = "cuda")]
mod cuda;
mod descent;
mod fixed;
mod forward;
mod machine;
mod memory;
mod model;
mod party;
#[cfg(test)]
pub(crate) mod simulated;
mod source;
#[cfg(test)]
mod tests;
mod windows;
mod winograd;

#[cfg(feature = "cuda")]
pub(crate) use cuda::{dfdx, name, open, probe};
pub(crate) use descent::Descent;
pub(crate) use fixed::Fixed;
#[cfg(any(feature = "cuda", test))]
pub(crate) use machine::Sums;
#[cfg(feature = "cuda")]
pub(crate) use memory::Hands;
