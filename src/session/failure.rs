//! Says in plain words why a cell failed.

use evcxr::{CompilationError, Error};

use super::output::Failed;

/// The kind of error that is not the cell's fault.
const INTERNAL: &str = "internal error";

/// Why a cell failed, in the three parts that a notebook stores.
#[derive(Clone, Debug, PartialEq)]
pub struct CellError {
    /// The kind: "compilation error", "error", "panic", or what happened to the process.
    pub name: String,
    /// What went wrong, in a line or a few.
    pub message: String,
    /// The whole text for the reader.
    pub traceback: Vec<String>,
}

impl CellError {
    /// The error of a cell whose code ran, from what it wrote on standard error.
    pub fn while_running(failed: Failed, stderr: &[String]) -> Self {
        let (name, lines) = match failed {
            Failed::Panic => ("panic", panic_message(stderr)),
            Failed::Error => ("error", stderr.to_vec()),
        };
        CellError { name: name.to_owned(), message: lines.join("\n"), traceback: lines }
    }

    /// The error of a cell that evcxr could not run to its end.
    pub fn from_evcxr(error: Error, code: &str) -> Self {
        match error {
            Error::CompilationErrors(errors) => compilation(&errors, code),
            Error::SubprocessTerminated(message) => new(
                "the cell's process ended",
                format!(
                    "{}\nAll variables are lost; functions and types are kept.",
                    message.trim()
                ),
            ),
            Error::TypeRedefinedVariablesLost(names) => new(
                "variables lost",
                format!("the types of these variables were redefined: {}", names.join(", ")),
            ),
            Error::Message(message) => new("error", message),
        }
    }

    /// The error of a cell on which evcxr itself broke down.
    pub fn internal() -> Self {
        new(
            INTERNAL,
            "evcxr broke down on this cell; the text above says where. Please report it.".into(),
        )
    }

    /// Whether it was evcxr that broke down; its session is of no use any more.
    pub fn is_internal(&self) -> bool {
        self.name == INTERNAL
    }

    /// The kind and the first line of the message.
    pub fn summary(&self) -> String {
        format!("{}: {}", self.name, self.message.lines().next().unwrap_or_default())
    }

    /// The kind and the whole text.
    pub fn text(&self) -> String {
        format!("{}: {}", self.name, self.traceback.join("\n"))
    }
}

fn new(name: &str, message: String) -> CellError {
    let traceback = message.lines().map(str::to_owned).collect();
    CellError { name: name.to_owned(), message, traceback }
}

/// The message of the last panic, without the place in generated code and the trace.
fn panic_message(stderr: &[String]) -> Vec<String> {
    let start = stderr.iter().rposition(|line| line.contains("panicked at "));
    let Some(start) = start else { return stderr.to_vec() };
    let place =
        stderr[start].split("panicked at ").nth(1).unwrap_or_default().trim_end_matches(':');
    let mut message: Vec<String> = stderr[start + 1..]
        .iter()
        .take_while(|line| *line != "stack backtrace:" && !line.starts_with("note: "))
        .cloned()
        .collect();
    // A place in the cell's own crate says nothing to its reader, since the lines are not theirs.
    if !place.starts_with("src/lib.rs") {
        message.push(format!("at {place}"));
    }
    message
}

fn compilation(errors: &[CompilationError], code: &str) -> CellError {
    let mut traceback = Vec::new();
    for error in errors {
        if !traceback.is_empty() {
            traceback.push(String::new());
        }
        describe(error, code, &mut traceback);
    }
    let messages: Vec<_> = errors.iter().map(CompilationError::message).collect();
    CellError { name: "compilation error".to_owned(), message: messages.join("\n"), traceback }
}

/// The message, the lines of the cell it is about with carets below, and the compiler's help.
fn describe(error: &CompilationError, code: &str, out: &mut Vec<String>) {
    let number = error.code().map_or(String::new(), |number| format!("[{number}]"));
    out.push(format!("error{number}: {}", error.message()));
    for message in error.spanned_messages() {
        let Some(span) = message.span else {
            out.extend(message.label.lines().map(str::to_owned));
            continue;
        };
        for number in span.start_line..=span.end_line {
            let line = code.lines().nth(number.saturating_sub(1)).unwrap_or_default();
            out.push(format!("{number:4} | {line}"));
        }
        if span.start_line == span.end_line {
            let width = span.end_column.saturating_sub(span.start_column).max(1);
            let (gap, carets) =
                (" ".repeat(span.start_column.saturating_sub(1)), "^".repeat(width));
            out.push(format!("     | {gap}{carets} {}", message.label).trim_end().to_owned());
        }
    }
    out.extend(error.help().iter().map(|help| format!("help: {help}")));
    out.extend(error.evcxr_extra_hint().map(|hint| format!("help: {hint}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_panic_keeps_its_message_and_loses_the_trace() {
        let stderr = lines(
            "\nthread '<unnamed>' (7) panicked at src/lib.rs:9:1:\nno such net\nstack backtrace:\n  0: x",
        );
        let error = CellError::while_running(Failed::Panic, &stderr);
        assert_eq!(error.message, "no such net");
    }

    #[test]
    fn a_panic_in_a_library_says_where() {
        let stderr =
            lines("thread 'main' panicked at prelude/src/net.rs:5:9:\noff by one\nnote: run");
        let error = CellError::while_running(Failed::Panic, &stderr);
        assert_eq!(error.message, "off by one\nat prelude/src/net.rs:5:9");
    }
}
