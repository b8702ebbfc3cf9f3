//! Shows on the terminal what a cell gives, as it came.

use std::io::{self, IsTerminal, Write};

use super::input::Input;
use crate::notebook::Screen;
use crate::session::{Audience, CellError, Handle, Output, Question};

/// Follows one cell.
pub struct Viewer<'a> {
    screen: &'a mut Screen,
    input: &'a mut Input,
    handle: &'a Handle,
    /// The last thing shown did not end its line.
    is_inside_line: bool,
}

impl<'a> Viewer<'a> {
    /// A viewer that asks the user through `input` what the cell wants to know.
    pub fn new(screen: &'a mut Screen, input: &'a mut Input, handle: &'a Handle) -> Self {
        Viewer { screen, input, handle, is_inside_line: false }
    }

    /// The cell is over: what it left open is closed, so that the prompt has its own line.
    pub fn end(self) {
        self.screen.settle();
        if self.is_inside_line && self.input.is_typed() {
            println!();
        }
    }

    fn print(&mut self, text: &str) {
        self.screen.print(text);
        self.is_inside_line = !text.ends_with('\n');
    }

    fn value(&mut self, bundle: &crate::session::Bundle) {
        let start = if self.is_inside_line { "\n" } else { "" };
        let text = match bundle.get("text/plain") {
            Some(text) => text.trim_end().to_owned(),
            None => {
                let kinds: Vec<_> = bundle.keys().map(String::as_str).collect();
                format!("({})", kinds.join(", "))
            }
        };
        self.print(&format!("{start}{text}\n"));
    }
}

impl Audience for Viewer<'_> {
    fn hear(&mut self, output: Output) {
        match &output {
            Output::Stdout(text) => self.print(text),
            Output::Stderr(text) => {
                let text = text.clone();
                self.screen.pause(|| eprint!("{text}"));
            }
            Output::Shown(bundle, _) | Output::Updated(bundle, _) => self.value(bundle),
            Output::Progress(_) | Output::Stage(_) | Output::Live(..) | Output::Cleared(_) => {
                self.screen.show(&output);
            }
        }
    }

    fn answer(&mut self, question: &Question) -> Option<String> {
        self.screen.settle();
        let answer = self.input.ask(question);
        if answer.is_none() && self.input.is_typed() {
            // Ctrl-C is a key like any other in the editor, so nobody else has seen it.
            self.handle.interrupt();
        }
        answer
    }
}

/// Says why a cell failed.
pub fn complain(error: &CellError) {
    let text = error.text();
    let is_plain = !text.contains('\x1b');
    let mut stderr = io::stderr();
    let text = match text.split_once(':') {
        Some((kind, rest)) if is_plain && stderr.is_terminal() => {
            format!("\x1b[1;31m{kind}\x1b[0m:{rest}")
        }
        _ => text,
    };
    // There is nobody left to tell about a terminal that is gone.
    let _ = writeln!(stderr, "{}", text.trim_end());
}
