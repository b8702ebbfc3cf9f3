//! The only room that talks to the front end: what a value shows, how far a long job is,
//! which stage a cell has reached.
//!
//! Everything goes to standard output. A value that shows itself prints evcxr content blocks.
//! A long job prints machine-readable lines when `ERM_FRONT=lines` says that Erm's own runner
//! reads them, and otherwise a plain line every few seconds. A reader who has gone away (a closed
//! pipe) never stops a computation.

mod job;
mod progress;

use std::env;
use std::io::{self, Write};

pub use progress::Progress;
use serde_json::json;

/// Says which stage a cell has reached, such as "attacking the training images".
pub fn stage(text: &str) {
    say(&stage_line(Front::of_this_process(), text));
}

/// Shows one value in several forms, `(MIME type, content)` each; the front end picks the richest.
///
/// All blocks leave in one write, so that no other thread's line can fall between them.
pub fn blocks(forms: &[(&str, &str)]) {
    say(&envelope(forms));
}

/// Lets values show their `Display` form when they are the last line of a cell.
macro_rules! shows_as_text {
    ($($type:ty),+ $(,)?) => {$(
        impl $type {
            /// Shows the value as text when it is the last line of a cell.
            pub fn evcxr_display(&self) {
                $crate::show::blocks(&[("text/plain", &self.to_string())]);
            }
        }
    )+};
}
pub(crate) use shows_as_text;

/// Who reads this process's standard output.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Front {
    /// Erm's runner, which wants one JSON object a line.
    Lines,
    /// A person, a stock kernel or a pipe.
    Plain,
}

impl Front {
    fn of_this_process() -> Self {
        match env::var("ERM_FRONT").as_deref() {
            Ok("lines") => Self::Lines,
            _ => Self::Plain,
        }
    }
}

/// Marks a line as a message to the runner; no ordinary text starts with it.
const MARK: char = '\x1e';

fn stage_line(front: Front, text: &str) -> String {
    match front {
        Front::Lines => format!("{MARK}{}\n", json!({ "stage": text })),
        Front::Plain => format!("{text}\n"),
    }
}

fn envelope(forms: &[(&str, &str)]) -> String {
    let mut all = String::new();
    for (mime, content) in forms {
        all.push_str(&format!(
            "EVCXR_BEGIN_CONTENT {mime}\n{}\nEVCXR_END_CONTENT\n",
            content.trim_end_matches('\n')
        ));
    }
    all
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
    fn a_stage_is_a_marked_json_line_for_the_runner_and_a_plain_line_for_a_person() {
        let line = stage_line(Front::Lines, "say \"hi\"\nthere");
        assert_eq!(line, "\x1e{\"stage\":\"say \\\"hi\\\"\\nthere\"}\n");
        assert_eq!(stage_line(Front::Plain, "training"), "training\n");
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

    #[test]
    fn every_form_is_one_evcxr_block_and_ends_its_own_line() {
        let text = envelope(&[("text/plain", "a\nb\n"), ("text/html", "<b>a</b>")]);
        assert_eq!(
            text,
            "EVCXR_BEGIN_CONTENT text/plain\na\nb\nEVCXR_END_CONTENT\n\
             EVCXR_BEGIN_CONTENT text/html\n<b>a</b>\nEVCXR_END_CONTENT\n"
        );
    }
}
