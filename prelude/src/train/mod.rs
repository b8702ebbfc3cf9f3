//! Training: recipes with every hyper-parameter by name, the loop, the log.

mod batches;
mod checkpoint;
mod log;
mod recipe;
mod schedule;
mod sets;
mod sgd;
mod trainer;

pub use log::{Epoch, Log};
pub use recipe::Recipe;
pub use schedule::Schedule;

#[cfg(test)]
mod tests;
