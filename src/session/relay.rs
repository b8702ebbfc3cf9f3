//! The first thing that runs in a cell process: it reads what cells print and hands it on in a
//! form that loses nothing.
//!
//! evcxr's own protocol keeps a single block of content for each MIME type and swallows the lines
//! that say that a cell panicked or left by `?`. The relay turns both into escape lines (`\x1e` and
//! JSON), which evcxr forwards in order and untouched; [`super::output`] reads them again.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;

use serde_json::json;

/// Starts every escape line.
pub const ESCAPE: char = '\u{1e}';
/// Says in a cell process that [`install`] is wanted, and to the prelude that progress is drawn.
pub const FRONT: (&str, &str) = ("ERM_FRONT", "lines");
/// Written to standard output and to standard error after each cell, so that a reader of both knows
/// when it has everything.
pub const END_OF_CELL: &str = "\u{1e}{\"end\":true}";

const COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";
const PANICKED: &str = "EVCXR_PANIC_NOTIFICATION";
const LEFT_BY_ERROR: &str = "EVCXR_ERROR_OCCURRED";
const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &str = "EVCXR_END_CONTENT";
/// What evcxr's own first cell, `42`, prints. evcxr waits until somebody has read every other line,
/// but it lets nobody read before that cell has ended.
const GREETING: [&str; 4] = ["EVCXR_BEGIN_CONTENT text/plain", "42", END, COMPLETE];

/// Puts the relay between this process's standard output and the reader, if this is a cell process
/// of one of our sessions. Without it (a stock kernel, or no cell process) nothing changes.
pub fn install() -> std::io::Result<()> {
    let is_cell = std::env::var_os("EVCXR_IS_RUNTIME").is_some();
    if !is_cell || std::env::var(FRONT.0).as_deref() != Ok(FRONT.1) {
        return Ok(());
    }
    // evcxr asks for a trace of every panic; it takes a while to make and names generated code.
    // SAFETY: this is the first thing the process does, so no other thread runs yet.
    unsafe { std::env::set_var("RUST_BACKTRACE", "0") };
    let reader = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    let (cells, ours) = std::io::pipe()?;
    rustix::stdio::dup2_stdout(&ours)?;
    std::thread::spawn(move || pump(BufReader::new(cells), reader));
    Ok(())
}

/// Copies until either side is closed; there is nobody left to tell about a failure.
fn pump(mut cells: impl BufRead, mut reader: impl Write) {
    let mut translator = Translator::default();
    let mut line = Vec::new();
    while cells.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        let text = String::from_utf8_lossy(&line);
        for out in translator.translate(text.trim_end_matches(['\n', '\r'])) {
            if out == END_OF_CELL {
                eprintln!("{out}");
            }
            if writeln!(reader, "{out}").and_then(|()| reader.flush()).is_err() {
                return;
            }
        }
        line.clear();
    }
}

/// Turns evcxr's lines into ours, one at a time.
#[derive(Default)]
struct Translator {
    /// The MIME type and the lines so far of a block of content that has not ended yet.
    block: Option<(String, Vec<String>)>,
    /// How many of the process's lines so far are those of the greeting, until one is not.
    greeting: usize,
}

impl Translator {
    fn translate(&mut self, line: &str) -> Vec<String> {
        if GREETING.get(self.greeting) == Some(&line) {
            self.greeting += 1;
            let all = self.greeting == GREETING.len();
            return if all { GREETING.map(str::to_owned).to_vec() } else { vec![] };
        }
        let held = if self.greeting < GREETING.len() { self.greeting } else { 0 };
        self.greeting = GREETING.len();
        let lines = GREETING[..held].iter().copied().chain([line]);
        lines.flat_map(|line| self.after_greeting(line)).collect()
    }

    fn after_greeting(&mut self, line: &str) -> Vec<String> {
        for sentinel in [COMPLETE, PANICKED, LEFT_BY_ERROR] {
            if let Some(before) = line.strip_suffix(sentinel) {
                let mut out = if before.is_empty() { vec![] } else { self.content(before) };
                self.block = None;
                out.push(meaning(sentinel));
                out.push(sentinel.to_owned());
                return out;
            }
        }
        self.content(line)
    }

    fn content(&mut self, line: &str) -> Vec<String> {
        if line == END && self.block.is_some() {
            let (mime, lines) = self.block.take().unwrap_or_default();
            return vec![escape(json!({"content": {"mime": mime, "text": lines.join("\n")}}))];
        }
        if let Some((_, lines)) = &mut self.block {
            lines.push(line.to_owned());
            return vec![];
        }
        let Some((before, mime)) = line.split_once(BEGIN) else { return vec![line.to_owned()] };
        self.block = Some((mime.trim().to_owned(), Vec::new()));
        if before.is_empty() { vec![] } else { vec![before.to_owned()] }
    }
}

fn meaning(sentinel: &str) -> String {
    match sentinel {
        PANICKED => escape(json!({"failed": "panic"})),
        LEFT_BY_ERROR => escape(json!({"failed": "error"})),
        _ => END_OF_CELL.to_owned(),
    }
}

fn escape(value: serde_json::Value) -> String {
    format!("{ESCAPE}{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relayed(lines: &[&str]) -> Vec<String> {
        let mut translator = Translator::default();
        lines.iter().flat_map(|line| translator.translate(line)).collect()
    }

    #[test]
    fn plain_lines_pass_untouched() {
        assert_eq!(relayed(&["one", "", "\u{1e}{\"stage\":\"two\"}"]).len(), 3);
    }

    #[test]
    fn two_blocks_of_one_type_both_arrive() {
        let block = ["EVCXR_BEGIN_CONTENT text/html", "<b>", "</b>", "EVCXR_END_CONTENT"];
        let out = relayed(&[block, block].concat());
        assert_eq!(out.len(), 2);
        assert_eq!(out[0], "\u{1e}{\"content\":{\"mime\":\"text/html\",\"text\":\"<b>\\n</b>\"}}");
    }

    #[test]
    fn the_greeting_alone_passes_as_it_is() {
        assert_eq!(relayed(&GREETING), GREETING);
        let other = relayed(&["EVCXR_BEGIN_CONTENT text/plain", "43", END]);
        assert_eq!(other, ["\u{1e}{\"content\":{\"mime\":\"text/plain\",\"text\":\"43\"}}"]);
        let later = relayed(&[&["first"], &GREETING[..]].concat());
        assert_eq!(later[2..], [END_OF_CELL, COMPLETE]);
    }

    #[test]
    fn a_partial_line_does_not_hide_the_end_of_the_cell() {
        assert_eq!(relayed(&["halfEVCXR_EXECUTION_COMPLETE"]), ["half", END_OF_CELL, COMPLETE]);
    }

    #[test]
    fn a_panic_inside_a_block_ends_it_and_is_reported() {
        let out = relayed(&["EVCXR_BEGIN_CONTENT text/html", "<b>", PANICKED, "after"]);
        assert_eq!(out, ["\u{1e}{\"failed\":\"panic\"}", PANICKED, "after"]);
    }
}
