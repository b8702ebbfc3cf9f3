//! Where cells come from: an editor on a terminal, or the lines of a pipe.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Result;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor};

use super::editor::{Typed, Typing};
use crate::session::{self, Analyst, Completeness, Question, completeness};

const PROMPT: &str = "erm> ";

/// What came next.
pub enum Line {
    /// A cell.
    Code(String),
    /// Nothing to run: an empty line, or one that was given up.
    Nothing,
    /// There will be no more.
    End,
}

/// Where cells and answers to their questions come from.
pub enum Input {
    /// A person at a terminal, and the file that remembers what they typed.
    Typed(Box<Editor<Typing, FileHistory>>, Option<PathBuf>),
    /// A pipe or a file.
    Piped,
}

impl Input {
    /// Takes standard input for what it is.
    pub fn open(analyst: Analyst) -> Result<Input> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(Input::Piped);
        }
        analyst.read();
        let config = Config::builder().completion_type(CompletionType::List);
        let mut editor = Editor::with_config(config.auto_add_history(false).build())?;
        editor.set_helper(Some(Typing { analyst, typed: Typed::Cell }));
        let history = session::cache_folder().ok().map(|cache| cache.join("repl-history.txt"));
        if let Some(history) = &history {
            // There is none before the first time.
            let _ = editor.load_history(history);
        }
        Ok(Input::Typed(Box::new(editor), history))
    }

    /// Whether a person types.
    pub fn is_typed(&self) -> bool {
        matches!(self, Input::Typed(..))
    }

    /// Tells a person what the keys do.
    pub fn greet(&self) {
        if self.is_typed() {
            println!("Erm, with its prelude. Tab completes, Ctrl-C interrupts, Ctrl-D ends.");
        }
    }

    /// The next cell: lines until they can be run.
    pub fn next(&mut self) -> Result<Line> {
        let code = match self {
            Input::Typed(editor, history) => match editor.readline(PROMPT) {
                Ok(code) => {
                    remember(editor, history.as_deref(), &code);
                    code
                }
                Err(ReadlineError::Interrupted) => return Ok(Line::Nothing),
                Err(ReadlineError::Eof) => return Ok(Line::End),
                Err(error) => return Err(error.into()),
            },
            Input::Piped => match read_cell()? {
                Some(code) => code,
                None => return Ok(Line::End),
            },
        };
        Ok(if code.trim().is_empty() { Line::Nothing } else { Line::Code(code) })
    }

    /// Asks the user what a cell wants to know; `None` where nobody answers.
    pub fn ask(&mut self, question: &Question) -> Option<String> {
        let Input::Typed(editor, _) = self else {
            print!("{}", question.prompt);
            io::stdout().flush().ok()?;
            return read_line().ok()?;
        };
        // Two editors would take the terminal's signals from each other, so the same one asks.
        let (typed, colours) = match question.is_secret {
            true => (Typed::Secret, ColorMode::Forced),
            false => (Typed::Answer, ColorMode::Enabled),
        };
        editor.helper_mut()?.typed = typed;
        editor.set_color_mode(colours);
        let answer = editor.readline(&question.prompt).ok();
        editor.helper_mut()?.typed = Typed::Cell;
        editor.set_color_mode(ColorMode::Enabled);
        answer
    }
}

fn remember(editor: &mut Editor<Typing, FileHistory>, file: Option<&std::path::Path>, code: &str) {
    // A history that cannot be written is no reason to lose the cell.
    if editor.add_history_entry(code).unwrap_or(false)
        && let Some(file) = file
    {
        let _ = editor.append_history(file);
    }
}

/// Lines of the pipe until they make a cell, or all that is left.
fn read_cell() -> io::Result<Option<String>> {
    let mut code = String::new();
    while let Some(line) = read_line()? {
        code += &line;
        if !matches!(completeness(&code), Completeness::Incomplete(_)) {
            return Ok(Some(code));
        }
        code.push('\n');
    }
    Ok(Some(code).filter(|code| !code.is_empty()))
}

fn read_line() -> io::Result<Option<String>> {
    let mut line = String::new();
    let bytes = io::stdin().read_line(&mut line)?;
    Ok((bytes > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
}
