//! Questions that a cell asks its user.

use jupyter_protocol::{InputRequest, JupyterMessage, JupyterMessageContent};
use jupyter_zmq_client::KernelStdinConnection;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use super::wire::{child, receive};
use crate::session::Question;

/// Asks from the thread of a cell.
#[derive(Clone)]
pub struct Input {
    questions: UnboundedSender<Asked>,
    interrupts: watch::Receiver<u64>,
}

struct Asked {
    request: JupyterMessage,
    answer: oneshot::Sender<String>,
    interrupts: watch::Receiver<u64>,
}

impl Input {
    /// Asks whoever sent the request and waits for the answer; `None` where an interrupt came
    /// first, or nobody can be asked.
    pub fn ask(&self, question: &Question, parent: &JupyterMessage) -> Option<String> {
        let request =
            InputRequest { prompt: question.prompt.clone(), password: question.is_secret };
        let (answer, answered) = oneshot::channel();
        let mut interrupts = self.interrupts.clone();
        interrupts.mark_unchanged();
        let request = child(request, parent);
        self.questions.send(Asked { request, answer, interrupts }).ok()?;
        answered.blocking_recv().ok()
    }
}

/// Starts the task that owns the socket; every change of the second argument is an interrupt.
pub fn start(socket: KernelStdinConnection, interrupts: watch::Receiver<u64>) -> Input {
    let (questions, asked) = unbounded_channel();
    tokio::spawn(serve(socket, asked));
    Input { questions, interrupts }
}

async fn serve(mut socket: KernelStdinConnection, mut asked: UnboundedReceiver<Asked>) {
    loop {
        tokio::select! {
            question = asked.recv() => match question {
                Some(question) => put(question, &mut socket).await,
                None => return,
            },
            // Nobody waits for an answer that comes after an interrupt.
            _ = receive(&mut socket) => {}
        }
    }
}

async fn put(mut question: Asked, socket: &mut KernelStdinConnection) {
    if let Err(error) = socket.send(question.request).await {
        return eprintln!("the client cannot be asked for input: {error}");
    }
    loop {
        tokio::select! {
            _ = question.interrupts.changed() => return,
            reply = receive(socket) => match reply.map(|reply| reply.content) {
                Ok(JupyterMessageContent::InputReply(reply)) => {
                    let _ = question.answer.send(reply.value);
                    return;
                }
                Ok(_) => {}
                Err(error) => eprintln!("a message on the stdin socket is ignored: {error:#}"),
            },
        }
    }
}
