//! What a running cell gives: text, shown values, progress, questions.

use std::collections::BTreeMap;

use serde::Deserialize;

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
