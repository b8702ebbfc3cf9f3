//! What the line editor asks us while somebody types.

use std::borrow::Cow;

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use crate::session::{Analyst, Completeness, completeness};

/// What is being typed.
#[derive(Clone, Copy, PartialEq)]
pub enum Typed {
    /// A cell.
    Cell,
    /// The answer to a question, which is any text at all.
    Answer,
    /// An answer that must not be seen.
    Secret,
}

/// Helps whoever types.
pub struct Typing {
    /// Knows what fits at a place in a cell.
    pub analyst: Analyst,
    /// What it helps with now.
    pub typed: Typed,
}

impl Helper for Typing {}

impl Highlighter for Typing {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        // What is secret is hidden by drawing something else.
        match self.typed {
            Typed::Secret => "*".repeat(line.chars().count()).into(),
            Typed::Cell | Typed::Answer => line.into(),
        }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.typed == Typed::Secret && kind != CmdKind::MoveCursor
    }
}

impl Hinter for Typing {
    type Hint = String;
}

impl Completer for Typing {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        if self.typed != Typed::Cell {
            return Ok((at, vec![]));
        }
        let found = self.analyst.complete(line, at);
        Ok((
            found.replaced.start.min(at),
            found.matches.into_iter().map(|(code, _)| code).collect(),
        ))
    }
}

impl Validator for Typing {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(match completeness(context.input()) {
            Completeness::Incomplete(_) if self.typed == Typed::Cell => {
                ValidationResult::Incomplete
            }
            // The compiler says best what is wrong.
            _ => ValidationResult::Valid(None),
        })
    }
}
