//! The standard input of a cell process. evcxr's commands and the answers to a cell's questions
//! come to the process in one pipe and leave it here in another, the one that cells read. In
//! between a thread sees when a cell waits for input, and can make it believe that there is no more.

use std::fs::File;
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::questions::answer_from_evcxr;
use super::{ESCAPE, RUN};

/// How often a running cell is looked at.
const GLANCE: Duration = Duration::from_millis(40);
/// A cell that asked will read within this time.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes the place of this process's standard input from now on.
pub fn serve(interrupt: Arc<AtomicUsize>) -> io::Result<()> {
    let supervisor = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let to_cells = new_pipe()?;
    let mut input = StandardInput {
        supervisor,
        to_cells,
        interrupt,
        heard: 0,
        rest: vec![],
        is_watched: false,
    };
    std::thread::Builder::new().name("standard input".to_owned()).spawn(move || {
        while input.next_lines().is_ok_and(|is_open| is_open) {}
        // Nobody is left who could want this process or what it has started.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::KILL);
    })?;
    Ok(())
}

/// A new pipe as standard input. A read that waits on the old one goes on to wait there.
fn new_pipe() -> io::Result<PipeWriter> {
    let (cells, to_cells) = io::pipe()?;
    rustix::stdio::dup2_stdin(&cells)?;
    Ok(to_cells)
}

struct StandardInput {
    supervisor: File,
    to_cells: PipeWriter,
    /// The flag that an interrupt sets; the next cell begins without it.
    interrupt: Arc<AtomicUsize>,
    /// How many lines have come.
    heard: u64,
    /// The start of the next line.
    rest: Vec<u8>,
    /// A cell may run that has not been seen to wait since the last line.
    is_watched: bool,
}

impl StandardInput {
    /// Serves what comes next; false where nothing more will come.
    fn next_lines(&mut self) -> io::Result<bool> {
        let mut files = [PollFd::new(&self.supervisor, PollFlags::IN)];
        let glance = Timespec { tv_sec: 0, tv_nsec: GLANCE.subsec_nanos().into() };
        match poll(&mut files, self.is_watched.then_some(&glance)) {
            Ok(0) => return self.ask_if_waiting(),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
        let mut bytes = [0; 4096];
        let count = self.supervisor.read(&mut bytes)?;
        self.rest.extend_from_slice(&bytes[..count]);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<_> = self.rest.drain(..=end).collect();
            self.line(&String::from_utf8_lossy(&line))?;
        }
        Ok(count > 0)
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.heard += 1;
        self.is_watched = true;
        if line.starts_with(RUN) {
            self.interrupt.store(0, Ordering::SeqCst);
            return self.to_cells.write_all(line.as_bytes());
        }
        match answer_from_evcxr(line) {
            Some(answer) => self.to_cells.write_all(format!("{answer}\n").as_bytes()),
            None => self.say_it_has_ended(),
        }
    }

    fn ask_if_waiting(&mut self) -> io::Result<bool> {
        if is_waiting() {
            self.is_watched = false;
            let message = format!("{ESCAPE}{{\"waits\":{}}}\n", self.heard);
            rustix::io::write(io::stdout(), message.as_bytes())?;
        }
        Ok(true)
    }

    /// Ends the read that waits now, and no other: later ones get the new pipe.
    fn say_it_has_ended(&mut self) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        while !is_waiting() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.to_cells = new_pipe()?;
        Ok(())
    }
}

/// Whether a thread of this process waits for standard input.
#[cfg(target_os = "linux")]
fn is_waiting() -> bool {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let mut calls = threads.map(|thread| std::fs::read_to_string(thread.path().join("syscall")));
    calls.any(|call| call.is_ok_and(|call| reads_standard_input(&call)))
}

/// Elsewhere nobody can tell, and only a cell that asks is given an answer.
#[cfg(not(target_os = "linux"))]
fn is_waiting() -> bool {
    false
}

/// A system call as Linux shows it: its number and its arguments.
#[cfg(target_os = "linux")]
fn reads_standard_input(call: &str) -> bool {
    let mut words = call.split_ascii_whitespace();
    let number = words.next().and_then(|word| word.parse().ok());
    let reads = [libc::SYS_read, libc::SYS_readv].map(Some);
    reads.contains(&number) && words.next() == Some("0x0")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_a_read_of_standard_input_counts() {
        let call = |number: i64, file: &str| format!("{number} {file} 0x7f72 0xa 0x0 0x1 0x2\n");
        assert!(reads_standard_input(&call(libc::SYS_read, "0x0")));
        assert!(!reads_standard_input(&call(libc::SYS_read, "0x3")));
        assert!(!reads_standard_input(&call(libc::SYS_write, "0x0")));
        assert!(!reads_standard_input("running\n"));
    }
}
