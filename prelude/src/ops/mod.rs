//! What dfdx lacks on a stable compiler: convolution, batch norm and pooling over its public operations.
//!
//! Images lie channels first and batch last, `(C·H·W, B)`, with shapes known at run time: then a
//! convolution is a gather of window rows and one matrix product, and a batch norm is a mean over one
//! axis. Nothing here is tied to a device. It is slow, and it is the reference.

mod batch_norm;
mod pool;
mod window;

pub use batch_norm::{Moments, batch_norm, batch_norm_frozen, moments};
pub use pool::mean_over_pixels;
pub use window::{Size, conv, max_pool, mean_pool};

use dfdx::prelude::*;

/// A matrix whose shape is known at run time.
pub type Matrix<D, T = NoneTape> = Tensor<(usize, usize), f32, D, T>;

/// A vector whose length is known at run time.
pub type Row<D> = Tensor<(usize,), f32, D>;
