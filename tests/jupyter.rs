use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{TEMPORARY, cache, erm, folder, has_library};

/// The modules that the scripts of `tests/jupyter` need.
const MODULES: &str = "import jupyter_client, jupyter_kernel_test, psutil";

/// A Python that has Jupyter's own client: the one that is named, or the one that `.ci/run` makes.
pub fn python() -> Option<PathBuf> {
    let made = Path::new(TEMPORARY).with_file_name("test-python").join("bin/python");
    let named = env::var_os("ERM_TEST_PYTHON").map(PathBuf::from);
    named.or_else(|| made.is_file().then_some(made))
}

/// Runs a script of `tests/jupyter` with our kernel registered.
fn script(name: &str, arguments: &[&str]) {
    let has_modules = |python: &PathBuf| {
        let probe = Command::new(python).args(["-c", MODULES]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    let Some(python) = python().filter(has_modules) else {
        println!(
            "skipped: no Python with Jupyter's client; .ci/run makes one, ERM_TEST_PYTHON names one"
        );
        return;
    };
    // A template that others have to wait for is built before any of their clocks runs.
    succeeded(&erm().arg("warm").output().expect("the program starts"));
    let data = folder(&format!("jupyter-{name}"));
    succeeded(&erm().env("JUPYTER_DATA_DIR", &data).arg("install").output().expect("it starts"));
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jupyter");
    let mut command = Command::new(python);
    let command = command
        .arg(scripts.join(name).with_extension("py"))
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("JUPYTER_DATA_DIR", &data)
        .env("ERM_CACHE", cache());
    for name in ["ERM_DATASET", "ERM_SCALE", "ERM_PRELUDE", "ERM_FRONT", "JUPYTER_PATH"] {
        command.env_remove(name);
    }
    succeeded(&command.output().expect("Python starts"));
}

fn succeeded(output: &Output) {
    let Output { stdout, stderr, status } = output;
    let said = [stdout, stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(status.success(), "{}{}", said[0], said[1]);
}

#[test]
fn the_kernel_passes_jupyters_own_tests() {
    script("suite", &[]);
}

#[test]
fn a_client_gets_what_a_cell_gives_and_an_answer_to_every_request() {
    script("cells", &[]);
}

#[test]
fn an_interrupt_keeps_what_can_be_kept() {
    script("interrupts", &[]);
}

#[test]
fn a_kernel_that_ends_leaves_nothing_behind() {
    script("ends", &[]);
}

#[test]
fn a_kernel_that_warms_up_answers_and_can_be_stopped() {
    script("warming", &[]);
}

#[test]
fn many_cells_let_nothing_grow() {
    script("soak", &["30"]);
}

#[test]
fn evcxrs_own_kernel_runs_the_same_cells() {
    if !has_library() {
        println!("skipped: evcxr's own kernel needs rust-src; `rustup component add rust-src`");
        return;
    }
    script("stock", &[]);
}
