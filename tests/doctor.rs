use std::process::{Command, Output};

use crate::support::{erm, folder};

fn said(output: &Output) -> String {
    let Output { stdout, stderr, .. } = output;
    format!("{}{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr))
}

fn is_about(line: &str, thing: &str) -> bool {
    line.get(9..).is_some_and(|rest| rest.starts_with(thing))
}

/// The line about one thing, and the command below it.
fn line<'a>(text: &'a str, thing: &str) -> (&'a str, &'a str) {
    let mut lines = text.lines().skip_while(|line| !is_about(line, thing));
    let line = lines.next().unwrap_or_else(|| panic!("nothing about {thing} in:\n{text}"));
    let mend = lines.next().filter(|below| below.starts_with(' ')).unwrap_or_default();
    (line, mend.trim())
}

#[test]
fn everything_is_named_and_nothing_essential_is_missing_here() {
    let kernels = folder("doctor-kernels");
    let doctor = || erm().env("JUPYTER_DATA_DIR", &kernels).arg("doctor").output().unwrap();
    let output = doctor();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    for thing in ["cargo", "rustc", "C linker", "cache folder", "See-Far", "crate of the cells"] {
        assert!(line(&text, thing).0.starts_with("ok"), "{text}");
    }
    let things = ["rust-src", "Python 3", "JupyterLab", "temporary", "warm", "CIFAR-10", "GPU"];
    things.iter().for_each(|thing| assert!(!line(&text, thing).0.is_empty()));
    assert!(line(&text, "kernel in Jupyter").1.ends_with("erm install"), "{text}");
    assert!(erm().env("JUPYTER_DATA_DIR", &kernels).arg("install").status().unwrap().success());
    let text = said(&doctor());
    assert!(line(&text, "kernel in Jupyter").0.starts_with("ok"), "{text}");
}

#[test]
fn what_is_missing_comes_with_the_command_that_mends_it() {
    let cache = folder("doctor-cache");
    let kernels = folder("doctor-stale");
    let stale = kernels.join("kernels/erm/kernel.json");
    std::fs::create_dir_all(stale.parent().unwrap()).unwrap();
    std::fs::write(&stale, r#"{"argv": ["/gone/erm"]}"#).unwrap();
    let mut command = erm();
    command.env("ERM_CACHE", &cache).env("ERM_PRELUDE", "/nowhere").env("ERM_SCALE", "huge");
    let output = command.env("JUPYTER_DATA_DIR", &kernels).arg("doctor").output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(line(&text, "ERM_SCALE").1, "> unset ERM_SCALE");
    assert!(line(&text, "crate of the cells").1.contains("export ERM_PRELUDE="), "{text}");
    assert!(line(&text, "kernel in Jupyter").0.contains("a program that is gone, /gone/erm"));
}

#[test]
fn it_has_an_answer_where_there_is_nothing_at_all() {
    let bare = |home: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_erm"));
        command.env_clear().env("PATH", "").arg("doctor");
        if let Some(home) = home {
            command.env("HOME", home);
        }
        command.output().unwrap()
    };
    let scratch = folder("doctor-home");
    for home in [None, Some(""), scratch.to_str()] {
        let output = bare(home);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(!text.contains("panicked"), "{text}");
        for thing in ["cargo", "rustc", "C linker", "Python 3"] {
            let (found, mend) = line(&text, thing);
            assert!(found.starts_with("missing") && mend.starts_with("> "), "{text}");
        }
    }
}
