use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{TEMPORARY, erm, folder};

/// Starts the kernel by its registered name, runs cells and prints what came back, a line each.
const CLIENT: &str = r#"
import json, sys
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="erm", startup_timeout=600)
try:
    for code in sys.argv[1:]:
        outputs = []
        reply = client.execute_interactive(code, timeout=120, output_hook=outputs.append)
        texts = [m["content"].get("text") or m["content"].get("data", {}).get("text/plain")
                 or m["content"].get("evalue") for m in outputs]
        print(json.dumps([reply["content"]["status"], [text for text in texts if text]]))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"#;

/// A Python that has `jupyter_client`: the one that is named, or the one that `.ci/run` makes.
pub fn python() -> Option<PathBuf> {
    let made = Path::new(TEMPORARY).with_file_name("test-python").join("bin/python");
    let named = env::var_os("ERM_TEST_PYTHON").map(PathBuf::from);
    named.or_else(|| made.is_file().then_some(made))
}

#[test]
fn cells_run_through_jupyters_own_client() {
    let Some(python) = python() else {
        println!(
            "skipped: no Python with jupyter_client; .ci/run makes one, ERM_TEST_PYTHON names one"
        );
        return;
    };
    let data = folder("jupyter");
    let registered = erm().env("JUPYTER_DATA_DIR", &data).arg("install").status().unwrap();
    assert!(registered.success());
    let cells = [
        "let total = erm::ndarray::arr1(&[1, 2, 3]).sum();",
        "println!(\"total {total}\");",
        "total * 7",
        "let x: u32 = \"three\";",
        "std::mem::size_of::<Images>() > 0",
    ];
    let output = Command::new(python)
        .args(["-c", CLIENT])
        .args(cells)
        .env("JUPYTER_DATA_DIR", &data)
        .env("ERM_CACHE", crate::support::cache())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let replies: Vec<Value> = said
        .lines()
        .filter(|line| line.starts_with("["))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expected = [
        serde_json::json!(["ok", []]),
        serde_json::json!(["ok", ["total 6\n"]]),
        serde_json::json!(["ok", ["42"]]),
    ];
    assert_eq!(replies[..3], expected);
    assert_eq!(replies[3][0], "error");
    assert_eq!(replies[4], serde_json::json!(["ok", ["true"]]));
}
