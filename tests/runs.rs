use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{cache, erm, folder, notebook, run};

/// Shows a value in two forms, as the prelude's charts do, and then another.
const TWO_VALUES: &str = r#"println!("EVCXR_BEGIN_CONTENT text/plain\na chart\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT image/svg+xml\n<svg/>\nEVCXR_END_CONTENT");
println!("EVCXR_BEGIN_CONTENT text/plain\nanother\nEVCXR_END_CONTENT");"#;

#[test]
fn outputs_are_stored_as_jupyter_stores_them() {
    let path = notebook(
        "outputs",
        &[
            "println!(\"to {}\", \"stdout\"); eprintln!(\"to stderr\");",
            "",
            TWO_VALUES,
            "std::env::var(\"ERM_DATASET\").unwrap() + &std::env::var(\"ERM_SCALE\").unwrap()",
            "erm::show::stage(\"thinking\"); erm::show::Progress::start(\"a\", \"b\", 3).advance(3);",
            "let text = std::fs::read_to_string(\"notebook.ipynb\")?; // The cell's folder.\ntext.len() > 9",
        ],
    );
    let ran = run(&path, &["--data", "see-far", "--scale", "demo"]).ok();
    let outputs = |index: usize| ran.cell(index)["outputs"].clone();
    assert_eq!(
        outputs(0)[0],
        json!({"output_type": "stream", "name": "stdout", "text": ["to stdout\n"]})
    );
    assert_eq!(
        outputs(0)[1],
        json!({"output_type": "stream", "name": "stderr", "text": ["to stderr\n"]})
    );
    let data = json!({"text/plain": ["a chart"], "image/svg+xml": ["<svg/>"]});
    assert_eq!(outputs(2)[0], json!({"output_type": "display_data", "data": data, "metadata": {}}));
    assert_eq!(outputs(2)[1]["data"], json!({"text/plain": ["another"]}));
    assert_eq!(outputs(3)[0]["data"]["text/plain"], json!(["\"see-fardemo\""]));
    assert_eq!(outputs(3)[0]["output_type"], "execute_result");
    assert_eq!(outputs(4), json!([]), "progress is for the eyes only");
    assert_eq!(outputs(5)[0]["data"]["text/plain"], json!(["true"]));
    let counts: Vec<_> = (0..6).map(|index| ran.cell(index)["execution_count"].clone()).collect();
    assert_eq!(counts, [json!(1), Value::Null, json!(2), json!(3), json!(4), json!(5)]);
    assert_eq!(ran.json["nbformat_minor"], 5);
    assert_eq!(ran.json["metadata"]["kernelspec"]["name"], "erm");
}

#[test]
fn a_failing_cell_stops_the_run_and_what_was_finished_is_written() {
    let failures = [
        (
            "panics",
            "let hits = vec![1];\nassert!(hits.len() == 2, \"one hit only\");",
            "one hit only",
        ),
        ("errors", "let text: String = std::fs::read_to_string(\"nowhere\")?;", "No such file"),
        ("mistakes", "let x: u32 = \"three\";", "mismatched types"),
    ];
    let failed = |(name, code, reason): (&str, &str, &str)| {
        let path = notebook(name, &["println!(\"before\");", code, "println!(\"after\");"]);
        let ran = run(&path, &[]);
        assert_eq!(ran.output.status.code(), Some(1), "{}", ran.said());
        assert!(ran.said().contains(reason), "{}", ran.said());
        assert!(ran.said().contains("code cell 2 of 3"), "{}", ran.said());
        assert_eq!(ran.text(0), "before\n");
        let error = &ran.cell(1)["outputs"][0];
        assert_eq!(error["output_type"], "error", "{error}");
        assert!(error["evalue"].as_str().unwrap().contains(reason), "{error}");
        assert_eq!(ran.cell(2)["outputs"], json!([]));
        assert_eq!(ran.cell(2)["execution_count"], Value::Null);
    };
    // Three sessions at once, each in its own clone of the template.
    std::thread::scope(|scope| {
        let runs = failures.map(|failure| scope.spawn(move || failed(failure)));
        runs.into_iter().for_each(|run| run.join().expect("the run failed as it should"));
    });
}

#[test]
fn sessions_leave_no_work_folder_behind() {
    let abandoned = cache().join("sessions/0-0");
    fs::create_dir_all(&abandoned).unwrap();
    run(&notebook("leftovers", &["println!(\"on\");"]), &[]).ok();
    assert!(!abandoned.exists());
}

#[test]
fn what_cannot_be_run_is_named() {
    let folder = folder("wrong");
    let (text, old) = (folder.join("text.ipynb"), folder.join("old.ipynb"));
    fs::write(&text, "fn main() {}").unwrap();
    fs::write(&old, r#"{"nbformat": 3, "worksheets": []}"#).unwrap();
    let refused = |command: &mut Command, code: i32, reason: &str| {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(reason), "{said}");
    };
    refused(erm().arg("run").arg(folder.join("none.ipynb")), 1, "none.ipynb");
    refused(erm().arg("run").arg(&text), 1, "not JSON");
    refused(erm().arg("run").arg(&old), 1, "format 3");
    refused(erm().args(["run", "--data", "mnist"]), 2, "possible values: cifar10, see-far, ");
    refused(erm().args(["run", "--scale", "huge"]), 2, "possible values: demo, paper");
    refused(erm().args(["run", "--out", "x.ipynb"]), 1, "--out names one file");
    let nowhere = erm().env("ERM_PRELUDE", &folder).arg("warm").output().unwrap();
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("set ERM_PRELUDE"));
}
