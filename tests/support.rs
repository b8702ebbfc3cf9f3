use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Made by cargo for this suite, inside its target folder.
pub const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");

/// The program with a cache that all tests share, so that the prelude is built once, and with
/// nothing of the surrounding environment that would change what it does.
pub fn erm() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_erm"));
    for name in ["ERM_DATASET", "ERM_SCALE", "ERM_PRELUDE", "ERM_FRONT"] {
        command.env_remove(name);
    }
    command.env("ERM_CACHE", cache());
    command
}

/// The cache folder of all tests.
pub fn cache() -> PathBuf {
    Path::new(TEMPORARY).join("cache")
}

/// Whether the sources of Rust's library are there. evcxr's own kernel cannot run without them.
pub fn has_library() -> bool {
    let root = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc starts");
    let root = String::from_utf8_lossy(&root.stdout).trim().to_owned();
    Path::new(&root).join("lib/rustlib/src/rust/library").is_dir()
}

/// An empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(TEMPORARY).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// A notebook with these code cells, in a folder of its own.
pub fn notebook(name: &str, cells: &[&str]) -> PathBuf {
    let cell = |code: &&str| json!({"cell_type": "code", "metadata": {}, "source": code, "outputs": [], "execution_count": 99});
    let cells: Vec<_> = cells.iter().map(cell).collect();
    let json = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4});
    let path = folder(name).join("notebook.ipynb");
    fs::write(&path, json.to_string()).expect("the target folder can be written");
    path
}

/// Starts a run of a notebook.
pub fn run(notebook: &Path, arguments: &[&str]) -> Ran {
    let output = erm().arg("run").arg(notebook).args(arguments).output();
    let output = output.expect("the program starts");
    let text = fs::read_to_string(notebook).expect("the notebook is still there");
    let json = serde_json::from_str(&text).expect("what was written is JSON");
    Ran { output, json }
}

/// A run that has ended.
pub struct Ran {
    pub output: Output,
    pub json: Value,
}

impl Ran {
    /// Everything the program said.
    pub fn said(&self) -> String {
        let Output { stdout, stderr, .. } = &self.output;
        format!("{}{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr))
    }

    /// The same run, if it went well.
    pub fn ok(self) -> Ran {
        assert!(self.output.status.success(), "{}", self.said());
        self
    }

    /// A cell as it was written.
    pub fn cell(&self, index: usize) -> &Value {
        &self.json["cells"][index]
    }

    /// The text that a cell printed or gave.
    pub fn text(&self, index: usize) -> String {
        let outputs = self.cell(index)["outputs"].as_array().expect("a code cell has outputs");
        let texts =
            outputs.iter().flat_map(|output| [&output["text"], &output["data"]["text/plain"]]);
        let lines = texts.filter_map(Value::as_array).flatten();
        lines.filter_map(Value::as_str).collect()
    }
}
