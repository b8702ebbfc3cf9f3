//! What a running cell gives: lines, shown values, progress; and how escape lines are read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::relay::ESCAPE;

/// One value as a cell showed it: MIME type to content.
pub type Bundle = BTreeMap<String, String>;

/// One thing that a running cell gave, in the order in which it gave it.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Text of standard output as it came: lines, parts of lines, carriage returns.
    Stdout(String),
    /// Text of standard error as it came.
    Stderr(String),
    /// A value that the cell showed; one with an id may be replaced later.
    Shown(Bundle, Option<String>),
    /// The value that was shown with this id looks like this from now on, wherever it is.
    Updated(Bundle, String),
    /// Everything that the cell has shown is taken away.
    Cleared(Clearing),
    /// A picture of work under way, in the place of the last one with the same id; an empty bundle
    /// takes it away. For the eyes only.
    Live(Bundle, String),
    /// How far a long task is; for the eyes only.
    Progress(Progress),
    /// What the cell is busy with; for the eyes only.
    Stage(String),
}

/// When a cleared cell becomes empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearing {
    /// At once.
    Now,
    /// With the next output, so that nothing flickers.
    WithTheNext,
}

/// Who follows a running cell.
pub trait Audience {
    /// Takes what the cell gave.
    fn hear(&mut self, output: Output);

    /// Answers a question of the cell; `None` where nobody is there to do so.
    fn answer(&mut self, question: &Question) -> Option<String>;
}

/// A question that a cell asks its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is asked; may be empty.
    pub prompt: String,
    /// The answer must not be seen, such as a password.
    pub is_secret: bool,
}

/// How far a long task of a cell is, as the prelude reports it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Tells two tasks apart that report at the same time.
    pub id: u64,
    /// What the task is, such as "training".
    pub label: String,
    /// What is counted, such as "images".
    pub unit: String,
    /// How many are done.
    pub done: u64,
    /// How many there will be.
    pub total: u64,
    /// Seconds since the task began.
    pub seconds: f64,
    /// A figure worth watching, such as "loss 1.53".
    pub note: String,
    /// The task is over, whether or not it did all it set out to do.
    pub finished: bool,
}

impl Progress {
    /// Whether this is the task's last report.
    pub fn is_over(&self) -> bool {
        self.finished || (self.total > 0 && self.done >= self.total)
    }
}

/// How a cell ended before its last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failed {
    /// It panicked.
    Panic,
    /// A `?` met an error.
    Error,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Escape {
    Progress(Progress),
    Stage(String),
    Content { mime: String, text: String },
    Failed(Failed),
    End(serde::de::IgnoredAny),
}

/// Puts a cell's lines back together: content of different types that arrives without anything in
/// between is one value in several forms.
#[derive(Default)]
pub struct Reader {
    bundle: Bundle,
    failed: Option<Failed>,
    ends: usize,
}

impl Reader {
    /// Reads one line of standard output and gives what is complete with it.
    pub fn line(&mut self, line: String) -> Vec<Output> {
        let escape = line.strip_prefix(ESCAPE).map(serde_json::from_str);
        let Some(Ok(escape)) = escape else { return self.then(Output::Stdout(line + "\n")) };
        match escape {
            Escape::Progress(progress) => self.then(Output::Progress(progress)),
            Escape::Stage(stage) => self.then(Output::Stage(stage)),
            Escape::Failed(failed) => {
                self.failed = Some(failed);
                self.bundle()
            }
            Escape::End(_) => {
                self.ends += 1;
                self.bundle()
            }
            Escape::Content { mime, text } => {
                let out = if self.bundle.contains_key(&mime) { self.bundle() } else { vec![] };
                self.bundle.insert(mime, text);
                out
            }
        }
    }

    /// How the cell failed, if it did.
    pub fn failed(&self) -> Option<Failed> {
        self.failed
    }

    /// How often compiled code of the cell has run to its end: not at all for a cell of commands,
    /// twice where evcxr tries again.
    pub fn ends(&self) -> usize {
        self.ends
    }

    fn then(&mut self, output: Output) -> Vec<Output> {
        let mut out = self.bundle();
        out.push(output);
        out
    }

    fn bundle(&mut self) -> Vec<Output> {
        let bundle = std::mem::take(&mut self.bundle);
        // evcxr shows the value of a cell that ends in a loop, too.
        let is_unit = bundle.len() == 1 && bundle.get("text/plain").is_some_and(|it| it == "()");
        if bundle.is_empty() || is_unit { vec![] } else { vec![Output::Shown(bundle, None)] }
    }
}

#[cfg(test)]
mod tests {
    use super::super::relay::END_OF_CELL;
    use super::*;

    fn content(mime: &str) -> String {
        format!("\u{1e}{{\"content\":{{\"mime\":\"{mime}\",\"text\":\"x\"}}}}")
    }

    fn read(lines: &[String]) -> Vec<Output> {
        let mut reader = Reader::default();
        let lines = lines.iter().cloned().chain([END_OF_CELL.to_owned()]);
        lines.flat_map(|line| reader.line(line)).collect()
    }

    fn shown(mimes: &[&str]) -> Output {
        let data = mimes.iter().map(|&mime| (mime.to_owned(), "x".to_owned())).collect();
        Output::Shown(data, None)
    }

    #[test]
    fn forms_of_one_value_become_one_bundle() {
        let out = read(&[content("text/plain"), content("text/html")]);
        assert_eq!(out, [shown(&["text/html", "text/plain"])]);
    }

    #[test]
    fn a_repeated_type_or_a_printed_line_starts_a_new_bundle() {
        let html = || content("text/html");
        let line = || Output::Stdout("between\n".to_owned());
        assert_eq!(read(&[html(), html()]), [shown(&["text/html"]), shown(&["text/html"])]);
        let out = read(&[html(), "between".to_owned(), content("text/plain")]);
        assert_eq!(out, [shown(&["text/html"]), line(), shown(&["text/plain"])]);
    }

    #[test]
    fn progress_is_read_and_knows_when_it_is_over() {
        let line = "\u{1e}{\"progress\":{\"id\":7,\"label\":\"training\",\"done\":5,\"total\":5}}";
        let out = read(&[line.to_owned()]);
        let [Output::Progress(progress)] = &out[..] else { panic!("{out:?}") };
        assert_eq!((progress.id, progress.label.as_str()), (7, "training"));
        assert!(progress.is_over());
    }

    #[test]
    fn an_escape_line_that_cannot_be_read_is_kept_as_text() {
        let line = "\u{1e}{\"unheard\":1}".to_owned();
        assert_eq!(read(std::slice::from_ref(&line)), [Output::Stdout(line + "\n")]);
    }
}
