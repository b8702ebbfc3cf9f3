//! Finds the lines of a cell again in the crate that evcxr made of it.

use std::collections::HashMap;

use super::statements::{Kind, Statements};

/// Which lines of the generated source are which lines of the cell.
#[derive(Default)]
pub struct Places {
    /// For a generated line, from 1: the line of the cell, from 1, and how many characters of that
    /// line come before its text in the generated one.
    lines: HashMap<usize, (usize, usize)>,
}

impl Places {
    /// Compares a cell with the source that was generated from it. evcxr copies every statement as
    /// it is, and starts it on a line of its own.
    pub fn find(cell: &str, source: &str) -> Places {
        let mut places = Places::default();
        let mut reached = source.find("fn run_user_code_").unwrap_or_default();
        for (range, kind) in Statements::of(cell).parts() {
            let (before, text) = (&cell[..range.start], &cell[range]);
            let from = if kind == Kind::Item { 0 } else { reached };
            let Some(at) = find_lines(source, from, text) else { continue };
            if kind != Kind::Item {
                reached = at + text.len();
            }
            let line = number_of(before);
            let start = before.rfind('\n').map_or(0, |end| end + 1);
            let generated = number_of(&source[..at]);
            for offset in 0..text.lines().count() {
                let gap = if offset == 0 { before[start..].chars().count() } else { 0 };
                places.lines.insert(generated + offset, (line + offset, gap));
            }
        }
        places
    }

    /// The line and the column in the cell, both from 1, of a place in the generated source.
    pub fn of(&self, line: usize, column: usize) -> Option<(usize, usize)> {
        self.lines.get(&line).map(|(line, gap)| (*line, column + gap))
    }
}

/// The number of the line that follows this text.
fn number_of(before: &str) -> usize {
    before.matches('\n').count() + 1
}

/// Where whole lines with this text are, not before `from`.
fn find_lines(source: &str, from: usize, text: &str) -> Option<usize> {
    let is_at_start = |at: &usize| *at == 0 || source[..*at].ends_with('\n');
    let is_whole = |at: &usize| {
        let after = &source[at + text.len()..];
        text.ends_with('\n') || after.is_empty() || after.starts_with('\n')
    };
    let found = source[from..].match_indices(text).map(|(at, _)| from + at);
    found.into_iter().find(|at| is_at_start(at) && is_whole(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_is_found_where_it_was_copied() {
        let cell = ":vars\nfn f() {\n    g()\n}\nlet é = 1; let b = é;\nb\n";
        let source = "#![allow(x)]\nfn f() {\n    g()\n}\nb\npub fn run_user_code_3() {\n\
                      let é = 1; \nlet b = é;\n\n(\nb\n\n).evcxr_display();\n}\n";
        let places = Places::find(cell, source);
        assert_eq!(places.of(3, 5), Some((3, 5)));
        assert_eq!(places.of(7, 5), Some((5, 5)));
        assert_eq!(places.of(8, 9), Some((5, 20)));
        assert_eq!(places.of(11, 1), Some((6, 1)));
        assert_eq!([1, 5, 6, 13].map(|line| places.of(line, 1)), [None; 4]);
    }
}
