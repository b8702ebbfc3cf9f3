use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{folder, notebook, run};

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The notebooks of the walkthrough, in their order.
pub fn notebooks() -> Vec<PathBuf> {
    let entries = fs::read_dir(project().join("notebooks")).expect("the project has notebooks");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("it is readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ipynb"));
    paths.sort();
    paths
}

fn code_cells(json: &Value) -> Vec<&Value> {
    let cells = json["cells"].as_array().expect("a notebook has cells");
    cells.iter().filter(|cell| cell["cell_type"] == "code").collect()
}

/// Every code cell ran, in order, and none of them failed.
fn ran_from_top_to_bottom(name: &Path, json: &Value) {
    for (index, cell) in code_cells(json).into_iter().enumerate() {
        assert_eq!(cell["execution_count"], index + 1, "{}", name.display());
        let outputs = cell["outputs"].as_array().expect("a code cell has outputs");
        let failed = outputs.iter().find(|output| output["output_type"] == "error");
        assert_eq!(failed, None, "{}", name.display());
    }
}

#[test]
fn the_committed_notebooks_hold_the_outputs_of_a_whole_run() {
    assert!(notebooks().len() >= 2);
    for path in notebooks() {
        let text = fs::read_to_string(&path).expect("it is readable");
        let json = serde_json::from_str(&text).expect("a notebook is JSON");
        ran_from_top_to_bottom(&path, &json);
    }
}

/// Each notebook asserts its own claims in its cells; a run that breaks one fails.
#[test]
fn all_run_on_see_far() {
    for path in notebooks() {
        let copy = folder("all-notebooks").join(path.file_name().expect("a notebook has a name"));
        fs::copy(&path, &copy).expect("the target folder can be written");
        let ran = run(&copy, &["--data", "see-far"]).ok();
        ran_from_top_to_bottom(&path, &ran.json);
    }
}

/// What the README promises: a student of wrong labels is right three times as often as chance.
#[test]
fn the_lines_of_the_readme_run() {
    let readme = fs::read_to_string(project().join("README.md")).expect("the project has a README");
    let (_, rest) = readme.split_once("```rust\n").expect("the README shows a cell");
    let (lines, _) = rest.split_once("```").expect("the cell ends");
    let ran = run(&notebook("readme", &[lines]), &[]).ok();
    let text = ran.text(0);
    let accuracy: f64 = text.trim().parse().unwrap_or_else(|_| panic!("a number, not {text}"));
    assert!((0.3..0.999).contains(&accuracy), "{accuracy}");
}
