use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Ran, cache, erm, notebook, run};

/// The text that a run of these cells gave, cell by cell.
fn texts(name: &str, cells: &[&str]) -> Vec<String> {
    let ran = run(&notebook(name, cells), &[]).ok();
    (0..cells.len()).map(|index| ran.text(index)).collect()
}

/// What the first cell of a run wrote on one of its streams.
fn stream(ran: &Ran, name: &str) -> String {
    let outputs = ran.cell(0)["outputs"].as_array().expect("a code cell has outputs");
    let of_stream = outputs.iter().filter(|output| output["name"] == name);
    let lines = of_stream.filter_map(|output| output["text"].as_array()).flatten();
    lines.filter_map(|line| line.as_str()).collect()
}

#[test]
fn text_arrives_as_it_was_written_and_with_its_cell() {
    let long = "x".repeat(9000);
    let cells = [
        "print!(\"flushed\"); std::io::Write::flush(&mut std::io::stdout()).unwrap();",
        "print!(\"not flushed\");",
        "for i in 0..3 {\n    print!(\"{i} \")\n}",
        "print!(\"10 %\\r20 %\\rdone\");",
        "print!(\"{}\", \"x\".repeat(9000));",
        "std::io::Write::write_all(&mut std::io::stdout(), b\"\\xff n\\xc3\\xa9\").unwrap();",
        "unsafe extern \"C\" { fn printf(format: *const u8, ...) -> i32; }\n\
         print!(\"Rust, \"); std::io::Write::flush(&mut std::io::stdout()).unwrap();\n\
         unsafe { printf(b\"C %d\\0\".as_ptr(), 7i32) };",
        "println!(\"EVCXR_BEGIN_CONTENT text/plain\\na chart\\nEVCXR_END_CONTENT\");\n\
         print!(\"after\");",
    ];
    let expected = [
        "flushed",
        "not flushed",
        "0 1 2 ",
        "done",
        &long,
        "\u{fffd} né",
        "Rust, C 7",
        "a chartafter",
    ];
    assert_eq!(texts("text", &cells), expected);
}

#[test]
fn a_flood_of_small_writes_is_cheap_and_whole() {
    let cells = [
        "let began = std::time::Instant::now();\n\
         for i in 0..100_000 { println!(\"{i}\"); }\n\
         let seconds: u64 = began.elapsed().as_secs();",
        "println!(\"{seconds}\");",
    ];
    let texts = texts("flood", &cells);
    let numbers: String = (0..100_000).map(|i| format!("{i}\n")).collect();
    assert!(texts[0] == numbers, "{} bytes came", texts[0].len());
    assert!(texts[1].trim().parse::<u64>().unwrap() < 20, "{} s", texts[1]);
}

#[test]
fn standard_input_ends_where_nobody_answers() {
    let cells = ["let lines = std::io::stdin().lines().count();\nprintln!(\"{lines} lines\");"];
    assert_eq!(texts("input", &cells), ["0 lines\n"]);
}

#[test]
fn warnings_of_a_cell_that_runs_are_shown_and_only_they() {
    let cells = [
        "fn half(a: i32) -> i32 {\n    let é = 1; let spare = a;\n    a / 2\n}",
        "std::fs::remove_file(\"nowhere\");\nlet unused: i32 = half(4);",
    ];
    let ran = run(&notebook("warnings", &cells), &[]).ok();
    let second = &ran.text(1);
    let expected = "warning: unused `Result` that must be used\n   1 | std::fs::remove_file";
    assert!(second.starts_with(expected), "{second}");
    assert!(!second.contains("half"), "{second}");
    let carets = format!("     | {}^^^^^", " ".repeat(19));
    assert!(ran.text(0).contains(&carets), "{}", ran.text(0));
}

#[test]
fn a_compile_error_shows_each_mistake_below_its_line() {
    let cell = "let é: u32 = \"three\";\n\tlet b: u32 = \"日本\" + 1;";
    let ran = run(&notebook("mistakes-shown", &[cell]), &[]);
    let error = &ran.cell(0)["outputs"][0];
    let lines: Vec<_> =
        error["traceback"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let text = lines.join("\n");
    assert!(text.contains("   1 | let é: u32 = \"three\";\n     |"), "{text}");
    assert!(text.contains(&format!("     | {}^^^^^^^", " ".repeat(13))), "{text}");
    assert!(text.contains("   2 |     let b: u32 = \"日本\" + 1;"), "{text}");
    assert!(!text.contains("evcxr"), "{text}");
}

#[test]
fn what_a_dying_cell_has_printed_is_kept() {
    for (name, death, reason) in [
        ("exit", "std::process::exit(3)", "exit status: 3"),
        ("abort", "std::process::abort()", "SIGABRT"),
        ("killed", "unsafe { kill(std::process::id() as i32, 9) }", "SIGKILL"),
    ] {
        let declared = "unsafe extern \"C\" { fn kill(process: i32, signal: i32) -> i32; }";
        let cell = format!(
            "{declared}\nprintln!(\"whole\"); print!(\"part\");\n\
             std::io::Write::flush(&mut std::io::stdout()).unwrap();\n\
             eprintln!(\"said\");\n{death};"
        );
        let ran = run(&notebook(name, &[&cell]), &[]);
        // Two pipes have no common order, so each stream is looked at by itself.
        assert_eq!(stream(&ran, "stdout"), "whole\npart", "{name}");
        assert!(stream(&ran, "stderr").contains("said\n"), "{name}");
        let outputs = ran.cell(0)["outputs"].to_string();
        for expected in [reason, "variables are lost"] {
            assert!(outputs.contains(expected), "{name} lacks {expected}: {outputs}");
        }
    }
}

/// A variable in the environment of a run and of all its processes.
const MARK: &str = "ERM_TEST_RUN";

/// A run of these cells, once the first of them has said "begun".
fn begun(name: &str, cells: &[&str]) -> Child {
    let mut command = erm();
    command.arg("run").arg(notebook(name, cells)).env(MARK, name);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdout = child.stdout.as_mut().unwrap();
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("begun\n") {
        let mut byte = [0];
        let count = std::io::Read::read(stdout, &mut byte).unwrap();
        assert!(count > 0, "it ended after {}", String::from_utf8_lossy(&heard));
        heard.push(byte[0]);
    }
    child
}

fn signal(child: &Child, number: i32) {
    let arguments = [format!("-{number}"), child.id().to_string()];
    assert!(std::process::Command::new("kill").args(arguments).status().unwrap().success());
}

/// How many processes a run has.
#[cfg(target_os = "linux")]
fn processes_of(name: &str) -> usize {
    let mark = format!("{MARK}={name}\0");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let environments = processes.filter_map(|it| fs::read(it.path().join("environ")).ok());
    environments.filter(|it| String::from_utf8_lossy(it).contains(&mark)).count()
}

#[test]
fn an_interrupt_stops_a_cell_that_listens_at_once() {
    let listens = "println!(\"begun\");\nwhile !erm::show::interrupted() {\n    \
                   std::thread::sleep(std::time::Duration::from_millis(10));\n}\n\
                   println!(\"heard it\");";
    let child = begun("listens", &[listens, "println!(\"next\");"]);
    signal(&child, 2);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Interrupted"), "{said}");
    assert!(said.contains("code cell 1 of 2"), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("heard it"));
}

#[test]
fn a_cell_that_does_not_listen_is_killed_after_five_seconds() {
    let child = begun("deaf", &["println!(\"begun\");\nloop {}"]);
    let at = Instant::now();
    signal(&child, 2);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("did not stop and its process was killed"), "{said}");
    assert!((5..15).contains(&at.elapsed().as_secs()), "{:?}", at.elapsed());
}

#[cfg(target_os = "linux")]
#[test]
fn a_session_that_is_killed_leaves_no_process_and_its_folder_only_for_the_next() {
    let mut child = begun("orphans", &["println!(\"begun\");\nloop {}"]);
    assert_eq!(processes_of("orphans"), 3, "the run, the supervisor and the cell process");
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let until = Instant::now() + Duration::from_secs(5);
    while processes_of("orphans") > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(processes_of("orphans"), 0);
    let folder = cache().join("sessions").join(format!("{}-0", child.id()));
    assert!(folder.exists());
    run(&notebook("after-orphans", &["1"]), &[]).ok();
    assert!(!folder.exists());
}
