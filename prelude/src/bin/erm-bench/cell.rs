//! Our own work once more, in cells of the kernel, where evcxr chooses how they are compiled.

use crate::arguments::Arguments;
use crate::measure::Subject;
use erm::engine::bench::Work;
use erm::{Error, Result};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const REMEDY: &str = "Build it with `cargo build --release`, then --erm target/release/erm.";

/// A session that is asked for one figure at a time. Between two it is blocked.
pub struct Cell {
    seconds: f64,
    isa: String,
    /// The subjects of the benches that it has made.
    made: HashSet<Subject>,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Cell {
    /// Starts a session of `erm`, the program.
    pub fn start(arguments: &Arguments, erm: &Path) -> Result<Self> {
        let mut process = Command::new(erm)
            .arg("repl")
            .env("RAYON_NUM_THREADS", arguments.threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| Error::file(erm, e, REMEDY))?;
        let input = process.stdin.take().expect("its input is piped");
        let output = BufReader::new(process.stdout.take().expect("its output is piped"));
        let (seconds, isa) = (arguments.seconds, format!("Isa::{:?}", arguments.isa));
        let mut cell = Self { seconds, isa, made: HashSet::new(), process, input, output };
        cell.run("use erm::engine::{Isa, bench::{Bench, Work}};")?;
        Ok(cell)
    }

    /// Has the work done in a cell.
    pub fn images_per_second(&mut self, subject: &Subject, work: Work) -> Result<f64> {
        let Subject { net, width, batch, device } = subject;
        let bench = format!("bench_{net}_{width}_{batch}_{}", device.replace('-', "_"));
        if self.made.insert(subject.clone()) {
            let isa = &self.isa;
            self.run(&format!(
                "let mut {bench} = Bench::new({net:?}, {width}, {batch}, {device:?}, {isa})?;"
            ))?;
        }
        self.run(&format!("{bench}.images_per_second(Work::{work:?}, {:?})?", self.seconds))?;
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|e| broken(&e.to_string()))?;
        line.trim().parse().map_err(|_| broken(&line))
    }

    fn run(&mut self, cell: &str) -> Result<()> {
        writeln!(self.input, "{cell}").map_err(|e| broken(&e.to_string()))
    }
}

impl Drop for Cell {
    /// Without more cells it would wait for ever.
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn broken(found: &str) -> Error {
    let found = format!("`{}`", found.trim());
    Error::invalid("a figure from a cell", found, "What the program wrote above says why.")
}
