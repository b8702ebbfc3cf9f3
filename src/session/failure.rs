//! Says in plain words why a cell failed.

use std::fs;
use std::path::Path;

use evcxr::Error;

use super::given::{Given, position};
use super::handle::Ended;
use super::places::Places;
use super::reader::{Failed, Failure, Panic, Stopping};
use super::report::{Label, Report};

/// The file that evcxr makes of a cell, as panics name it.
const GENERATED: &str = "src/lib.rs";
/// The name of the error of a cell that was interrupted.
const INTERRUPTED: &str = "Interrupted";

/// The kind of error that is not the cell's fault.
const INTERNAL: &str = "internal error";
/// The same where nothing could take evcxr's place.
const BROKEN: &str = "session lost";

/// Why a cell failed, in the three parts that a notebook stores.
#[derive(Clone, Debug, PartialEq)]
pub struct CellError {
    /// The kind: "compilation error", "error", "panic", "Interrupted", or what happened to the
    /// process.
    pub name: String,
    /// What went wrong, in a line or a few.
    pub message: String,
    /// The whole text for the reader, who sees neither the kind nor the message apart from it.
    pub traceback: Vec<String>,
}

impl CellError {
    /// An error that has nothing to say but its message.
    pub fn new(name: &str, message: String) -> Self {
        let traceback = format!("{name}: {message}").lines().map(str::to_owned).collect();
        Self { name: name.to_owned(), message, traceback }
    }

    /// The error of a cell whose code ran, from what the prelude or else standard error said.
    pub fn while_running(failure: &Failure, panic: Option<&Panic>) -> Self {
        match (failure.kind, panic) {
            (Failed::Panic, Some(panic)) => CellError::new("panic", panic.message.clone()),
            (Failed::Panic, None) => CellError::new("panic", panic_message(&failure.text)),
            (Failed::Error, _) if failure.text.trim().is_empty() => {
                CellError::new("error", "a `?` met an error; the text above says which".to_owned())
            }
            (Failed::Error, _) => CellError::new("error", failure.text.trim_end().to_owned()),
        }
    }

    /// The same with the line of the cell in which it panicked, and the functions it went through.
    pub fn in_the_cell(mut self, code: &str, work: &Path, panic: Option<&Panic>) -> Self {
        let Some(panic) = panic.filter(|_| self.name == "panic") else { return self };
        if panic.file == GENERATED {
            let source = fs::read_to_string(work.join(GENERATED)).unwrap_or_default();
            self.traceback.extend(line_of_the_cell(code, &source, panic));
        } else if !panic.file.is_empty() {
            self.traceback.push(format!("at {}:{}:{}", panic.file, panic.line, panic.column));
        }
        self.traceback.extend(panic.frames.iter().map(|frame| format!("in {frame}")));
        self
    }

    /// The error of a cell that evcxr could not run to its end.
    pub fn from_evcxr(error: Error, code: &str, given: &Given) -> Self {
        match error {
            Error::CompilationErrors(errors) => {
                let place = |start, end| given.in_cell(start, end);
                let reports: Vec<_> =
                    errors.iter().map(|error| Report::of_error(error, &place)).collect();
                compilation(&reports, code)
            }
            Error::SubprocessTerminated(message) => {
                let message =
                    message.trim().replace("Subprocess terminated with status", "it ended with");
                let kept = "All variables are lost; functions and types are kept.";
                CellError::new("the cell's process ended", format!("{message}\n{kept}"))
            }
            Error::TypeRedefinedVariablesLost(names) => CellError::new(
                "variables lost",
                format!("the types of these variables were redefined: {}", names.join(", ")),
            ),
            Error::Message(message) => CellError::new("error", message),
        }
    }

    /// The error of a cell in which a `let` at this byte names nothing.
    pub fn nameless(code: &str, at: usize) -> Self {
        let (line, column) = position(code, at);
        let label = Label {
            start: (line, column),
            end: (line, column + "let".len()),
            text: "a name is expected after this".to_owned(),
        };
        let message = "expected a pattern".to_owned();
        let report =
            Report { kind: "error".to_owned(), message, labels: vec![label], notes: vec![] };
        compilation(&[report], code)
    }

    /// The error of a cell on which evcxr itself broke down.
    pub fn internal(reason: &str, goes_on: bool) -> Self {
        let consequence = if goes_on {
            "It was started anew: all variables, functions and types are lost."
        } else {
            "It cannot be started anew; restart the kernel."
        };
        let advice = "Please report it with the cell.";
        CellError::new(
            if goes_on { INTERNAL } else { BROKEN },
            format!("evcxr broke down on this cell: {reason}\n{consequence} {advice}"),
        )
    }

    /// Whether the cell ended because it was interrupted.
    pub fn is_interrupt(&self) -> bool {
        self.name == INTERRUPTED
    }

    /// Whether evcxr has broken down for good; its session is of no use any more.
    pub fn is_internal(&self) -> bool {
        self.name == BROKEN
    }

    /// The error of a cell that has ended because it was interrupted, and well.
    pub fn stopped(job: Option<&Stopping>) -> Self {
        let place = match job {
            Some(Stopping { label, done, total }) if *total > 0 => {
                format!("{label} stopped after {done} of {total}")
            }
            Some(Stopping { label, .. }) => format!("{label} stopped"),
            None => "the cell has ended".to_owned(),
        };
        CellError::new(INTERRUPTED, format!("{place}; the variables are kept"))
    }

    /// The same error, or that of an interrupt if this is what it comes from.
    pub fn after(self, ended: Ended, job: Option<&Stopping>) -> Self {
        match ended {
            Ended::ByItself => self,
            Ended::Killed => CellError::new(
                INTERRUPTED,
                "the cell did not stop and its process was killed: all variables are lost; \
                 functions and types are kept"
                    .to_owned(),
            ),
            Ended::Interrupted if self.name == "error" && job.is_some() => {
                let how_far = self.message.strip_prefix("interrupted: ").unwrap_or(&self.message);
                CellError::new(INTERRUPTED, how_far.to_owned())
            }
            Ended::Interrupted => self,
        }
    }

    /// The error of a cell that was stopped before anything was done for it.
    pub fn before_it_began() -> Self {
        Self::new(INTERRUPTED, "the cell was interrupted before it began to run".to_owned())
    }

    /// The error of a cell that was stopped before its code ran.
    pub fn while_compiling() -> Self {
        let message = "the compiler was stopped before the cell ran; the variables are kept";
        CellError::new(INTERRUPTED, message.to_owned())
    }

    /// The kind and the first line of the message.
    pub fn summary(&self) -> String {
        format!("{}: {}", self.name, self.message.lines().next().unwrap_or_default())
    }

    /// The whole text in one.
    pub fn text(&self) -> String {
        self.traceback.join("\n")
    }
}

fn compilation(reports: &[Report], code: &str) -> CellError {
    let messages: Vec<_> = reports.iter().map(|report| report.message.as_str()).collect();
    let texts: Vec<_> = reports.iter().map(|report| report.lines(code).join("\n")).collect();
    CellError {
        name: "compilation error".to_owned(),
        message: messages.join("\n"),
        traceback: texts.join("\n\n").lines().map(str::to_owned).collect(),
    }
}

/// The line in which it panicked, with its number if it is one of this cell.
fn line_of_the_cell(code: &str, source: &str, panic: &Panic) -> Vec<String> {
    let places = Places::find(code, source);
    if let Some((line, column)) = places.of(panic.line, panic.column) {
        let end = (line, column + 1);
        let label = Label { start: (line, column), end, text: String::new() };
        return label.lines(code);
    }
    let line = source.lines().nth(panic.line.saturating_sub(1)).unwrap_or_default();
    if line.trim().is_empty() { vec![] } else { vec![format!("at `{}`", line.trim())] }
}

/// The message of the last panic, without the place in generated code and the trace.
fn panic_message(stderr: &str) -> String {
    let lines: Vec<_> = stderr.lines().collect();
    let Some(start) = lines.iter().rposition(|line| line.contains("panicked at ")) else {
        let silent = stderr.trim().is_empty();
        return if silent { "the text above says why" } else { stderr.trim() }.to_owned();
    };
    let place = lines[start].split("panicked at ").nth(1).unwrap_or_default();
    let is_message = |line: &&&str| **line != "stack backtrace:" && !line.starts_with("note: ");
    let mut message: Vec<_> =
        lines[start + 1..].iter().take_while(is_message).map(|line| (*line).to_owned()).collect();
    // A place in the cell's own crate says nothing to its reader, since the lines are not theirs.
    if !place.starts_with(GENERATED) {
        message.push(format!("at {}", place.trim_end_matches(':')));
    }
    message.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panicked(stderr: &str) -> String {
        let failure = Failure { kind: Failed::Panic, text: stderr.to_owned() };
        CellError::while_running(&failure, None).message
    }

    #[test]
    fn a_panic_keeps_its_message_and_loses_the_trace() {
        let stderr = "\nthread '<unnamed>' (7) panicked at src/lib.rs:9:1:\nno such net\nstack backtrace:\n  0: x";
        assert_eq!(panicked(stderr), "no such net");
    }

    #[test]
    fn a_panic_in_a_library_says_where() {
        let stderr = "thread 'main' panicked at prelude/src/net.rs:5:9:\noff by one\nnote: run";
        assert_eq!(panicked(stderr), "off by one\nat prelude/src/net.rs:5:9");
    }

    #[test]
    fn a_panic_shows_the_line_of_the_cell_or_of_an_earlier_one() {
        let source = "fn old() {\n    todo!()\n}\nfn run_user_code_1() {\nlet b = v[7];\n}\n";
        let at = |line, column| {
            let panic = Panic { line, column, ..Panic::default() };
            line_of_the_cell("let a = 1; let b = v[7];", source, &panic)
        };
        assert_eq!(at(5, 9)[1], format!("     |{}^", " ".repeat(20)));
        assert_eq!(at(2, 5), ["at `todo!()`"]);
    }

    #[test]
    fn an_interrupt_names_the_error_that_it_led_to_and_no_other() {
        let error = |name: &str| CellError::new(name, "stopped at 3 of 9".to_owned());
        let job = Stopping::default();
        let named = |name: &str, ended| error(name).after(ended, Some(&job)).name;
        assert_eq!(named("error", Ended::Interrupted), INTERRUPTED);
        assert_eq!(named("panic", Ended::Interrupted), "panic");
        assert_eq!(named("error", Ended::ByItself), "error");
        assert_eq!(named("the cell's process ended", Ended::Killed), INTERRUPTED);
    }

    #[test]
    fn the_text_names_the_kind_once() {
        let asked = CellError::new("error", "interrupted: training stopped\nGo on.".to_owned());
        assert_eq!(asked.text(), "error: interrupted: training stopped\nGo on.");
        let stopped = asked.after(Ended::Interrupted, Some(&Stopping::default()));
        assert_eq!(stopped.traceback, ["Interrupted: training stopped", "Go on."]);
        assert_eq!(stopped.message, "training stopped\nGo on.");
    }
}
