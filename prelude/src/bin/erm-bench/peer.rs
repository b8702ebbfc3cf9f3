//! PyTorch in a process of its own, which is asked for one figure at a time.

use crate::arguments::Arguments;
use crate::measure::Subject;
use crate::memory::{self, Memory};
use erm::engine::bench::Work;
use erm::{Error, Result};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Where the peer's script lies: beside the sources, or below the folder we run in if they are elsewhere.
fn script() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/pytorch/bench.py");
    let [beside, below] = [beside, "tests/pytorch/bench.py"].map(PathBuf::from);
    if beside.exists() { beside } else { below }
}

const REMEDY: &str = "python3 -m venv .venv && .venv/bin/pip install torch numpy, \
                      then --python .venv/bin/python";

/// A running peer.
pub struct Peer {
    /// What it is: "PyTorch 2.15.0".
    pub name: String,
    seconds: f64,
    /// Bytes that it had when PyTorch was loaded.
    before: Option<f64>,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts the peer and waits until it has loaded PyTorch.
    pub fn start(arguments: &Arguments) -> Result<Self> {
        let python = &arguments.python;
        let mut process = Command::new(python)
            .arg(script())
            .args(["--threads", &arguments.threads.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| Error::file(python, format!("the peer is missing ({e})"), REMEDY))?;
        let input = process.stdin.take().expect("its input is piped");
        let output = BufReader::new(process.stdout.take().expect("its output is piped"));
        let (name, seconds) = (String::new(), arguments.seconds);
        let mut peer = Self { name, seconds, before: None, process, input, output };
        let hello = peer.answer()?;
        match hello["peer"].as_str() {
            Some(name) => {
                peer.name = name.to_owned();
                peer.before = memory::now(peer.process.id());
            }
            None => {
                let problem = format!("the peer is missing ({})", hello["missing"]);
                return Err(Error::file(python, problem, REMEDY));
            }
        }
        Ok(peer)
    }

    /// Has the work measured in one of PyTorch's configurations.
    pub fn images_per_second(
        &mut self,
        Subject { net, width, batch, device }: &Subject,
        work: Work,
        config: &str,
    ) -> Result<f64> {
        let ask = json!({
            "net": net, "width": width, "batch": batch, "device": device,
            "work": work.name(), "config": config, "seconds": self.seconds,
        });
        writeln!(self.input, "{ask}").map_err(|e| broken(&e.to_string()))?;
        let answer = self.answer()?;
        answer["images_per_second"].as_f64().ok_or_else(|| broken(&answer.to_string()))
    }

    /// What it took beside what it had with PyTorch loaded.
    pub fn memory(&self) -> Option<Memory> {
        memory::since(self.before, self.process.id())
    }

    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|e| broken(&e.to_string()))?;
        serde_json::from_str(&line).map_err(|e| broken(&format!("`{}`, {e}", line.trim())))
    }
}

impl Drop for Peer {
    /// A peer that nobody asks any more would wait for ever.
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn broken(found: &str) -> Error {
    let remedy = "What Python wrote above says why; leave --compile out if it was the compiler.";
    Error::invalid("a figure from tests/pytorch/bench.py", found, remedy)
}
