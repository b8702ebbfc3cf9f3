//! What the line editor asks us while somebody types.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use crate::session::{Completeness, Session, completeness};

/// Helps with a cell.
pub struct Typing {
    /// Knows what fits at a place in a cell.
    pub session: Rc<RefCell<Session>>,
}

impl Helper for Typing {}
impl Highlighter for Typing {}
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
        // A session that is busy has no time for this.
        let Ok(mut session) = self.session.try_borrow_mut() else { return Ok((at, vec![])) };
        let found = session.complete(line, at);
        Ok((
            found.replaced.start.min(at),
            found.matches.into_iter().map(|(code, _)| code).collect(),
        ))
    }
}

impl Validator for Typing {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(match completeness(context.input()) {
            Completeness::Incomplete(_) => ValidationResult::Incomplete,
            // The compiler says best what is wrong.
            Completeness::Complete | Completeness::Invalid => ValidationResult::Valid(None),
        })
    }
}

/// Helps with the answer to a question, which is any text at all.
pub struct Asking {
    /// What is typed must not be seen.
    pub is_secret: bool,
}

impl Helper for Asking {}
impl Validator for Asking {}
impl Completer for Asking {
    type Candidate = String;
}
impl Hinter for Asking {
    type Hint = String;
}

impl Highlighter for Asking {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.is_secret { "*".repeat(line.chars().count()).into() } else { line.into() }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.is_secret && kind != CmdKind::MoveCursor
    }
}
