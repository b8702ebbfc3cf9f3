//! Reads the lines that the relay sends through evcxr.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::output::{Bundle, Clearing, Output, Progress};
use super::relay::ESCAPE;

/// How a cell ended before its last line, and what was said about it on standard error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Failure {
    /// Whether it panicked or a `?` met an error.
    pub kind: Failed,
    /// The last words on standard error.
    pub text: String,
}

/// The two ways in which a cell ends before its last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failed {
    /// It panicked.
    Panic,
    /// A `?` met an error.
    Error,
}

/// A panic as the prelude reports it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Panic {
    /// What the panic says.
    pub message: String,
    /// The file of the place where it happened.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The functions it went through, the innermost first.
    pub frames: Vec<String>,
    /// The thread, where it was not the cell's own.
    pub thread: String,
}

/// A long job that has noticed an interrupt, and how far it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Stopping {
    /// What the job is, such as "training on d_det".
    pub label: String,
    /// How many of its parts are done.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Escape {
    Begin(u32),
    End(serde::de::IgnoredAny),
    Stdout(String),
    Stderr(String),
    Content { mime: String, text: String },
    Display { data: BTreeMap<String, Value>, id: Option<String> },
    Update { data: BTreeMap<String, Value>, id: String },
    Live { data: BTreeMap<String, Value>, id: String },
    Clear { wait: bool },
    Progress(Progress),
    Stage(String),
    Failed(Failure),
    Panic(Panic),
    Interrupted(Stopping),
}

/// Reads the lines of one run of a cell. Content of different types that arrives without anything
/// in between is one value.
#[derive(Default)]
pub struct Reader {
    bundle: Bundle,
    /// The process in which compiled code of the cell runs, once it does.
    pub process: Option<u32>,
    /// Compiled code of the cell has begun to run.
    pub has_begun: bool,
    /// How the cell failed, if it did.
    pub failure: Option<Failure>,
    /// The last panic, which is why the cell failed if it failed by one.
    pub panic: Option<Panic>,
    /// The long job that stops, since it was interrupted.
    pub stopping: Option<Stopping>,
}

impl Reader {
    /// Reads one line and gives what is complete with it.
    pub fn line(&mut self, line: &str, on: &mut dyn FnMut(Output)) {
        let escape = line.strip_prefix(ESCAPE).map(serde_json::from_str);
        let Some(Ok(escape)) = escape else {
            return self.then(Output::Stdout(format!("{line}\n")), on);
        };
        match escape {
            Escape::Begin(process) => {
                self.process = Some(process);
                self.has_begun = true;
            }
            Escape::End(_) => {
                self.bundle(on);
                self.process = None;
            }
            Escape::Content { mime, text } => {
                if self.bundle.contains_key(&mime) {
                    self.bundle(on);
                }
                self.bundle.insert(mime, text);
            }
            Escape::Failed(failure) => self.failure = Some(failure),
            Escape::Interrupted(stopping) => self.stopping = Some(stopping),
            Escape::Panic(panic) => {
                self.panic_elsewhere(on);
                self.panic = Some(panic);
            }
            Escape::Stdout(text) => self.then(Output::Stdout(text), on),
            Escape::Stderr(text) => self.then(Output::Stderr(text), on),
            Escape::Display { data, id } => self.then(Output::Shown(texts(data), id), on),
            Escape::Update { data, id } => self.then(Output::Updated(texts(data), id), on),
            Escape::Live { data, id } => self.then(Output::Live(texts(data), id), on),
            Escape::Clear { wait: true } => self.then(Output::Cleared(Clearing::WithTheNext), on),
            Escape::Clear { wait: false } => self.then(Output::Cleared(Clearing::Now), on),
            Escape::Progress(progress) => self.then(Output::Progress(progress), on),
            Escape::Stage(stage) => self.then(Output::Stage(stage), on),
        }
    }

    /// Gives what is left when the run is over. A panic that did not end the cell happened in
    /// another thread, or was caught.
    pub fn end(&mut self, on: &mut dyn FnMut(Output)) {
        self.bundle(on);
        if self.failure.as_ref().is_none_or(|failure| failure.kind != Failed::Panic) {
            self.panic_elsewhere(on);
        }
    }

    fn panic_elsewhere(&mut self, on: &mut dyn FnMut(Output)) {
        if let Some(Panic { message, file, line, column, thread, .. }) = self.panic.take() {
            let place = format!("{file}:{line}:{column}");
            on(Output::Stderr(format!("thread '{thread}' panicked at {place}:\n{message}\n")));
        }
    }

    fn then(&mut self, output: Output, on: &mut dyn FnMut(Output)) {
        self.bundle(on);
        on(output);
    }

    fn bundle(&mut self, on: &mut dyn FnMut(Output)) {
        let bundle = std::mem::take(&mut self.bundle);
        // evcxr shows the value of a cell that ends in a loop, too.
        let is_unit = bundle.len() == 1 && bundle.get("text/plain").is_some_and(|it| it == "()");
        if !bundle.is_empty() && !is_unit {
            on(Output::Shown(bundle, None));
        }
    }
}

/// Content that is JSON itself may come as such.
fn texts(data: BTreeMap<String, Value>) -> Bundle {
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    data.into_iter().map(|(mime, value)| (mime, text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(mime: &str) -> String {
        format!("\u{1e}{{\"content\":{{\"mime\":\"{mime}\",\"text\":\"x\"}}}}")
    }

    fn read(lines: &[&str]) -> (Reader, Vec<Output>) {
        let (mut reader, mut outputs) = (Reader::default(), Vec::new());
        lines.iter().for_each(|line| reader.line(line, &mut |output| outputs.push(output)));
        reader.end(&mut |output| outputs.push(output));
        (reader, outputs)
    }

    fn shown(mimes: &[&str]) -> Output {
        let data = mimes.iter().map(|&mime| (mime.to_owned(), "x".to_owned())).collect();
        Output::Shown(data, None)
    }

    #[test]
    fn forms_of_one_value_become_one_bundle() {
        let (plain, html) = (content("text/plain"), content("text/html"));
        assert_eq!(read(&[&plain, &html]).1, [shown(&["text/html", "text/plain"])]);
    }

    #[test]
    fn a_repeated_type_or_text_starts_a_new_bundle() {
        let (plain, html) = (content("text/plain"), content("text/html"));
        let both = read(&[&html, &html]).1;
        assert_eq!(both, [shown(&["text/html"]), shown(&["text/html"])]);
        let out = read(&[&html, "\u{1e}{\"stdout\":\"10 %\\r\"}", &plain]).1;
        let text = Output::Stdout("10 %\r".to_owned());
        assert_eq!(out, [shown(&["text/html"]), text, shown(&["text/plain"])]);
    }

    #[test]
    fn progress_is_read_and_knows_when_it_is_over() {
        let line = "\u{1e}{\"progress\":{\"id\":7,\"label\":\"training\",\"done\":5,\"total\":5}}";
        let out = read(&[line]).1;
        let [Output::Progress(progress)] = &out[..] else { panic!("{out:?}") };
        assert_eq!((progress.id, progress.label.as_str()), (7, "training"));
        assert!(progress.is_over());
    }

    #[test]
    fn displays_updates_and_clearing_arrive() {
        let out = read(&[
            "\u{1e}{\"display\":{\"data\":{\"text/html\":\"x\"},\"id\":\"a\"}}",
            "\u{1e}{\"update\":{\"data\":{\"application/json\":{\"n\":1}},\"id\":\"a\"}}",
            "\u{1e}{\"clear\":{\"wait\":true}}",
            "\u{1e}{\"live\":{\"data\":{},\"id\":\"b\"}}",
        ]);
        let bundle = |mime: &str, text: &str| Bundle::from([(mime.to_owned(), text.to_owned())]);
        let expected = [
            Output::Shown(bundle("text/html", "x"), Some("a".to_owned())),
            Output::Updated(bundle("application/json", "{\"n\":1}"), "a".to_owned()),
            Output::Cleared(Clearing::WithTheNext),
            Output::Live(Bundle::new(), "b".to_owned()),
        ];
        assert_eq!(out.1, expected);
    }

    #[test]
    fn only_the_panic_that_ended_the_cell_is_its_error() {
        let panic = |text: &str| format!("\u{1e}{{\"panic\":{{\"message\":\"{text}\"}}}}");
        let (caught, last) = (panic("caught"), panic("last"));
        let failed = "\u{1e}{\"failed\":{\"kind\":\"panic\",\"text\":\"\"}}";
        let (reader, out) = read(&[&caught, &last, failed]);
        assert_eq!(reader.panic.map(|panic| panic.message).as_deref(), Some("last"));
        assert_eq!(out, [Output::Stderr("thread '' panicked at :0:0:\ncaught\n".to_owned())]);
        assert_eq!(read(&[&caught]).1.len(), 1);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_kept_as_text() {
        let line = "\u{1e}{\"unheard\":1}";
        assert_eq!(read(&[line]).1, [Output::Stdout(format!("{line}\n"))]);
    }
}
