//! Splits a cell into commands, items and statements in the way that evcxr does, so that what can
//! be said about a cell without running it agrees with what evcxr will make of it.

use std::borrow::Cow;
use std::ops::Range;

use ra_ap_syntax::SyntaxKind::INFER_TYPE;
use ra_ap_syntax::ast::{self, AstNode, HasName};
use ra_ap_syntax::{Edition, Parse, SourceFile, SyntaxNode, SyntaxToken};

/// What evcxr puts around statements in order to parse them.
const BEFORE: &str = "fn f(){";

/// Written below the user's lines, so that these keep their numbers.
const FLUSH: &str = "let _ = ::std::io::Write::flush(&mut ::std::io::stdout());";

/// The Rust part of a cell, parsed.
pub struct Statements {
    /// Where the Rust code starts, after evcxr's commands and shell lines.
    pub start: usize,
    parsed: Parse<SourceFile>,
    length: usize,
}

/// What a statement is, as far as it matters to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A function, a type, a `use`: it is compiled, but nothing of it runs by itself.
    Item,
    /// An expression without a semicolon, whose value is shown where it comes last.
    Expression,
    /// Anything else that runs.
    Statement,
}

/// A variable that a cell makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Its name.
    pub name: String,
    /// Whether it can be changed.
    pub is_mutable: bool,
    /// The bytes of the cell where it is named.
    pub place: Range<usize>,
}

impl Statements {
    /// Parses a cell.
    pub fn of(cell: &str) -> Statements {
        let start = start_of_rust(cell);
        let code = &cell[start..];
        let parsed = SourceFile::parse(&format!("{BEFORE}{code}\n}}"), Edition::Edition2024);
        Statements { start, parsed, length: code.len() }
    }

    /// The bytes of the cell that each statement takes, with the space up to the next, and its
    /// kind.
    pub fn parts(&self) -> Vec<(Range<usize>, Kind)> {
        let Some(list) = self.list() else { return vec![] };
        let nodes: Vec<_> = list.children().collect();
        let starts = nodes.iter().map(|node| self.place(node.text_range().start().into()));
        let ends = starts.skip(1).chain([self.start + self.length]);
        let mut from = self.start;
        let mut parts = Vec::new();
        for (node, end) in nodes.iter().zip(ends) {
            if from < end {
                parts.push((from..end, kind(node)));
            }
            from = end;
        }
        parts
    }

    /// The words of the cell and where they start. One that has no end, such as an open string,
    /// reaches beyond the cell.
    pub fn tokens(&self) -> Vec<(usize, SyntaxToken)> {
        let tree = self.parsed.syntax_node();
        let tokens = tree.descendants_with_tokens().filter_map(|element| element.into_token());
        let start = |token: &SyntaxToken| usize::from(token.text_range().start());
        let is_ours = |at: usize| (BEFORE.len()..BEFORE.len() + self.length).contains(&at);
        let ours = tokens.filter(|token| is_ours(start(token)));
        ours.map(|token| (self.place(start(&token)), token)).collect()
    }

    /// Where a `let` names nothing. evcxr forgets such a statement without a word.
    pub fn nameless(&self) -> Option<usize> {
        let children = self.list().into_iter().flat_map(|list| list.children());
        let mut lets = children.filter_map(ast::LetStmt::cast);
        let start = lets.find(|it| it.pat().is_none())?.syntax().text_range().start();
        Some(self.place(start.into()))
    }

    /// The variables that are there at the end of the cell and whose types it does not say.
    pub fn untyped(&self) -> Vec<Binding> {
        let children = self.list().into_iter().flat_map(|list| list.children());
        let mut found: Vec<Binding> = Vec::new();
        for statement in children.filter_map(ast::LetStmt::cast) {
            let Some(pattern) = statement.pat() else { continue };
            let is_typed = statement.ty().is_some_and(|kind| is_whole(&kind));
            for one in pattern.syntax().descendants().filter_map(ast::IdentPat::cast) {
                let Some(it) = one.name() else { continue };
                let (name, range) = (it.text().to_string(), it.syntax().text_range());
                // The last variable of a name counts.
                found.retain(|earlier| earlier.name != name);
                if !is_typed || one.syntax() != pattern.syntax() {
                    let place = self.place(range.start().into())..self.place(range.end().into());
                    found.push(Binding { name, is_mutable: one.mut_token().is_some(), place });
                }
            }
        }
        found
    }

    /// Where the expression starts whose value the cell shows.
    pub fn value(&self) -> Option<usize> {
        let node = self.list()?.children().last()?;
        let is_value = kind(&node) == Kind::Expression;
        is_value.then(|| self.place(node.text_range().start().into()))
    }

    /// Where in the cell the parser complains.
    pub fn complaints(&self) -> Vec<usize> {
        let errors = self.parsed.errors();
        errors.iter().map(|error| self.place(error.range().start().into())).collect()
    }

    fn place(&self, in_tree: usize) -> usize {
        self.start + in_tree.saturating_sub(BEFORE.len()).min(self.length)
    }

    fn list(&self) -> Option<SyntaxNode> {
        let function = self.parsed.syntax_node().children().next().and_then(ast::Fn::cast)?;
        Some(function.body()?.stmt_list()?.syntax().clone())
    }
}

/// Whether a type leaves nothing open.
fn is_whole(kind: &ast::Type) -> bool {
    !kind.syntax().descendants().any(|node| node.kind() == INFER_TYPE)
}

fn kind(node: &SyntaxNode) -> Kind {
    if ast::Item::can_cast(node.kind()) {
        Kind::Item
    } else if ast::Expr::can_cast(node.kind()) {
        Kind::Expression
    } else {
        Kind::Statement
    }
}

/// Whether the cell's last line is an expression, so that its value is the cell's result.
pub fn ends_in_expression(cell: &str) -> bool {
    Statements::of(cell).value().is_some()
}

/// The cell with a last statement that hands on what it printed without an end of line. A cell that
/// ends in an expression needs none, since evcxr prints its value after it.
pub fn with_flush(cell: &str) -> Cow<'_, str> {
    let statements = Statements::of(cell);
    let runs = |kind: &Kind| *kind == Kind::Statement;
    let is_in_need = statements.parts().last().is_some_and(|(_, kind)| runs(kind));
    if is_in_need && statements.complaints().is_empty() {
        Cow::Owned(format!("{cell}\n{FLUSH}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// evcxr looks for its commands and for shell lines up to the first line of Rust.
fn start_of_rust(cell: &str) -> usize {
    let mut start = 0;
    for line in cell.split_inclusive('\n') {
        let is_command = line.starts_with('!') || line.trim_start_matches(' ').starts_with(':');
        if !is_command && !line.starts_with("//") && !line.trim().is_empty() {
            return start;
        }
        start += line.len();
    }
    cell.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(cell: &str) -> Vec<(&str, Kind)> {
        let parts = Statements::of(cell).parts();
        parts.into_iter().map(|(range, kind)| (&cell[range], kind)).collect()
    }

    #[test]
    fn a_cell_is_split_where_evcxr_splits_it() {
        let cell = ":dep é = \"1\"\n!ls\n// note\nuse a::b; let é = 1;\n\nfn f() {}\né + 1 // end";
        let expected = [
            ("use a::b; ", Kind::Item),
            ("let é = 1;\n\n", Kind::Statement),
            ("fn f() {}\n", Kind::Item),
            ("é + 1 // end", Kind::Expression),
        ];
        assert_eq!(parts(cell), expected);
        assert_eq!(parts(":vars"), []);
    }

    #[test]
    fn only_an_expression_at_the_end_gives_a_value() {
        assert!(ends_in_expression("let x = 1;\nx // as it is"));
        assert!(!ends_in_expression("f(); // \"a; \"\n"));
        assert!(!ends_in_expression("f()\n;"));
    }

    #[test]
    fn a_let_without_a_name_is_found() {
        assert_eq!(Statements::of(":vars\nlet a = 1;\nlet = 2;").nameless(), Some(17));
        assert_eq!(Statements::of("let (a, _) = (1, 2);").nameless(), None);
    }

    #[test]
    fn variables_without_a_type_are_found_and_the_last_of_a_name_counts() {
        let cell = "let mut é = f(); let (a, b): (u8, u8) = g();\nlet c: u8 = 1; let d: Vec<_> = v;\n\
                    let a: u8 = a; if let Some(e) = h { }";
        let found = Statements::of(cell).untyped();
        let named: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.is_mutable)).collect();
        assert_eq!(named, [("é", true), ("b", false), ("d", false)]);
        assert_eq!(&cell[found[1].place.clone()], "b");
    }

    #[test]
    fn the_value_of_a_cell_starts_at_its_last_expression() {
        assert_eq!(Statements::of(":vars\nlet x = 1; // one\nx + 1").value(), Some(24));
        assert_eq!(Statements::of("x; // done").value(), None);
    }

    #[test]
    fn what_a_last_statement_printed_is_handed_on() {
        let printing = "print!(\"x\"); // no end of line";
        assert_eq!(with_flush(printing), format!("{printing}\n{FLUSH}"));
        for cell in [":vars", "use a::b;", "fn f() {}", "print!(\"x\")", "let x = ;", "f(;"] {
            assert_eq!(with_flush(cell), cell);
        }
    }
}
