//! A cell in the form in which evcxr is given it.
//!
//! evcxr has to name the type of every variable that it keeps. Its own rust-analyzer is kept from
//! reading anything, since no cell could run before it had; so the types are found by others and
//! told to evcxr in statements that only evcxr sees, and not the compiler.
//!
//! And evcxr knows two ways to show a value. It takes the second after any mistake that the value has
//! a part in, also one that it mends, such as keeping a variable that the value has moved. So the
//! first way is written out as a statement, which leaves no choice.

use std::collections::HashMap;
use std::ops::Range;

use super::statements::{Binding, Statements};

/// A line and a column, both from 1.
pub type Place = (usize, usize);

/// What stands around a value that a statement shows.
const SHOWN: (&str, &str) = ("(\n", "\n).evcxr_display();");

/// Who shows the value of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A statement does.
    ByStatement,
    /// evcxr does, which has better words for a value that nothing can show.
    ByEvcxr,
}

/// A cell with what evcxr has to know.
pub struct Given {
    /// The cell and what was added.
    pub code: String,
    cell: String,
    /// The bytes that were added before the value, or after all lines on a line of their own.
    added: Range<usize>,
    /// For each variable where in these bytes its statement ends, and where the cell names it.
    told: Vec<(usize, Range<usize>)>,
}

impl Given {
    /// The cell itself.
    pub fn as_it_is(cell: &str) -> Given {
        Given::with(cell, &[], &HashMap::new(), Shown::ByEvcxr)
    }

    /// Tells the types of these variables of a cell as far as they are known. The added statements
    /// come after all others, since the last word on a variable counts, but before the value.
    pub fn with(
        cell: &str,
        variables: &[Binding],
        types: &HashMap<String, String>,
        shown: Shown,
    ) -> Given {
        let value = Statements::of(cell).value();
        let at = value.unwrap_or(cell.len());
        let mut text = if value.is_none() { "\n".to_owned() } else { String::new() };
        let mut told = Vec::new();
        for Binding { name, is_mutable, place } in variables {
            let Some(kind) = types.get(name) else { continue };
            let mutable = if *is_mutable { "mut " } else { "" };
            text += &format!("#[cfg(any())] let {mutable}{name}: {kind};");
            told.push((at + text.len(), place.clone()));
        }
        let (open, close) = match (value, shown) {
            (Some(_), Shown::ByStatement) => SHOWN,
            _ => ("", ""),
        };
        text += open;
        let code = format!("{}{text}{}{close}", &cell[..at], &cell[at..]);
        Given { code, cell: cell.to_owned(), added: at..at + text.len(), told }
    }

    /// The part of the cell that goes from one line and column of the code to another, which stands
    /// for the variable's name where it is in what was added.
    pub fn in_cell(&self, start: Place, end: Place) -> (Place, Place) {
        let (start, end) = (byte(&self.code, start), byte(&self.code, end));
        let variable = self.told.iter().find(|(end, _)| start < *end);
        let part = match variable {
            Some((_, name)) if self.added.contains(&start) => name.clone(),
            _ => self.before(start)..self.before(end),
        };
        (position(&self.cell, part.start), position(&self.cell, part.end))
    }

    /// The byte of the cell at a byte of the code.
    fn before(&self, at: usize) -> usize {
        let in_cell =
            if at < self.added.end { at.min(self.added.start) } else { at - self.added.len() };
        in_cell.min(self.cell.len())
    }
}

/// The place of a byte.
pub fn position(code: &str, at: usize) -> Place {
    let before = &code[..at];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

/// The byte at a place, or the end of its line where the line is shorter.
fn byte(code: &str, (line, column): Place) -> usize {
    let before: usize = code.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let line = code[before..].split('\n').next().unwrap_or_default();
    let in_line = line.char_indices().nth(column.saturating_sub(1));
    before + in_line.map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(cell: &str, shown: Shown) -> Given {
        let types = [("x", "i32"), ("y", "Net")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        Given::with(cell, &Statements::of(cell).untyped(), &types.into(), shown)
    }

    #[test]
    fn types_are_told_after_the_statements_and_before_the_value() {
        let end = given("let mut x = 1; // one\nlet z = 2;", Shown::ByStatement);
        let expected = "let mut x = 1; // one\nlet z = 2;\n#[cfg(any())] let mut x: i32;";
        assert_eq!(end.code.trim_end(), expected);
        let value = given("let x = 1;\nlet y = f(x); y + x", Shown::ByEvcxr);
        assert!(value.code.starts_with("let x = 1;\nlet y = f(x); #[cfg(any())] let x: i32;#["));
        assert!(value.code.ends_with("let y: Net;y + x"), "{}", value.code);
    }

    #[test]
    fn a_value_is_shown_by_a_statement() {
        let shown = |cell| given(cell, Shown::ByStatement).code;
        assert_eq!(shown("let z = 2; z // two"), "let z = 2; (\nz // two\n).evcxr_display();");
        assert_eq!(shown("f();").trim_end(), "f();");
    }

    #[test]
    fn places_are_those_of_the_cell() {
        let cell = "let x = 1;\nlet y = f(x); é + x\n    + y";
        for shown in [Shown::ByStatement, Shown::ByEvcxr] {
            let given = given(cell, shown);
            let found = |word: &str| {
                let at = given.code.find(word).unwrap();
                let place = |at| position(&given.code, at);
                given.in_cell(place(at), place(at + word.len()))
            };
            assert_eq!(found("y = f"), ((2, 5), (2, 10)));
            assert_eq!(found("x: i32"), ((1, 5), (1, 6)));
            assert_eq!(found("y: Net"), ((2, 5), (2, 6)));
            assert_eq!(found("é + x"), ((2, 15), (2, 20)));
            assert_eq!(found("+ y"), ((3, 5), (3, 8)));
            let close = position(&given.code, given.code.len());
            assert_eq!(given.in_cell(close, close).0, (3, 8), "what closes has no place");
        }
        let given = given("let x = 1;\nlet y = 2;", Shown::ByStatement);
        assert_eq!(given.in_cell((3, 22), (3, 23)).0, (1, 5));
        assert_eq!(given.in_cell((3, 45), (3, 46)).0, (2, 5));
    }
}
