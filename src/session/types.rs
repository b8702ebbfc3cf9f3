//! The types of a cell's variables.
//!
//! evcxr has to name the type of every variable that it keeps. Its own rust-analyzer is kept from
//! reading anything, since no cell could run before it had; so the types are found by others and
//! told to evcxr in statements that only evcxr sees, and not the compiler.

use std::collections::HashMap;

use super::statements::{Binding, Statements};

/// A line and a column, both from 1.
pub type Place = (usize, usize);

/// A cell with the types of its variables.
pub struct Typed {
    /// The cell and what was added.
    pub code: String,
    /// Where something was added: before a value on the same line, or after all lines on one of its
    /// own.
    at: Place,
    has_value: bool,
    /// For each variable where its part ends, in characters of what was added, and where it is named
    /// in the cell.
    added: Vec<(usize, (Place, Place))>,
}

impl Typed {
    /// Tells the types of these variables of a cell as far as they are known. The added statements
    /// come after all others, since the last word on a variable counts, but before the value.
    pub fn tell(cell: &str, variables: &[Binding], types: &HashMap<String, String>) -> Typed {
        let value = Statements::of(cell).value();
        let mut text = if value.is_none() { "\n".to_owned() } else { String::new() };
        let mut added = Vec::new();
        for Binding { name, is_mutable, place } in variables {
            let Some(kind) = types.get(name) else { continue };
            let mutable = if *is_mutable { "mut " } else { "" };
            text += &format!("#[cfg(any())] let {mutable}{name}: {kind};");
            let named = (position(cell, place.start), position(cell, place.end));
            added.push((text.chars().count(), named));
        }
        let at = value.unwrap_or(cell.len());
        let code = match added.is_empty() {
            true => cell.to_owned(),
            false => format!("{}{text}{}", &cell[..at], &cell[at..]),
        };
        Typed { code, at: position(cell, at), has_value: value.is_some(), added }
    }

    /// The part of the cell that goes from one line and column to another, which stands for the
    /// variable's name where it is in what was added.
    pub fn in_cell(&self, start: Place, end: Place) -> (Place, Place) {
        let of_variable = self.offset(start).and_then(|offset| {
            let variable = self.added.iter().find(|(end, _)| offset < *end)?;
            Some(variable.1)
        });
        of_variable.unwrap_or_else(|| (self.before(start), self.before(end)))
    }

    /// Where a place would be if nothing had been added before it.
    fn before(&self, (line, column): Place) -> Place {
        match (self.offset((line, column)), self.added.last()) {
            (Some(_), Some((width, _))) => (line, column.saturating_sub(*width)),
            _ => (line, column),
        }
    }

    /// How many characters after the start of what was added a place is, where that is on its line.
    fn offset(&self, (line, column): Place) -> Option<usize> {
        match line.checked_sub(self.at.0)? {
            0 if self.has_value => column.checked_sub(self.at.1),
            1 if !self.has_value => Some(column),
            _ => None,
        }
    }
}

/// The place of a byte.
pub fn position(code: &str, at: usize) -> Place {
    let before = &code[..at];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cell: &str) -> Typed {
        let types = [("x", "i32"), ("y", "Net")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        Typed::tell(cell, &Statements::of(cell).untyped(), &types.into())
    }

    #[test]
    fn types_are_told_after_the_statements_and_before_the_value() {
        let end = told("let mut x = 1; // one\nlet z = 2;");
        let expected = "let mut x = 1; // one\nlet z = 2;\n#[cfg(any())] let mut x: i32;";
        assert_eq!(end.code, expected);
        let value = told("let x = 1;\nlet y = f(x); y + x");
        assert!(value.code.starts_with("let x = 1;\nlet y = f(x); #[cfg(any())] let x: i32;#["));
        assert!(value.code.ends_with("let y: Net;y + x"), "{}", value.code);
        assert_eq!(told("f();").code, "f();");
    }

    #[test]
    fn places_are_those_of_the_cell() {
        let typed = told("let x = 1;\nlet y = f(x); é + x");
        let line = typed.code.lines().nth(1).unwrap();
        let column = |word: &str| line[..line.find(word).unwrap()].chars().count() + 1;
        let found = |typed: &Typed, at: Place| typed.in_cell(at, (at.0, at.1 + 1));
        assert_eq!(found(&typed, (2, 5)), ((2, 5), (2, 6)));
        assert_eq!(found(&typed, (2, column("x: i32"))), ((1, 5), (1, 6)));
        assert_eq!(found(&typed, (2, column("y: Net"))), ((2, 5), (2, 6)));
        assert_eq!(found(&typed, (2, column("é + x"))), ((2, 15), (2, 16)));
        assert_eq!(found(&typed, (3, 2)), ((3, 2), (3, 3)));
        let typed = told("let x = 1;\nlet y = 2;");
        assert_eq!(found(&typed, (3, 22)).0, (1, 5));
        assert_eq!(found(&typed, (3, 45)).0, (2, 5));
    }
}
