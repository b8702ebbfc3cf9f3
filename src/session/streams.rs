//! Listens to both streams of a cell process while a cell runs.

use std::time::{Duration, Instant};

use evcxr::EvalContextOutputs;

use super::output::{Failed, Output, Reader};
use super::relay::END_OF_CELL;

/// A line on standard error is held so long, since it may turn out to say why the cell failed.
const HELD: Duration = Duration::from_secs(1);
/// How long the last lines of standard error may be under way when a cell has ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads the streams for one run of a cell.
pub struct Listener<'a> {
    streams: &'a EvalContextOutputs,
    reader: Reader,
    held: Vec<(Instant, String)>,
    ends_on_stderr: usize,
}

impl<'a> Listener<'a> {
    /// Listens from now on.
    pub fn new(streams: &'a EvalContextOutputs) -> Self {
        Listener { streams, reader: Reader::default(), held: vec![], ends_on_stderr: 0 }
    }

    /// Hands on all that has come since the last call.
    pub fn pass_on(&mut self, on: &mut dyn FnMut(Output)) {
        for line in self.streams.stdout.try_iter() {
            self.reader.line(line).into_iter().for_each(&mut *on);
        }
        while let Ok(line) = self.streams.stderr.try_recv() {
            self.hold(line);
        }
        let is_old = |(came, line): &&(Instant, String)| {
            came.elapsed() > HELD && !line.contains("panicked at ")
        };
        let old = self.held.iter().take_while(is_old).count();
        self.held.drain(..old).for_each(|(_, line)| on(Output::Stderr(line + "\n")));
    }

    /// Waits for what is under way when the cell has ended: how it failed, and the last lines of
    /// standard error.
    pub fn end(mut self, on: &mut dyn FnMut(Output)) -> (Option<Failed>, Vec<String>) {
        self.pass_on(on);
        let until = Instant::now() + PATIENCE;
        while self.ends_on_stderr < self.reader.ends() {
            let Ok(line) = self.streams.stderr.recv_deadline(until) else { break };
            self.hold(line);
        }
        (self.reader.failed(), self.held.into_iter().map(|(_, line)| line).collect())
    }

    fn hold(&mut self, line: String) {
        match line.strip_suffix(END_OF_CELL) {
            Some("") => self.ends_on_stderr += 1,
            Some(partial) => {
                self.ends_on_stderr += 1;
                self.held.push((Instant::now(), partial.to_owned()));
            }
            None => self.held.push((Instant::now(), line)),
        }
    }
}
