use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::support::erm;

/// What the program does with these lines on its standard input.
fn piped(lines: &str) -> Output {
    let mut command = erm();
    command.arg("repl").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn cells_of_a_pipe_run_one_after_the_other_until_one_fails() {
    let output = piped(
        "println!(\"hi\");\nlet x = 6;\nfn twice(a: i32) -> i32 {\n    a * 2\n}\n\ntwice(x)\n\
         Scale::Demo\nlet y: u32 = \"a\";\nprintln!(\"on\");\n",
    );
    let (said, wrong) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(said, "hi\n12\ndemo\n", "{wrong}");
    assert!(wrong.contains("mismatched types"), "{wrong}");
    assert_eq!(output.status.code(), Some(1), "{wrong}");
}

#[test]
fn a_pipe_that_ends_well_is_a_success_even_inside_a_line() {
    let output = piped("print!(\"part\");\nprint!(\" of a line\")");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "part of a line");
    assert!(output.status.success());
}

/// Typing, keys and questions, on a terminal of Python's.
#[test]
fn a_person_at_a_terminal_is_understood() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/repl/terminal.py");
    let known = erm();
    let mut command = Command::new("python3");
    command.arg(script).arg(known.get_program());
    for (name, value) in known.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().expect("the tests need a Python 3");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
