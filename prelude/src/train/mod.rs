//! Training: recipes with every hyper-parameter by name, the loop, the log.

mod batches;
mod checkpoint;
mod curve;
mod descent;
mod log;
mod recipe;
mod schedule;
mod sets;
mod sgd;
mod speed;
mod tally;
mod trainer;
mod watch;

pub(crate) use descent::Descend;
#[cfg(any(feature = "cuda", test))]
pub(crate) use descent::Seen;
pub use log::{Epoch, Interruption, Log};
pub use recipe::Recipe;
pub use schedule::Schedule;
#[cfg(any(feature = "cuda", test))]
pub(crate) use sgd::Sgd;
pub(crate) use sgd::Step;

#[cfg(test)]
mod tests;
