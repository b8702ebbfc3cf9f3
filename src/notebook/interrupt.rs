//! Ctrl-C while a cell runs. At the prompt of a terminal session it is a key like any other, and
//! the editor takes it.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::thread;

use signal_hook::consts::SIGINT;

use crate::session::{Handle, Interrupted};

/// Interrupts the session at each Ctrl-C from now on, and says what became of it.
pub fn watch(handle: Handle) -> io::Result<()> {
    let (mut pressed, presses) = UnixStream::pair()?;
    signal_hook::low_level::pipe::register(SIGINT, presses)?;
    thread::spawn(move || {
        while pressed.read_exact(&mut [0]).is_ok() {
            if let Some(line) = meaning(handle.interrupt()) {
                eprintln!("{line}");
            }
        }
    });
    Ok(())
}

fn meaning(interrupted: Interrupted) -> Option<&'static str> {
    match interrupted {
        Interrupted::Nothing | Interrupted::Compiler => None,
        Interrupted::Asked => Some("interrupting; once more kills the cell and its variables"),
        Interrupted::Killed => Some("killed the cell's process; its variables are lost"),
    }
}
