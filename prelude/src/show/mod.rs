//! The only room that talks to the front end: what a value shows, how far a long job is, which
//! stage a cell has reached, what the user answers, and whether the user wants it to stop.
//!
//! Everything goes to standard output. Where Erm's own session reads it (`ERM_FRONT=lines`), a
//! message is one line, `\x1e` and JSON; a stock evcxr gets its content blocks, and anybody else gets
//! text. The value of a cell's last line is a content block for both kinds of kernel, since evcxr
//! itself knows no other way. A reader who has gone away (a closed pipe) never stops a computation.

mod ask;
mod display;
mod forms;
mod interrupt;
mod job;
mod last_line;
mod live;
mod panics;
mod progress;
mod stop;

use std::env;
use std::io::{self, IsTerminal, Write};

pub use ask::{input, password};
pub use display::{Shown, clear_output, clear_output_with_next, display};
pub use forms::{Content, Forms, Show, html, markdown, png, svg};
pub(crate) use forms::{answer, shows, shows_as_text};
pub use interrupt::{check_interrupt, interrupted};
#[cfg(test)]
pub(crate) use interrupt::{interrupted_after, killed_after};
pub use last_line::LastLine;
pub use live::Live;
pub use progress::Progress;
use serde_json::{Value, json};
pub use stop::{stop_after, stop_on_signals};

/// Prepares a process for the cells of Erm's own session, which calls this once in each cell
/// process, in a cell of its own before the user's first.
///
/// From then on the interrupt flag is known (`ERM_INTERRUPT` is taken out of the environment, since
/// its address means nothing to a program that a cell may start), and a panic is an escape line
/// `{"panic":{"message","file","line","column","frames"}}` instead of text on standard error. A
/// panic away from the cell's own thread also has its `"thread"`, by name. `frames` holds the user's
/// functions, the innermost first, without the cell crate's name; the cell itself is
/// `run_user_code_<n>`.
///
/// Such a line is a report and not yet a failure, since nobody knows at that time whether the panic
/// will be caught. Whoever reads it waits for the end of the cell: if the cell has panicked, the last
/// report says why (a panic in a thread of rayon goes on in the cell's own without another report);
/// every other report is what Rust would have written to standard error.
///
/// Without `ERM_FRONT=lines` this does nothing.
pub fn begin() {
    if Front::of_this_process() == Front::Lines {
        interrupt::keep_flag();
        panics::report_them();
    }
}

/// Says which stage a cell has reached, such as "attacking the training images".
pub fn stage(text: &str) {
    say(&stage_line(Front::of_this_process(), text));
}

/// Who reads this process's standard output.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Front {
    /// Erm's session, which wants one JSON object a line.
    Lines,
    /// A stock evcxr, which knows content blocks.
    Evcxr,
    /// A person, who sees a line change.
    Terminal,
    /// A file or another program.
    Pipe,
}

impl Front {
    fn of_this_process() -> Self {
        if env::var("ERM_FRONT").is_ok_and(|front| front == "lines") {
            Self::Lines
        } else if env::var_os("EVCXR_IS_RUNTIME").is_some() {
            Self::Evcxr
        } else if io::stdout().is_terminal() {
            Self::Terminal
        } else {
            Self::Pipe
        }
    }
}

/// Marks a line as a message to the session; no ordinary text starts with it.
const MARK: char = '\x1e';

/// A message to the session.
fn escape(message: &Value) -> String {
    format!("{MARK}{message}\n")
}

fn stage_line(front: Front, text: &str) -> String {
    match front {
        Front::Lines => escape(&json!({ "stage": text })),
        _ => format!("{text}\n"),
    }
}

/// Writes `text` to standard output at once.
fn say(text: &str) {
    say_to(&mut io::stdout().lock(), text);
}

/// Unlike `print!`, this does not panic when nobody reads any more.
fn say_to(out: &mut impl Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_a_marked_json_line_for_the_session_and_a_plain_line_for_a_person() {
        let line = stage_line(Front::Lines, "say \"hi\"\nthere");
        assert_eq!(line, "\x1e{\"stage\":\"say \\\"hi\\\"\\nthere\"}\n");
        assert_eq!(stage_line(Front::Terminal, "training"), "training\n");
    }

    #[test]
    fn a_reader_who_has_gone_away_stops_nothing() {
        struct Closed(usize);
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let mut closed = Closed(0);
        say_to(&mut closed, "still computing\n");
        assert_eq!(closed.0, 1);
    }
}
