//! What can go wrong, said to a person: what was expected, what was found, what to do next.

use std::fmt;
use std::path::{Path, PathBuf};

crate::show::shows_as_text!(Error);

/// The result of everything in Erm that a plausible mistake can make fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure that says what was expected, what was found and what to do next.
#[derive(Clone, PartialEq, Eq)]
pub enum Error {
    /// An argument is outside its range, or two arguments do not fit together.
    Invalid {
        /// What the call needs.
        expected: String,
        /// What it was given.
        found: String,
        /// What to do about it.
        remedy: String,
    },
    /// A file or folder could not be read, written or trusted.
    File {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
    /// The user has interrupted the cell, and a long job has stopped for it.
    Interrupted {
        /// What the job was: "building D_det".
        what: String,
        /// How many units it had done.
        done: usize,
        /// How many there were to do; 0 where nobody knows.
        total: usize,
        /// What a unit is: "images".
        unit: String,
        /// How to go on.
        remedy: String,
    },
    /// A download did not succeed.
    Download {
        /// The address asked.
        url: String,
        /// What happened.
        problem: String,
        /// What to do about it.
        remedy: String,
    },
}

impl Error {
    /// An [`Error::Invalid`] from its three parts.
    pub fn invalid(
        expected: impl Into<String>,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Invalid { expected: expected.into(), found: found.into(), remedy: remedy.into() }
    }

    /// An [`Error::File`] about `path`.
    pub fn file(
        path: impl AsRef<Path>,
        problem: impl fmt::Display,
        remedy: impl Into<String>,
    ) -> Self {
        Self::File {
            path: path.as_ref().to_owned(),
            problem: problem.to_string(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { expected, found, remedy } => {
                write!(f, "expected {expected}, found {found}. {remedy}")
            }
            Self::File { path, problem, remedy } => {
                write!(f, "{}: {problem}. {remedy}", path.display())
            }
            Self::Interrupted { what, total: 0, remedy, .. } => {
                write!(f, "interrupted: {what} stopped. {remedy}")
            }
            Self::Interrupted { what, done, total, unit, remedy } => {
                write!(f, "interrupted: {what} stopped at {done} of {total} {unit}. {remedy}")
            }
            Self::Download { url, problem, remedy } => write!(f, "{url}: {problem}. {remedy}"),
        }
    }
}

/// A cell that ends in `?` prints an error through `Debug`, so it reads like `Display`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
