//! Reaches a session from other threads while a cell runs in it.

use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rustix::process::{Pid, Signal, kill_process_group};

use super::compiler;

/// A cell that does not answer an interrupt within this time is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Interrupts a session's cells, or ends its process.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
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

struct Shared {
    state: Mutex<State>,
    work: PathBuf,
    /// Wakes whoever waits for the cell.
    wake: Sender<()>,
}

#[derive(Default)]
struct State {
    doing: Doing,
    /// When an interrupt was asked for during this cell.
    asked: Option<Instant>,
    was_killed: bool,
    is_closed: bool,
    /// The process that evcxr takes for the one in which cells run.
    supervisor: Option<Arc<Mutex<Child>>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Doing {
    #[default]
    Nothing,
    Compiling,
    Running(u32),
}

impl Handle {
    /// A handle on a session that works in this folder, and what wakes its thread.
    pub fn new(work: PathBuf) -> (Self, Receiver<()>) {
        let (wake, wakes) = crossbeam_channel::bounded(1);
        let shared = Shared { state: Mutex::default(), work, wake };
        (Handle { shared: Arc::new(shared) }, wakes)
    }

    /// Interrupts whatever the session is doing for a cell.
    pub fn interrupt(&self) -> Interrupted {
        let mut state = self.state();
        let met = match (state.doing, state.asked) {
            (Doing::Nothing, _) => return Interrupted::Nothing,
            (Doing::Compiling, _) => {
                compiler::stop(&self.shared.work, state.supervisor());
                Interrupted::Compiler
            }
            (Doing::Running(cell), None) => {
                signal(cell, Signal::INT);
                Interrupted::Asked
            }
            (Doing::Running(cell), Some(_)) => {
                state.was_killed = true;
                signal(cell, Signal::KILL);
                Interrupted::Killed
            }
        };
        state.asked = Some(Instant::now());
        drop(state);
        let _ = self.shared.wake.try_send(());
        met
    }

    /// Ends the process in which cells run, and the compiler if it is at work.
    pub fn kill(&self) {
        let mut state = self.state();
        state.is_closed = true;
        compiler::stop(&self.shared.work, state.supervisor());
        if let Doing::Running(cell) = state.doing {
            signal(cell, Signal::KILL);
        }
        if let Some(supervisor) = &state.supervisor {
            let _ = supervisor.lock().unwrap_or_else(PoisonError::into_inner).kill();
        }
        drop(state);
        let _ = self.shared.wake.try_send(());
    }

    /// Takes note of the process that evcxr has started.
    pub fn supervises(&self, supervisor: Arc<Mutex<Child>>) {
        self.state().supervisor = Some(supervisor);
    }

    /// A cell is given to the compiler; false where the session has ended.
    pub fn compiles(&self) -> bool {
        let mut state = self.state();
        (state.doing, state.asked, state.was_killed) = (Doing::Compiling, None, false);
        !state.is_closed
    }

    /// The cell runs in this process now, or is given to the compiler again.
    pub fn runs(&self, process: Option<u32>) {
        let mut state = self.state();
        let doing = process.map_or(Doing::Compiling, Doing::Running);
        if let (Doing::Running(cell), Some(_)) = (doing, state.asked)
            && state.doing != doing
        {
            // The compiler was done before it could be stopped.
            signal(cell, Signal::INT);
            state.asked = Some(Instant::now());
        }
        state.doing = doing;
    }

    /// The cell is over. Says whether it was interrupted.
    pub fn is_done(&self) -> Ended {
        let mut state = self.state();
        state.doing = Doing::Nothing;
        match state.asked.take() {
            None => Ended::ByItself,
            Some(_) if state.was_killed => Ended::Killed,
            Some(_) => Ended::Interrupted,
        }
    }

    /// Does what is due for an interrupt that nobody has answered yet, and says when to look again.
    pub fn press(&self, is_answered: bool) -> Option<Duration> {
        let mut state = self.state();
        let asked = state.asked?;
        match state.doing {
            Doing::Compiling => {
                // evcxr may try again, or have been busy before it started the compiler.
                compiler::stop(&self.shared.work, state.supervisor());
                Some(Duration::from_millis(50))
            }
            Doing::Running(cell) if !is_answered && !state.was_killed => {
                let left = GRACE.checked_sub(asked.elapsed());
                if left.is_none() {
                    state.was_killed = true;
                    signal(cell, Signal::KILL);
                }
                left
            }
            _ => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a cell ended, as far as interrupts are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nobody interrupted it.
    ByItself,
    /// It was interrupted, and the process goes on.
    Interrupted,
    /// It did not answer, and its process was killed.
    Killed,
}

impl State {
    fn supervisor(&self) -> u32 {
        let process = self.supervisor.as_ref();
        process.map_or(0, |it| it.lock().unwrap_or_else(PoisonError::into_inner).id())
    }
}

/// Sends a signal to a cell process and to all that it has started.
fn signal(cell: u32, signal: Signal) {
    if let Some(group) = Pid::from_raw(cell as i32) {
        // It may have ended by itself.
        let _ = kill_process_group(group, signal);
    }
}
