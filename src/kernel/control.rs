//! The control socket: what must be answered whatever else goes on. Nothing here waits for the
//! session.

use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::{InterruptReply, JupyterMessage, JupyterMessageContent, Status};
use jupyter_zmq_client::RouterRecvConnection;
use tokio::sync::watch;
use tokio::time::sleep;

use super::engine::Engine;
use super::iopub::Publisher;
use super::lifetime::Ending;
use super::queue::Queue;
use super::reply::{kernel_info, refusal};
use super::shell::Answers;
use super::wire::receive;

/// Interrupts whatever is done for a cell.
#[derive(Clone)]
pub struct Interrupter {
    /// Counts the interrupts, for those who wait and can stop by themselves.
    pub count: Arc<watch::Sender<u64>>,
    /// Reaches the session.
    pub engine: Arc<Engine>,
}

impl Interrupter {
    /// Interrupts. Whoever has waited for it can send a cell that this does not meet.
    pub async fn interrupt(&self) {
        self.count.send_modify(|count| *count += 1);
        if let Some(handle) = self.engine.handle() {
            // It looks for processes, for which no other task should wait. It has nothing to say.
            let _ = tokio::task::spawn_blocking(move || handle.interrupt()).await;
        }
    }
}

/// What the requests need.
pub struct Control {
    pub publisher: Publisher,
    pub queue: Queue,
    pub interrupter: Interrupter,
    pub answers: Answers,
    pub ending: Ending,
}

impl Control {
    /// Answers what comes in, for as long as the kernel lives.
    pub async fn serve(self, mut requests: RouterRecvConnection) {
        loop {
            match receive(&mut requests).await {
                Ok(request) => self.answer(&request).await,
                Err(error) => {
                    eprintln!("a message on the control socket is ignored: {error:#}");
                    sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }

    async fn answer(&self, request: &JupyterMessage) {
        self.publisher.send(Status::busy(), request);
        let reply = match &request.content {
            JupyterMessageContent::KernelInfoRequest(_) => Some(kernel_info()),
            JupyterMessageContent::InterruptRequest(_) => {
                self.interrupter.interrupt().await;
                Some(InterruptReply::new().into())
            }
            JupyterMessageContent::ShutdownRequest(_) => {
                self.ending.request(request.clone(), self.answers.clone());
                None
            }
            _ => refusal(&request.header.msg_type),
        };
        if let Some(reply) = reply {
            self.answers.send(reply, request).await;
        }
        self.publisher.send(Status::idle(), request);
        self.queue.still_busy(&self.publisher);
    }
}
