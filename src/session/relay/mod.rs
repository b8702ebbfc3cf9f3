//! What stands between evcxr and a running cell: two processes of this same binary.
//!
//! evcxr starts the *supervisor* and believes that it is the process in which cells run. The
//! supervisor starts the *cell process*, in a group of its own, with pipes for its three streams.
//! It hands evcxr's commands on, and puts everything that the cell writes, to standard output and
//! to standard error, into one ordered stream of lines for evcxr, in a form that loses nothing:
//! text travels in *escape lines* (`\x1e` and JSON), which evcxr forwards untouched and
//! [`super::output`] reads again. When the cell process dies, the supervisor passes on what it left
//! behind and ends in the same way; when evcxr is gone, the cell process is ended.

mod cell;
mod questions;
mod standard_input;
mod supervisor;
mod translator;

use std::env;

pub use questions::{answer_for_evcxr, prompt_from_evcxr};

/// Starts every escape line.
pub const ESCAPE: char = '\u{1e}';
/// Says in a cell process that the relay is wanted, and to the prelude that escape lines are read.
pub const FRONT: (&str, &str) = ("ERM_FRONT", "lines");
/// Names the file that exists while somebody listens to what cells give. Before that, evcxr runs a
/// cell of its own, `42`, and waits for ever if anything comes that it cannot read itself.
pub const LISTENING: &str = "ERM_LISTENING";

/// Tells the cell process from the supervisor that started it.
const CELL: (&str, &str) = ("ERM_RELAY", "cell");
/// What evcxr's command to run a compiled cell starts with.
const RUN: &str = "LOAD_AND_RUN ";

/// Becomes the supervisor, or prepares this process for cells, if evcxr started us for that.
/// Without our front (a stock kernel, or no cell process) nothing changes.
pub fn install() -> std::io::Result<()> {
    let is = |(name, value): (&str, &str)| env::var(name).as_deref() == Ok(value);
    if env::var_os("EVCXR_IS_RUNTIME").is_none() || !is(FRONT) {
        Ok(())
    } else if is(CELL) {
        cell::prepare()
    } else {
        supervisor::supervise()
    }
}
