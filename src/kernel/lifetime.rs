//! When the kernel ends: a client asks for it, the system does, or whoever started it is gone.

use std::env;
use std::time::Duration;

use jupyter_protocol::JupyterMessage;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use super::control::Interrupter;
use super::shell::Answers;

/// How often we look whether the process that started us still lives.
const WATCH: Duration = Duration::from_secs(1);

/// Asks for the end.
#[derive(Clone)]
pub struct Ending {
    requests: UnboundedSender<Request>,
}

/// A client that wants the kernel to end, and where to tell it that it did.
pub struct Request {
    /// What it sent.
    pub message: JupyterMessage,
    /// Where its answer goes.
    pub answers: Answers,
}

impl Ending {
    /// A way to ask for the end, and to hear of it.
    pub fn new() -> (Ending, UnboundedReceiver<Request>) {
        let (requests, received) = unbounded_channel();
        (Ending { requests }, received)
    }

    /// Asks for the end on behalf of a client.
    pub fn request(&self, message: JupyterMessage, answers: Answers) {
        let _ = self.requests.send(Request { message, answers });
    }
}

/// Waits until the kernel has to end; with the request, where it was a client that asked.
pub async fn end(requests: &mut UnboundedReceiver<Request>) -> Option<Request> {
    tokio::select! {
        request = requests.recv() => request,
        () = told_by_the_system() => None,
        () = orphaned() => None,
    }
}

/// Takes Ctrl-C and its like as an interrupt of the cell, and never as our end.
pub async fn take_signals_as_interrupts(interrupter: Interrupter) {
    let Ok(mut interrupts) = signal(SignalKind::interrupt()) else { return };
    while interrupts.recv().await.is_some() {
        interrupter.interrupt().await;
    }
}

async fn told_by_the_system() {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    let (Ok(mut terminate), Ok(mut hangup)) = signals else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

/// Waits until the process that started us is gone. Jupyter names it where we shall not outlive it.
async fn orphaned() {
    let parent = || rustix::process::getppid().map(|id| id.as_raw_nonzero().get());
    let named = env::var("JPY_PARENT_PID").ok().and_then(|id| id.parse().ok());
    if named.is_none() || named != parent() {
        // Nobody, or somebody in between, who will see to it.
        return std::future::pending().await;
    }
    while named == parent() {
        sleep(WATCH).await;
    }
}
