use std::env;
use std::path::Path;
use std::process::Command;

use crate::jupyter::python;
use crate::support::{cache, erm, folder};

/// Why a browser cannot be driven here, if it cannot.
fn lacking() -> Option<&'static str> {
    let paths = env::var_os("PATH").unwrap_or_default();
    if !env::split_paths(&paths).any(|folder| folder.join("chromium").is_file()) {
        return Some("no chromium on the PATH");
    }
    let Some(python) = python() else { return Some("no Python for tests") };
    let probe = Command::new(python).args(["-c", "import jupyterlab, playwright"]).output();
    let found = probe.is_ok_and(|output| output.status.success());
    (!found).then_some("the tests' Python has no jupyterlab or no playwright")
}

#[test]
fn the_notebook_is_used_in_jupyterlab_as_a_person_uses_it() {
    if let Some(reason) = lacking() {
        println!("skipped: {reason}; .ci/run installs what is missing");
        return;
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder("browser");
    let data = folder.join("data");
    assert!(erm().env("JUPYTER_DATA_DIR", &data).arg("install").status().unwrap().success());
    let output = Command::new(python().unwrap())
        .arg(project.join("tests/browser/walk.py"))
        .arg(project.join("notebooks/00-planet-erm.ipynb"))
        .arg(&folder)
        .env("JUPYTER_DATA_DIR", &data)
        .env("ERM_CACHE", cache())
        .env("ERM_DATASET", "see-far")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}pictures of the screen are in {}", folder.display());
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
