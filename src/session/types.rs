//! The types of a cell's variables.
//!
//! evcxr has to name the type of every variable that it keeps. Its own rust-analyzer is kept from
//! reading anything, since no cell could run before it had; so the types are found by others and
//! told to evcxr in statements that only evcxr sees, and not the compiler.

use std::collections::{BTreeSet, HashMap};

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
/// the right one, in words that it is asked about again, since the cell may not know them. That
/// takes two runs of the compiler, and two more where it has to name a type in full.
pub fn by_compiler(
    context: &mut CommandContext,
    cell: &str,
    variables: &[Binding],
) -> HashMap<String, String> {
    let wrong = |it: &Binding| Question::new(&it.name, WRONG);
    let mut types = named(context, cell, variables.iter().map(wrong).collect());
    let unknown = unknown(context, cell, &types);
    let twins = unknown.iter().map(|(name, words)| Question::twin(name, &types[name], words));
    let mut in_full = named(context, cell, twins.collect());
    for name in self::unknown(context, cell, &in_full).keys() {
        in_full.remove(name);
    }
    types.retain(|name, _| !unknown.contains_key(name));
    types.extend(in_full);
    types
}

/// The types of variables as the compiler names them.
fn named(
    context: &mut CommandContext,
    cell: &str,
    questions: Vec<Question>,
) -> HashMap<String, String> {
    let said = complaints(context, cell, &questions).into_iter();
    let types = said.filter_map(|complaint| {
        let question = &questions[complaint.about];
        Some((question.name.clone(), found(&complaint.label)?))
    });
    types.collect()
}

/// The variables of whose types the cell does not know all words, and the words.
fn unknown(
    context: &mut CommandContext,
    cell: &str,
    types: &HashMap<String, String>,
) -> HashMap<String, BTreeSet<String>> {
    let questions: Vec<_> = types.iter().map(|(name, kind)| Question::new(name, kind)).collect();
    let mut unknown: HashMap<String, BTreeSet<String>> = HashMap::new();
    for complaint in complaints(context, cell, &questions) {
        let words = unknown.entry(questions[complaint.about].name.clone()).or_default();
        words.extend(complaint.message.split('`').nth(1).map(str::to_owned));
    }
    unknown
}

/// Whether a variable has a type: a line for the compiler.
struct Question {
    name: String,
    line: String,
}

impl Question {
    fn new(name: &str, kind: &str) -> Question {
        Question { name: name.to_owned(), line: format!("let _: {kind} = {name};") }
    }

    /// The same with other types of these names, so that the compiler has to tell them from those of
    /// the variable's type: it names both in full.
    fn twin(name: &str, kind: &str, words: &BTreeSet<String>) -> Question {
        let twins: Vec<String> = words.iter().map(|word| twin(word, kind)).collect();
        let line = format!("{{ {}let _: {kind} = {name}; }}", twins.concat());
        Question { name: name.to_owned(), line }
    }
}

/// A type called `word`, with as many parameters as it has in `kind`.
fn twin(word: &str, kind: &str) -> String {
    let after = kind.split_once(&format!("{word}<")).map_or("", |(_, after)| after);
    let (mut depth, mut parameters) = (0, usize::from(!after.is_empty()));
    for c in after.chars() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' if depth == 0 => break,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => parameters += 1,
            _ => {}
        }
    }
    let names: Vec<String> = (0..parameters).map(|n| format!("T{n}")).collect();
    match names.is_empty() {
        true => format!("struct {word};"),
        false => format!("struct {word}<{0}>({0});", names.join(", ")),
    }
}

/// What the compiler says against a cell with questions.
struct Complaint {
    /// Which question it is about.
    about: usize,
    label: String,
    message: String,
}

fn complaints(context: &mut CommandContext, cell: &str, questions: &[Question]) -> Vec<Complaint> {
    if questions.is_empty() {
        return vec![];
    }
    let at = Statements::of(cell).value().unwrap_or(cell.len());
    let lines: Vec<_> = questions.iter().map(|it| format!("\n{}", it.line)).collect();
    let first = position(cell, at).0 + 1;
    let cell = format!("{}{}\n{}", &cell[..at], lines.concat(), &cell[at..]);
    let errors = context.check(&cell).unwrap_or_default();
    let mut said = Vec::new();
    for error in &errors {
        for label in error.spanned_messages() {
            let line = label.span.and_then(|span| span.start_line.checked_sub(first));
            if let Some(about) = line.filter(|line| *line < lines.len()) {
                said.push(Complaint {
                    about,
                    label: label.label.clone(),
                    message: error.message(),
                });
            }
        }
    }
    said
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
        let in_full = "expected `cell::Instant`, found `std::time::Instant`";
        assert_eq!(named(in_full).as_deref(), Some("std::time::Instant"));
        assert_eq!(named("expected `()`, found `Vec<...>`"), None);
    }

    #[test]
    fn a_twin_has_the_parameters_of_its_type() {
        assert_eq!(twin("Instant", "Vec<Instant>"), "struct Instant;");
        let map = "Option<HashMap<(u8, Vec<u8>), HashMap<u8, u8>>>";
        assert_eq!(twin("HashMap", map), "struct HashMap<T0, T1>(T0, T1);");
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
