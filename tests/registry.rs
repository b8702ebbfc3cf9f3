use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{erm, folder};

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_kernel_is_registered_under_a_prefix_and_removed_again() {
    let prefix = folder("prefix");
    let spec = prefix.join("share/jupyter/kernels/erm/kernel.json");
    succeeds(erm().arg("install").arg("--prefix").arg(&prefix));
    let json: Value = serde_json::from_str(&fs::read_to_string(&spec).unwrap()).unwrap();
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_erm")).unwrap();
    assert_eq!(json["argv"][0], program.to_str().unwrap());
    assert_eq!(json["argv"][3], "{connection_file}");
    succeeds(erm().arg("uninstall").arg("--prefix").arg(&prefix));
    assert!(!spec.parent().unwrap().exists());
    let again = erm().arg("uninstall").arg("--prefix").arg(&prefix).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("no kernel is registered"));
}

#[test]
fn jupyters_own_variable_says_where_a_user_keeps_kernels() {
    let data = folder("data");
    succeeds(erm().env("JUPYTER_DATA_DIR", &data).arg("install"));
    assert!(data.join("kernels/erm/kernel.json").is_file());
}
