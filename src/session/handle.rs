//! Reaches a session from other threads while a cell runs in it.

use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};

/// Interrupts a session's cells, or ends its process.
#[derive(Clone)]
pub struct Handle {
    process: Arc<Mutex<Child>>,
}

/// What an interrupt has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// No cell was running; nothing has happened.
    Nothing,
    /// The compiler was stopped; the cell did not begin to run.
    Compiler,
    /// The cell was asked to stop and keeps its variables if it does.
    Asked,
    /// The cell's process was killed; the variables are lost.
    Killed,
}

impl Handle {
    /// A handle on the process in which cells run.
    pub fn new(process: Arc<Mutex<Child>>) -> Self {
        Handle { process }
    }

    /// Interrupts whatever the session is doing for a cell.
    pub fn interrupt(&self) -> Interrupted {
        self.kill();
        Interrupted::Killed
    }

    /// Ends the process in which cells run, and the compiler if it is at work.
    pub fn kill(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
    }
}
