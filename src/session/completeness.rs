//! Whether a cell is ready to be run.

use ra_ap_syntax::SyntaxKind::{
    self, L_BRACK, L_CURLY, L_PAREN, R_BRACK, R_CURLY, R_PAREN, WHITESPACE,
};
use ra_ap_syntax::SyntaxToken;

use super::statements::Statements;

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
pub fn completeness(code: &str) -> Completeness {
    let tokens = Statements::of(code).tokens();
    let has_no_end = |(at, token): &(usize, SyntaxToken)| {
        token.kind() != WHITESPACE && at + token.text().len() > code.len()
    };
    if tokens.last().is_some_and(has_no_end) {
        return Completeness::Incomplete(String::new());
    }
    let Some((last, word)) = tokens.iter().rfind(|(_, token)| !token.kind().is_trivia()) else {
        return Completeness::Complete;
    };
    let Some(open) = open_brackets(&tokens) else { return Completeness::Invalid };
    let closing: String = open.iter().rev().map(|(_, closing)| *closing).collect();
    let complaints = Statements::of(&format!("{code}\n{closing}")).complaints();
    // A mistake before the last word stays one, whatever follows.
    if complaints.iter().any(|at| at < last) {
        return Completeness::Invalid;
    }
    let deeper = |at: usize| Completeness::Incomplete(format!("{}    ", indent_at(code, at)));
    match open.last() {
        Some((at, _)) => deeper(*at),
        None if complaints.is_empty() => Completeness::Complete,
        None if word.kind().is_punct() && word.kind() != R_BRACK => deeper(*last),
        None => Completeness::Incomplete(indent_at(code, *last).to_owned()),
    }
}

/// The brackets that are still open: where, and what closes them. Nothing if one is closed that was
/// never opened.
fn open_brackets(tokens: &[(usize, SyntaxToken)]) -> Option<Vec<(usize, &'static str)>> {
    let mut open = Vec::new();
    for (at, token) in tokens {
        match token.kind() {
            L_PAREN => open.push((*at, ")")),
            L_BRACK => open.push((*at, "]")),
            L_CURLY => open.push((*at, "}")),
            closing if is_closing(closing) => {
                open.pop().filter(|(_, expected)| *expected == token.text())?;
            }
            _ => {}
        }
    }
    Some(open)
}

fn is_closing(kind: SyntaxKind) -> bool {
    matches!(kind, R_PAREN | R_BRACK | R_CURLY)
}

/// The white space at the start of the line.
fn indent_at(code: &str, at: usize) -> &str {
    let start = code[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = &code[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indent(code: &str) -> String {
        match completeness(code) {
            Completeness::Incomplete(indent) => indent,
            other => panic!("{code:?} is {other:?}"),
        }
    }

    #[test]
    fn whole_cells_are_complete() {
        let cells = [
            "",
            "1",
            "let x = 5;",
            "let x = 5;\n\n",
            "fn f() -> i32 {\n 2\n}",
            ":dep rand = \"0.8\"",
            ":dep rand = \"0.8\"\nuse rand::Rng;",
            "!ls \"",
            "// only a note",
            "#[derive(Debug)]\nstruct A;\nA",
            "let s = \"né {\"; // }",
            "for i in 0..3 {\n    print!(\"{i}\")\n}",
            "let text = std::fs::read_to_string(\"x\")?;\ntext.len() > 9",
        ];
        for cell in cells {
            assert_eq!(completeness(cell), Completeness::Complete, "{cell}");
        }
    }

    #[test]
    fn what_is_open_wants_another_line_with_a_fitting_indent() {
        assert_eq!(indent("fn f() {"), "    ");
        assert_eq!(indent("fn f() {\n    if é {"), "        ");
        assert_eq!(indent("fn f() {\n    g();"), "    ");
        assert_eq!(indent("vec![1,"), "    ");
        assert_eq!(indent("let s = \"abc"), "");
        assert_eq!(indent("let s = r#\"abc\"\n"), "");
        assert_eq!(indent("/* what"), "");
        assert_eq!(indent("1 +"), "    ");
        assert_eq!(indent("net."), "    ");
        assert_eq!(indent("let x ="), "    ");
        assert_eq!(indent("let x = 5"), "");
        assert_eq!(indent("#[derive(Debug)]"), "");
        assert_eq!(indent("fn f() -> i32"), "");
    }

    #[test]
    fn what_no_line_can_mend_is_invalid() {
        for cell in ["let = 7q;", "f(]", "}", "let = 7q; fn f() {", "let x = 5 5"] {
            assert_eq!(completeness(cell), Completeness::Invalid, "{cell}");
        }
    }
}
