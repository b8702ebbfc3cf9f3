//! Notebooks also run in evcxr's own kernel, as it is published, after one cell more:
//!
//! ```text
//! :dep erm = { path = ".../prelude", package = "erm-prelude" }
//! use erm::prelude::*;
//! ```
//!
//! The same there: all code, all results, all claims that the cells assert, each chart, gallery and
//! table as the value of its cell, in a notebook's form (SVG, HTML) and as text.
//! Plainer: no bar and no live curve while a cell runs but a printed line now and then; a panic is
//! text and not an error; an interrupt loses the variables; and whoever has no warm folder, as the
//! test has, waits a minute or more until the crate is built, after every start.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::all_notebooks::notebooks;
use crate::jupyter::python;
use crate::support::{cache, erm, has_library};

#[test]
fn the_notebooks_run_in_evcxrs_own_kernel() {
    let Some(python) = python() else {
        println!("skipped: no Python with jupyter_client; .ci/run makes one");
        return;
    };
    if !has_library() {
        println!("skipped: evcxr's own kernel needs rust-src; `rustup component add rust-src`");
        return;
    }
    assert!(erm().arg("warm").status().unwrap().success());
    for notebook in notebooks().iter().filter(|path| shows_everything(path)) {
        let json: Value = serde_json::from_str(&fs::read_to_string(notebook).unwrap()).unwrap();
        let expected = kinds_of_results(&json);
        let given = run(&python, notebook);
        assert_eq!(given.len(), expected.len() + 1, "{given:?}");
        for (given, expected) in given[1..].iter().zip(expected) {
            assert_eq!(given["kinds"], expected, "{given}");
        }
    }
}

/// Whether this is one of the two notebooks that have every kind of output between them. The others
/// take minutes here, and are left out.
fn shows_everything(notebook: &Path) -> bool {
    let name = notebook.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ["00-", "charts"].iter().any(|start| name.starts_with(start))
}

/// What the committed notebook has as the values of its code cells, which is what any kernel should
/// give.
fn kinds_of_results(notebook: &Value) -> Vec<Value> {
    let cells = notebook["cells"].as_array().unwrap();
    let code = cells.iter().filter(|cell| cell["cell_type"] == "code");
    code.map(|cell| {
        let outputs = cell["outputs"].as_array().unwrap().iter();
        let data = outputs.filter_map(|output| output["data"].as_object());
        let mut kinds: Vec<_> = data.flat_map(|data| data.keys().cloned()).collect();
        kinds.sort();
        kinds.into()
    })
    .collect()
}

/// What each cell gave, the first of which makes the prelude known.
fn run(python: &Path, notebook: &Path) -> Vec<Value> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let erm = Path::new(env!("CARGO_BIN_EXE_erm"));
    let template = template();
    let work = warm_folder(&template);
    let mut command = Command::new(python);
    forget_cargo(&mut command);
    let output = command
        .arg(project.join("tests/stock/run.py"))
        .arg(erm.with_file_name("examples").join("stock-kernel"))
        .arg(project.join("prelude").canonicalize().unwrap())
        .arg(&work)
        .arg(template.join("Cargo.lock"))
        .arg(notebook)
        .env("ERM_CACHE", cache())
        .env("ERM_DATASET", "see-far")
        .env("ERM_RECORDS", work.join("records"))
        .env_remove("ERM_SCALE")
        .env_remove("ERM_FRONT")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    fs::remove_dir_all(&work).unwrap();
    assert!(output.status.success(), "{said}{complaints}");
    let cells: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for cell in &cells {
        let stderr = cell["stderr"].as_str().unwrap();
        // evcxr's kernel calls a cell that panicked a success.
        assert!(cell["status"] == "ok" && !stderr.contains("panicked at"), "{cell:#}{complaints}");
    }
    cells
}

/// What cargo tells a test about itself would lead cells to other libraries and to other builds.
fn forget_cargo(command: &mut Command) {
    let is_cargos = |name: &str| name.starts_with("CARGO") && name != "CARGO_HOME";
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| is_cargos(name) || name.ends_with("LIBRARY_PATH")) {
        command.env_remove(name);
    }
}

/// The folder in which the prelude is built.
fn template() -> PathBuf {
    let entries = fs::read_dir(cache()).unwrap().map(|entry| entry.unwrap().path());
    let is_template = |path: &PathBuf| path.join("built").exists();
    let templates = entries.filter(is_template);
    let used = |path: &PathBuf| fs::metadata(path.join("built")).unwrap().modified().unwrap();
    templates.max_by_key(used).expect("a warm-up leaves a template")
}

/// A copy of it, beside it so that cargo's settings are the same.
fn warm_folder(template: &Path) -> PathBuf {
    let work = cache().join("stock-kernel");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).unwrap();
    let copied = Command::new("cp").arg("-a").arg(template.join("target")).arg(&work).status();
    assert!(copied.unwrap().success());
    work
}
