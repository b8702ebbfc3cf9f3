//! Shows what the compiler says about a cell: the message, and the cell's lines with carets below.

use evcxr::CompilationError;
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::given::Place;
use super::places::Places;

/// How wide a tab is drawn.
const TAB: &str = "    ";
/// A span of more lines than this is shown by its first and its last line.
const LONG: usize = 4;

/// One thing that the compiler says about a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// "error" or "warning", with the compiler's number.
    pub kind: String,
    /// What is wrong.
    pub message: String,
    /// The parts of the cell that it is about.
    pub labels: Vec<Label>,
    /// What the compiler adds.
    pub notes: Vec<String>,
}

/// A part of the cell and what is said about it. Lines and columns start at 1 and count characters;
/// the end column is the one after the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Label {
    /// The line and the column of its start.
    pub start: Place,
    /// The line and the column of its end.
    pub end: Place,
    /// What is said about it.
    pub text: String,
}

impl Report {
    /// An error as evcxr hands it on, with its places in what evcxr was given.
    pub fn of_error(
        error: &CompilationError,
        in_cell: &dyn Fn(Place, Place) -> (Place, Place),
    ) -> Report {
        let number = error.code().map_or(String::new(), |number| format!("[{number}]"));
        let mut report = Report {
            kind: format!("error{number}"),
            message: error.message(),
            ..Report::default()
        };
        for message in error.spanned_messages() {
            match message.span {
                Some(span) => {
                    let (start, end) = in_cell(
                        (span.start_line, span.start_column),
                        (span.end_line, span.end_column),
                    );
                    let text = unless_repeated(&message.label, &report.message);
                    report.labels.push(Label { start, end, text });
                }
                None => report.notes.push(message.label.clone()),
            }
        }
        report.notes.retain(|note| !note.ends_with(&report.message));
        report.notes.extend(error.help().iter().map(|help| format!("help: {help}")));
        report.notes.extend(error.evcxr_extra_hint().map(|hint| format!("help: {hint}")));
        report
    }

    /// A warning as the compiler writes it, if it is about the cell and not about what evcxr made
    /// around it.
    pub fn of_warning(json: &Value, places: &Places) -> Option<Report> {
        if json["level"] != "warning" {
            return None;
        }
        let spans = json["spans"].as_array()?;
        let is_ours = |span: &&Value| span["is_primary"] == true && label(span, places).is_some();
        spans.iter().find(is_ours)?;
        let message = json["message"].as_str()?.to_owned();
        let help = |child: &Value| {
            let text = child["message"].as_str().filter(|_| child["level"] == "help")?;
            let instead = child["spans"][0]["suggested_replacement"].as_str();
            let instead = instead.map_or(String::new(), |it| format!(": `{}`", it.trim()));
            Some(format!("help: {text}{instead}"))
        };
        let children = json["children"].as_array().into_iter().flatten();
        Some(Report {
            kind: "warning".to_owned(),
            message,
            labels: spans.iter().filter_map(|span| label(span, places)).collect(),
            notes: children.filter_map(help).collect(),
        })
    }

    /// The lines in which it is shown.
    pub fn lines(&self, cell: &str) -> Vec<String> {
        let mut lines = vec![format!("{}: {}", self.kind, self.message)];
        for label in &self.labels {
            label.draw(cell, &mut lines);
        }
        lines.extend(self.notes.iter().flat_map(|note| note.lines()).map(str::to_owned));
        lines
    }
}

impl Label {
    /// The part of the cell with carets below.
    pub fn lines(&self, cell: &str) -> Vec<String> {
        let mut lines = Vec::new();
        self.draw(cell, &mut lines);
        lines
    }

    fn draw(&self, cell: &str, out: &mut Vec<String>) {
        let (first, last) = (self.start.0, self.end.0);
        for number in first..=last {
            let is_inside = number > first && number < last;
            if is_inside && last - first >= LONG {
                if number == first + 1 {
                    out.push("     ...".to_owned());
                }
                continue;
            }
            let line = cell.lines().nth(number.saturating_sub(1)).unwrap_or_default();
            out.push(format!("{number:4} | {}", line.replace('\t', TAB)).trim_end().to_owned());
            if !is_inside {
                let text = if number == last { self.text.as_str() } else { "" };
                let carets = format!("     | {} {text}", self.carets(number, line));
                out.push(carets.trim_end().to_owned());
            }
        }
    }

    /// Carets below the part of a line that belongs to the label.
    fn carets(&self, number: usize, line: &str) -> String {
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        let length = line.chars().count();
        let from = if number == self.start.0 { self.start.1.saturating_sub(1) } else { indent };
        let to = if number == self.end.0 { self.end.1.saturating_sub(1) } else { length };
        let width = |from: usize, to: usize| {
            let part = line.chars().skip(from).take(to.saturating_sub(from));
            part.map(|c| if c == '\t' { TAB.width() } else { c.width().unwrap_or(0) }).sum()
        };
        // The end of the input is one place after the last character.
        " ".repeat(width(0, from)) + &"^".repeat(usize::max(1, width(from, to)))
    }
}

/// The part of the cell that a span of the compiler is about. One inside of a macro is shown where
/// the macro is called.
fn label(span: &Value, places: &Places) -> Option<Label> {
    let number = |key: &str| span[key].as_u64().and_then(|value| usize::try_from(value).ok());
    let text = span["label"].as_str().unwrap_or_default().to_owned();
    if span["file_name"].as_str().is_some_and(|file| file.ends_with("src/lib.rs")) {
        let start = places.of(number("line_start")?, number("column_start")?);
        let end = places.of(number("line_end")?, number("column_end")?);
        if let (Some(start), Some(end)) = (start, end) {
            return Some(Label { start, end, text });
        }
    }
    let outer = span["expansion"].get("span")?;
    label(outer, places).map(|label| Label { text, ..label })
}

/// evcxr puts the message itself where the compiler has no label.
fn unless_repeated(label: &str, message: &str) -> String {
    if label.ends_with(message) { String::new() } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(cell: &str, start: (usize, usize), end: (usize, usize)) -> Vec<String> {
        let label = Label { start, end, text: "here".to_owned() };
        let report = Report { kind: "error".to_owned(), labels: vec![label], ..Report::default() };
        report.lines(cell).split_off(1)
    }

    #[test]
    fn carets_stand_below_what_is_meant() {
        assert_eq!(
            drawn("let x = y;", (1, 9), (1, 10)),
            ["   1 | let x = y;", "     |         ^ here"]
        );
        let out = drawn("a;\n\tlet é = \"日本\" + y;", (2, 17), (2, 18));
        assert_eq!(out, ["   2 |     let é = \"日本\" + y;", "     |                      ^ here"]);
        assert_eq!(drawn("f(", (1, 3), (1, 3))[1], "     |   ^ here");
    }

    #[test]
    fn a_part_of_several_lines_is_marked_at_both_ends() {
        let cell = "f(\n    1,\n    2,\n    3,\n    4)";
        let expected =
            ["   1 | f(", "     |  ^", "     ...", "   5 |     4)", "     |     ^^ here"];
        assert_eq!(drawn(cell, (1, 2), (5, 7)), expected);
        assert_eq!(drawn("g(1,\n2)", (1, 2), (2, 3)).len(), 4);
    }

    #[test]
    fn only_warnings_about_the_cell_are_shown() {
        let source = "fn run_user_code_1() {\nf();\nother();\n}\n";
        let places = Places::find("f();\n", source);
        let span = |line: usize| {
            serde_json::json!({"file_name": "src/lib.rs", "line_start": line, "line_end": line,
                "column_start": 1, "column_end": 4, "is_primary": true, "label": null})
        };
        let warning = |line: usize| {
            serde_json::json!({"level": "warning", "message": "unused result", "spans": [span(line)],
                "children": [{"level": "help", "message": "use it", "spans": []},
                             {"level": "note", "message": "on by default", "spans": []}]})
        };
        let shown = Report::of_warning(&warning(2), &places).unwrap().lines("f();\n");
        let expected = ["warning: unused result", "   1 | f();", "     | ^^^", "help: use it"];
        assert_eq!(shown, expected);
        assert_eq!(Report::of_warning(&warning(3), &places), None);
    }
}
