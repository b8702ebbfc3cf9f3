//! The types of a cell's variables.
//!
//! evcxr has to name the type of every variable that it keeps. Its own rust-analyzer is kept from
//! reading anything, since no cell could run before it had; so the types are found by others and
//! told to evcxr in statements that only evcxr sees, and not the compiler.

use std::collections::HashMap;

use evcxr::CommandContext;

use super::statements::{Binding, Statements};

/// The type that is wrong for every variable worth keeping.
const WRONG: &str = "()";

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

/// What the compiler says are the types of these variables of a cell: given a wrong type, it names
/// the right one. It is asked about that again, since the cell may not know its words; and then once
/// more, with the ways to them that it suggests.
pub fn by_compiler(
    context: &mut CommandContext,
    cell: &str,
    variables: &[Binding],
) -> HashMap<String, String> {
    let wrong = variables.iter().map(|it| (it.name.clone(), WRONG.to_owned())).collect();
    let said = complaints(context, cell, &wrong).into_iter();
    let mut types: HashMap<String, String> =
        said.filter_map(|it| Some((it.variable, found(&it.label)?))).collect();
    let unknown = complaints(context, cell, &types);
    let mut in_full = HashMap::new();
    for complaint in unknown {
        let Some(kind) = types.remove(&complaint.variable).or(in_full.remove(&complaint.variable))
        else {
            continue;
        };
        let kind = match complaint.import {
            Some(path) => with_path(&kind, &path),
            None => kind,
        };
        in_full.insert(complaint.variable, kind);
    }
    for complaint in complaints(context, cell, &in_full) {
        in_full.remove(&complaint.variable);
    }
    types.extend(in_full);
    types
}

/// A type with the way to one of its words, where it stands alone: `std::time::Instant`.
fn with_path(kind: &str, path: &str) -> String {
    let word = path.rsplit("::").next().unwrap_or(path);
    let mut full = String::new();
    let mut rest = kind;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let inside = |c: char| c.is_alphanumeric() || c == '_';
        let is_alone = !before.ends_with(|c| inside(c) || c == ':') && !after.starts_with(inside);
        full += before;
        full += if is_alone { path } else { word };
        rest = after;
    }
    full + rest
}

/// What the compiler says against the type of a variable.
struct Complaint {
    variable: String,
    label: String,
    /// What it suggests to import.
    import: Option<String>,
}

fn complaints(
    context: &mut CommandContext,
    cell: &str,
    types: &HashMap<String, String>,
) -> Vec<Complaint> {
    if types.is_empty() {
        return vec![];
    }
    let at = Statements::of(cell).value().unwrap_or(cell.len());
    let (names, lines): (Vec<_>, Vec<_>) =
        types.iter().map(|(name, kind)| (name, format!("\nlet _: {kind} = {name};"))).unzip();
    let first = position(cell, at).0 + 1;
    let cell = format!("{}{}\n{}", &cell[..at], lines.concat(), &cell[at..]);
    let errors = context.check(&cell).unwrap_or_default();
    let said = errors.iter().flat_map(|error| {
        let import = error.help().iter().find_map(|help| import(help));
        // It may have more to say elsewhere, such as where a variable comes from.
        let about = error.spanned_messages().iter().filter_map(|message| {
            let line = message.span?.start_line.checked_sub(first)?;
            Some(((*names.get(line)?).clone(), message.label.clone()))
        });
        let about: Vec<_> = about.collect();
        let said = about.into_iter();
        said.map(move |(variable, label)| Complaint { variable, label, import: import.clone() })
    });
    said.collect()
}

/// The path that a help of the compiler would import.
fn import(help: &str) -> Option<String> {
    let line = help.lines().find_map(|line| line.strip_prefix("use "))?;
    Some(line.strip_suffix(';')?.to_owned())
}

/// The type that a label names, in words that the cell can use.
fn found(label: &str) -> Option<String> {
    let found = label.split("`, found `").nth(1)?.strip_suffix('`')?;
    let found = found.replace("{integer}", "i32").replace("{float}", "f64");
    let is_whole = !["...", "{", "`", "<_", " _"].iter().any(|part| found.contains(part));
    is_whole.then_some(found)
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

    #[test]
    fn a_label_names_the_type() {
        let named = |label: &str| found(label);
        assert_eq!(named("expected `()`, found `Vec<{integer}>`").as_deref(), Some("Vec<i32>"));
        assert_eq!(named("expected `()`, found `Vec<...>`"), None);
    }

    #[test]
    fn a_type_is_named_in_full_where_its_name_stands_alone() {
        let help = "consider importing this struct\n\nuse std::time::Instant;";
        let path = import(help).unwrap();
        let full = with_path("(Instant, Vec<my::Instant>, Instants)", &path);
        assert_eq!(full, "(std::time::Instant, Vec<my::Instant>, Instants)");
    }

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
