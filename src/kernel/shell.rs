//! The shell socket: requests of clients. Cells go to the queue; all else is answered at once, also
//! while a cell runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jupyter_protocol::{
    CompleteReply, CompleteRequest, HistoryReply, HistoryRequest, InspectReply, InspectRequest,
    JupyterMessage, JupyterMessageContent, Media, MediaType, Status,
};
use jupyter_zmq_client::{RouterRecvConnection, RouterSendConnection};
use serde_json::json;
use tokio::time::sleep;

use super::comms;
use super::cursor::{byte, point};
use super::engine::Engine;
use super::history::History;
use super::iopub::Publisher;
use super::lifetime::Ending;
use super::media::media;
use super::queue::Queue;
use super::reply::{is_complete, kernel_info, refusal};
use super::wire::{child, receive};
use crate::session::Analyst;

/// Sends replies on the socket on which the requests came.
#[derive(Clone)]
pub struct Answers {
    socket: Arc<tokio::sync::Mutex<RouterSendConnection>>,
}

impl Answers {
    /// Answers on this socket.
    pub fn on(socket: RouterSendConnection) -> Answers {
        Answers { socket: Arc::new(tokio::sync::Mutex::new(socket)) }
    }

    /// Answers a request; a client that has left needs no answer.
    pub async fn send(&self, content: impl Into<JupyterMessageContent>, request: &JupyterMessage) {
        let message = child(content, request);
        if let Err(error) = self.socket.lock().await.send(message).await {
            let kind = &request.header.msg_type;
            eprintln!("an answer to a message of the type {kind} could not be sent: {error}");
        }
    }
}

/// What the requests need.
#[derive(Clone)]
pub struct Shell {
    pub publisher: Publisher,
    pub engine: Arc<Engine>,
    pub queue: Queue,
    pub history: Arc<Mutex<History>>,
    pub answers: Answers,
    pub ending: Ending,
}

impl Shell {
    /// Answers what comes in, for as long as the kernel lives.
    pub async fn serve(self, mut requests: RouterRecvConnection) {
        loop {
            match receive(&mut requests).await {
                Ok(request) => self.take(request).await,
                Err(error) => {
                    eprintln!("a message on the shell socket is ignored: {error:#}");
                    sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }

    async fn take(&self, request: JupyterMessage) {
        if let JupyterMessageContent::ExecuteRequest(cell) = &request.content {
            let cell = cell.clone();
            return self.queue.put(request, cell);
        }
        // Two of them may take a while, in which others are answered.
        let slow = matches!(
            request.content,
            JupyterMessageContent::CompleteRequest(_) | JupyterMessageContent::InspectRequest(_)
        );
        if slow {
            let shell = self.clone();
            tokio::spawn(async move { shell.answer(&request).await });
        } else {
            self.answer(&request).await;
        }
    }

    async fn answer(&self, request: &JupyterMessage) {
        self.publisher.send(Status::busy(), request);
        if let Some(reply) = self.reply(request).await {
            self.answers.send(reply, request).await;
        }
        self.publisher.send(Status::idle(), request);
        self.queue.still_busy(&self.publisher);
    }

    async fn reply(&self, request: &JupyterMessage) -> Option<JupyterMessageContent> {
        Some(match &request.content {
            JupyterMessageContent::KernelInfoRequest(_) => kernel_info(),
            JupyterMessageContent::IsCompleteRequest(cell) => is_complete(&cell.code).into(),
            JupyterMessageContent::CompleteRequest(at) => self.complete(at).await.into(),
            JupyterMessageContent::InspectRequest(at) => self.inspect(at).await.into(),
            JupyterMessageContent::HistoryRequest(wanted) => self.history(wanted).into(),
            JupyterMessageContent::CommInfoRequest(_) => comms::info().into(),
            JupyterMessageContent::CommOpen(open) => {
                comms::opened(open, &self.publisher, request);
                return None;
            }
            JupyterMessageContent::CommMsg(message) => {
                comms::told(message, &self.publisher, request);
                return None;
            }
            JupyterMessageContent::ShutdownRequest(_) => {
                self.ending.request(request.clone(), self.answers.clone());
                return None;
            }
            _ => return refusal(&request.header.msg_type),
        })
    }

    async fn complete(&self, request: &CompleteRequest) -> CompleteReply {
        let CompleteRequest { code, cursor_pos } = request.clone();
        let none = CompleteReply {
            cursor_start: cursor_pos,
            cursor_end: cursor_pos,
            ..CompleteReply::default()
        };
        let text = code.clone();
        let found = self.ask(move |analyst| analyst.complete(&text, byte(&text, cursor_pos)));
        let Some(found) = found.await else { return none };
        let kinds = found.matches.iter().map(|(text, kind)| {
            let (start, end) =
                (point(&code, found.replaced.start), point(&code, found.replaced.end));
            json!({"text": text, "type": kind, "start": start, "end": end})
        });
        let kinds = kinds.collect::<Vec<_>>();
        let metadata = [("_jupyter_types_experimental".to_owned(), json!(kinds))];
        CompleteReply {
            cursor_start: point(&code, found.replaced.start),
            cursor_end: point(&code, found.replaced.end),
            metadata: metadata.into_iter().collect(),
            matches: found.matches.into_iter().map(|(text, _)| text).collect(),
            ..CompleteReply::default()
        }
    }

    async fn inspect(&self, request: &InspectRequest) -> InspectReply {
        let InspectRequest { code, cursor_pos, .. } = request.clone();
        let found = |data| InspectReply { found: true, data, ..InspectReply::default() };
        let known = self.ask(move |analyst| {
            (analyst.inspect(&code, byte(&code, cursor_pos)), analyst.is_ready())
        });
        match known.await {
            Some((Some(bundle), _)) => found(media(bundle).0),
            Some((None, true)) => InspectReply::default(),
            Some((None, false)) | None => {
                found(text("The sources are still being read; try again in a moment."))
            }
        }
    }

    fn history(&self, request: &HistoryRequest) -> HistoryReply {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        HistoryReply::new(history.find(request))
    }

    /// Has a question answered that does not need the session itself; nothing while there is none.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Analyst) -> T + Send + 'static,
    ) -> Option<T> {
        let analyst = self.engine.analyst()?;
        tokio::task::spawn_blocking(move || question(&analyst)).await.ok()
    }
}

fn text(text: &str) -> Media {
    Media { content: vec![MediaType::Plain(text.to_owned())] }
}
