//! What can be said about a cell without running it.

use std::ops::Range;

use super::Bundle;

/// What fits at a place in a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completions {
    /// The candidates: what to insert and what kind of thing it is.
    pub matches: Vec<(String, &'static str)>,
    /// The bytes of the cell that a candidate replaces.
    pub replaced: Range<usize>,
}

/// Whether a cell is ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It can be run.
    Complete,
    /// More lines are needed; the next one starts with this indent.
    Incomplete(String),
    /// No further lines can make it right.
    Invalid,
}

/// Whether a cell can be run as it is, or wants more lines.
pub fn completeness(_code: &str) -> Completeness {
    Completeness::Complete
}

impl super::Session {
    /// What fits at a byte of a cell.
    pub fn complete(&mut self, code: &str, at: usize) -> Completions {
        let Ok(found) = self.context.completions(code, at) else { return Completions::default() };
        Completions {
            matches: found.completions.into_iter().map(|it| (it.code, it.kind)).collect(),
            replaced: found.start_offset..found.end_offset,
        }
    }

    /// What is known about the thing at a byte of a cell, as text and as HTML.
    pub fn inspect(&mut self, code: &str, at: usize) -> Option<Bundle> {
        let (plain, html) = self.context.hover_at(code, at).ok()?;
        let known = !plain.is_empty();
        known.then(|| [("text/plain".to_owned(), plain), ("text/html".to_owned(), html)].into())
    }
}
