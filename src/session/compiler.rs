//! Finds the compiler that evcxr has started for a session, and stops it.

use std::collections::HashMap;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// A running process.
struct Process {
    number: u32,
    parent: u32,
    name: String,
    /// Where it runs, as far as it can be told.
    folder: Option<std::path::PathBuf>,
}

/// Stops cargo, the compilers that it has started, and shell lines of a cell: whatever this process
/// has started in the work folder, except for the process that serves the cells.
pub fn stop(work: &Path, supervisor: u32) {
    end(|process| {
        let is_in_work = process.folder.as_deref().is_none_or(|folder| folder.starts_with(work));
        process.number != supervisor && (is_in_work || process.name == "sh")
    });
}

/// Stops whatever this process has started, for an end that waits for nothing.
pub fn stop_everything() {
    end(|_| true);
}

/// Ends those of our children for which it holds, and all that they have started.
fn end(is_doomed: impl Fn(&Process) -> bool) {
    let processes = processes();
    let ours = std::process::id();
    let is_first = |process: &&Process| process.parent == ours && is_doomed(process);
    let mut doomed: Vec<_> = processes.iter().filter(is_first).map(|it| it.number).collect();
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in &processes {
        children.entry(process.parent).or_default().push(process.number);
    }
    let mut at = 0;
    while let Some(process) = doomed.get(at) {
        doomed.extend(children.remove(process).unwrap_or_default());
        at += 1;
    }
    for process in doomed.iter().filter_map(|number| Pid::from_raw(*number as i32)) {
        // It may have ended by itself.
        let _ = kill_process(process, Signal::KILL);
    }
}

#[cfg(target_os = "linux")]
fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| process(&entry.path())).collect()
}

/// Reads what Linux says about a process: `number (name) state parent …`.
#[cfg(target_os = "linux")]
fn process(path: &Path) -> Option<Process> {
    let number = path.file_name()?.to_str()?.parse().ok()?;
    let stat = std::fs::read_to_string(path.join("stat")).ok()?;
    let (before, after) = stat.rsplit_once(')')?;
    let name = before.split_once('(')?.1.to_owned();
    let parent = after.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(Process { number, parent, name, folder: std::fs::read_link(path.join("cwd")).ok() })
}

#[cfg(not(target_os = "linux"))]
fn processes() -> Vec<Process> {
    let listed = std::process::Command::new("ps").args(["-A", "-o", "pid=,ppid=,comm="]).output();
    let text = listed.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(process).collect()
}

#[cfg(not(target_os = "linux"))]
fn process(line: &str) -> Option<Process> {
    let mut words = line.split_ascii_whitespace();
    let number = words.next()?.parse().ok()?;
    let parent = words.next()?.parse().ok()?;
    let name = words.next()?.rsplit('/').next()?.to_owned();
    Some(Process { number, parent, name, folder: None })
}
