//! The cells that were run, across restarts: a file with one line of JSON for each.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use jupyter_protocol::{HistoryEntry, HistoryRequest};
use serde::{Deserialize, Serialize};

/// No more cells than this are kept from earlier sessions.
const KEPT: usize = 10_000;

/// What was run before, and what is run in this session.
pub struct History {
    file: Option<PathBuf>,
    session: usize,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    session: usize,
    /// The cell's count; 0 says that a session has begun, so that two of them never share a number.
    line: usize,
    input: String,
    output: Option<String>,
}

impl History {
    /// Opens the history in a file, which is made if there is none. Without a file that can be
    /// written, history lasts as long as the session.
    pub fn open(file: &Path) -> History {
        match begin(file) {
            Ok(history) => history,
            Err(error) => {
                eprintln!("cells of this session will not be remembered: {error:#}");
                History { file: None, session: 1, entries: vec![] }
            }
        }
    }

    /// Remembers a cell that was run.
    pub fn add(&mut self, line: usize, input: &str, output: Option<String>) {
        let input = input.to_owned();
        let entry = Entry { session: self.session, line, input, output };
        if let Some(file) = &self.file
            && let Err(error) = append(file, &entry)
        {
            eprintln!("a cell will not be remembered: {error:#}");
        }
        self.entries.push(entry);
    }

    /// The cells that a client asks for, the oldest first.
    pub fn find(&self, request: &HistoryRequest) -> Vec<HistoryEntry> {
        let (found, output) = match request {
            HistoryRequest::Tail { n, output, .. } => (self.tail(&self.all(), *n), output),
            HistoryRequest::Range { session, start, stop, output, .. } => {
                (self.range(session.unwrap_or(0), *start, *stop), output)
            }
            HistoryRequest::Search { pattern, unique, output, n, .. } => {
                let mut found = self.all();
                found.retain(|entry| matches(pattern, &entry.input));
                if *unique {
                    found = latest(found);
                }
                (self.tail(&found, *n), output)
            }
        };
        found.into_iter().map(|entry| shown(entry, *output)).collect()
    }

    fn all(&self) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.line > 0).collect()
    }

    fn tail<'a>(&self, entries: &[&'a Entry], n: i32) -> Vec<&'a Entry> {
        let n = usize::try_from(n).unwrap_or(0);
        entries[entries.len().saturating_sub(n)..].to_vec()
    }

    /// Sessions count from 1; 0 is this one and negative numbers are those before it.
    fn range(&self, session: i32, start: i32, stop: i32) -> Vec<&Entry> {
        let session =
            if session > 0 { session as i64 } else { self.session as i64 + session as i64 };
        let lines = i64::from(start)..i64::from(stop);
        let mut found = self.all();
        found.retain(|it| it.session as i64 == session && lines.contains(&(it.line as i64)));
        found
    }
}

/// Begins a session with a number of its own and what is kept of those before it.
fn begin(path: &Path) -> Result<History> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    file.lock()?;
    let lines = BufReader::new(&file).lines().map_while(Result::ok);
    let mut entries: Vec<Entry> =
        lines.filter_map(|line| serde_json::from_str(&line).ok()).collect();
    let session = 1 + entries.iter().map(|entry| entry.session).max().unwrap_or(0);
    let begun = Entry { session, line: 0, input: String::new(), output: None };
    let mut text = line(&begun)?;
    if entries.len() > KEPT {
        entries.drain(..entries.len() - KEPT / 2);
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        text = entries.iter().map(line).collect::<Result<String>>()? + &text;
    }
    file.write_all(text.as_bytes())?;
    Ok(History { file: Some(path.to_owned()), session, entries })
}

fn append(path: &Path, entry: &Entry) -> Result<()> {
    let mut file = File::options().create(true).append(true).open(path)?;
    file.lock()?;
    Ok(file.write_all(line(entry)?.as_bytes())?)
}

fn line(entry: &Entry) -> Result<String> {
    Ok(serde_json::to_string(entry)? + "\n")
}

/// Only the latest of the cells that are the same.
fn latest(mut found: Vec<&Entry>) -> Vec<&Entry> {
    let mut seen = HashSet::new();
    found.reverse();
    found.retain(|entry| seen.insert(&entry.input));
    found.reverse();
    found
}

fn shown(entry: &Entry, output: bool) -> HistoryEntry {
    let Entry { session, line, input, output: text } = entry.clone();
    match output {
        true => HistoryEntry::InputOutput(session, line, (input, text.unwrap_or_default())),
        false => HistoryEntry::Input(session, line, input),
    }
}

/// Whether the whole text fits a pattern in which `*` stands for any text and `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    // For each part of the pattern that was read, whether it fits all of the text read so far.
    let mut fits = vec![false; pattern.len() + 1];
    fits[0] = true;
    for at in 0..pattern.len() {
        fits[at + 1] = fits[at] && pattern[at] == '*';
    }
    for char in text.chars() {
        let before = fits.clone();
        fits[0] = false;
        for (at, &part) in pattern.iter().enumerate() {
            fits[at + 1] = match part {
                '*' => fits[at] || before[at + 1],
                '?' => before[at],
                part => before[at] && part == char,
            };
        }
    }
    fits[pattern.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(found: &[HistoryEntry]) -> Vec<String> {
        let input = |entry: &HistoryEntry| match entry {
            HistoryEntry::Input(_, _, input) => input.clone(),
            HistoryEntry::InputOutput(_, _, (input, output)) => format!("{input}={output}"),
        };
        found.iter().map(input).collect()
    }

    fn search(pattern: &str, unique: bool, n: i32) -> HistoryRequest {
        let pattern = pattern.to_owned();
        HistoryRequest::Search { pattern, unique, output: false, raw: true, n }
    }

    #[test]
    fn sessions_follow_one_another_on_disk() {
        let file = std::env::temp_dir().join(format!("erm-history-{}", std::process::id()));
        let _ = std::fs::remove_file(&file);
        let mut first = History::open(&file);
        first.add(1, "6*7", Some("42".to_owned()));
        let mut second = History::open(&file);
        second.add(1, "1", None);
        second.add(2, "6*7", None);
        let tail = |n| HistoryRequest::Tail { n, output: true, raw: true };
        assert_eq!(inputs(&second.find(&tail(2))), ["1=", "6*7="]);
        assert_eq!(inputs(&second.find(&tail(9))), ["6*7=42", "1=", "6*7="]);
        let range = |session, start, stop| HistoryRequest::Range {
            session: Some(session),
            start,
            stop,
            output: false,
            raw: true,
        };
        assert_eq!(inputs(&second.find(&range(0, 2, 3))), ["6*7"]);
        assert_eq!(inputs(&second.find(&range(-1, 0, 9))), ["6*7"]);
        assert_eq!(inputs(&second.find(&range(1, 1, 2))), ["6*7"]);
        assert_eq!(inputs(&second.find(&search("6?7*", true, 9))), ["6*7"]);
        assert_eq!(second.find(&search("6?7*", false, 9)).len(), 2);
        assert_eq!(second.find(&search("*", false, 1)).len(), 1);
        assert_eq!(History::open(&file).session, 3);
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn patterns_fit_the_whole_text() {
        assert!(matches("l*t ?", "let x") && matches("*", "") && matches("", ""));
        assert!(!matches("let", "let x") && !matches("?", "") && !matches("x*", "let x"));
    }
}
