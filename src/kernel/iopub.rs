//! What everybody who listens gets to see. One task owns the socket and sends what the rest of the
//! kernel publishes, in the order in which it was published.
//!
//! The last thing published may still change: more text of a stream is joined to it, and a value
//! turns out to be the cell's result if the cell ends with it. So it is held back for a moment,
//! but never when something else follows.

use std::future::pending;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jupyter_protocol::{
    DisplayData, ExecuteResult, ExecutionCount, IoPubWelcome, JupyterMessage,
    JupyterMessageContent, Status, Stdio, StreamContent,
};
use jupyter_zmq_client::{KernelIoPubXPubConnection, SubscriptionEvent};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::{sleep, sleep_until, timeout};

use super::wire::broadcast;

/// Text that comes within this time is sent together.
const TOGETHER: Duration = Duration::from_millis(25);
/// No more text than this is joined to one message.
const LARGE: usize = 1 << 20;
/// A cell that has shown its result ends within this time, on a busy machine, too.
const RESULT: Duration = Duration::from_secs(2);
/// So many bytes may wait for slow clients before a cell has to wait, too.
const ROOM: usize = 64 << 20;
/// How long a client may keep others waiting.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a client may do so that did it before and has not caught up.
const LITTLE_PATIENCE: Duration = Duration::from_millis(20);

/// One of the two streams of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Publishes from any part of the kernel.
#[derive(Clone)]
pub struct Publisher {
    items: UnboundedSender<Item>,
    waiting: Arc<AtomicUsize>,
    dropping: Arc<AtomicBool>,
}

enum Item {
    Message(Box<JupyterMessage>, usize),
    Open(Open),
    Result(usize),
    Sent(oneshot::Sender<()>),
}

/// What may still change, with the cell it belongs to.
enum Open {
    Text(Stream, String, Arc<JupyterMessage>),
    Value(DisplayData, usize, Arc<JupyterMessage>),
}

impl Publisher {
    /// Publishes a message that belongs to another one.
    pub fn send(&self, content: impl Into<JupyterMessageContent>, parent: &JupyterMessage) {
        self.put(Item::Message(Box::new(broadcast(content, Some(parent))), 0));
    }

    /// Publishes what a cell printed.
    pub fn text(&self, stream: Stream, text: String, parent: &Arc<JupyterMessage>) {
        if self.make_room(text.len()) {
            self.put(Item::Open(Open::Text(stream, text, parent.clone())));
        }
    }

    /// Publishes what a cell showed, of this many bytes.
    pub fn display(
        &self,
        content: impl Into<JupyterMessageContent>,
        size: usize,
        parent: &JupyterMessage,
    ) {
        if self.make_room(size) {
            self.put(Item::Message(Box::new(broadcast(content, Some(parent))), size));
        }
    }

    /// Publishes what a cell showed that may turn out to be its result.
    pub fn value(&self, display: DisplayData, size: usize, parent: &Arc<JupyterMessage>) {
        if self.make_room(size) {
            self.put(Item::Open(Open::Value(display, size, parent.clone())));
        }
    }

    /// Says that the last value is the result of the cell with this count, if nothing came after it.
    pub fn settle_result(&self, count: usize) {
        self.put(Item::Result(count));
    }

    /// Waits until everything published so far is on its way.
    pub async fn flush(&self) {
        let (sent, all) = oneshot::channel();
        self.put(Item::Sent(sent));
        let _ = all.await;
    }

    fn put(&self, item: Item) {
        // The task ends with the program, when nobody listens any more.
        let _ = self.items.send(item);
    }

    /// Keeps a cell from filling the memory where its output is not taken: waits, and after a while
    /// gives up on the output. For the thread of a cell.
    fn make_room(&self, bytes: usize) -> bool {
        let began = Instant::now();
        let full = || self.waiting.load(Ordering::Relaxed) > ROOM;
        while full() && !self.dropping.load(Ordering::Relaxed) && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
        let is_full = full();
        if is_full && !self.dropping.load(Ordering::Relaxed) {
            eprintln!("no client takes the output of this cell, so some of it is lost");
        }
        self.dropping.store(is_full, Ordering::Relaxed);
        if !is_full {
            self.waiting.fetch_add(bytes, Ordering::Relaxed);
        }
        !is_full
    }
}

/// Starts the task that owns the socket.
pub fn start(socket: KernelIoPubXPubConnection) -> Publisher {
    let (items, queue) = unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let publisher =
        Publisher { items, waiting: waiting.clone(), dropping: Arc::new(AtomicBool::new(false)) };
    let desk = Desk { socket, queue, held: None, waiting, is_first: true, is_slow: false };
    tokio::spawn(desk.serve());
    publisher
}

/// Where everything is sent from.
struct Desk {
    socket: KernelIoPubXPubConnection,
    queue: UnboundedReceiver<Item>,
    held: Option<Held>,
    waiting: Arc<AtomicUsize>,
    /// Nothing was published yet.
    is_first: bool,
    /// A client did not take what it was sent.
    is_slow: bool,
}

struct Held {
    open: Open,
    until: tokio::time::Instant,
}

impl Desk {
    async fn serve(mut self) {
        loop {
            let until = self.held.as_ref().map(|held| held.until);
            let due = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                event = self.socket.recv_subscription() => match event {
                    Ok(SubscriptionEvent::Subscribe(topic)) => self.welcome(topic).await,
                    Ok(SubscriptionEvent::Unsubscribe(_)) => {}
                    // A client has left in a hurry.
                    Err(_) => sleep(Duration::from_millis(1)).await,
                },
                item = self.queue.recv() => match item {
                    Some(item) => self.take(item).await,
                    None => return,
                },
                () = due => self.release().await,
            }
        }
    }

    /// Tells a new listener that it misses nothing from now on.
    async fn welcome(&mut self, topic: String) {
        let mut welcome = broadcast(IoPubWelcome::new(topic.clone()), None);
        welcome.zmq_identities = vec![topic.into_bytes().into()];
        self.send(welcome, 0).await;
        if self.is_first {
            self.send(broadcast(Status::starting(), None), 0).await;
        }
    }

    async fn take(&mut self, item: Item) {
        self.is_first = false;
        match item {
            Item::Open(open) => self.hold(open).await,
            Item::Result(count) => self.settle(count).await,
            Item::Message(message, size) => {
                self.release().await;
                self.send(*message, size).await;
            }
            Item::Sent(sent) => {
                self.release().await;
                let _ = sent.send(());
            }
        }
    }

    async fn hold(&mut self, open: Open) {
        let time = match &open {
            Open::Text(..) => TOGETHER,
            Open::Value(..) => RESULT,
        };
        let Some(open) = self.join(open) else { return };
        self.release().await;
        self.held = Some(Held { open, until: tokio::time::Instant::now() + time });
    }

    /// Joins text to text of the same stream and cell; anything else is given back.
    fn join(&mut self, open: Open) -> Option<Open> {
        if let Open::Text(stream, more, by) = &open
            && let Some(Held { open: Open::Text(of, text, parent), .. }) = &mut self.held
            && (stream == of && Arc::ptr_eq(parent, by) && text.len() < LARGE)
        {
            text.push_str(more);
            return None;
        }
        Some(open)
    }

    async fn release(&mut self) {
        match self.held.take().map(|held| held.open) {
            Some(Open::Text(stream, text, parent)) => {
                let size = text.len();
                let name = match stream {
                    Stream::Stdout => Stdio::Stdout,
                    Stream::Stderr => Stdio::Stderr,
                };
                self.send(broadcast(StreamContent { name, text }, Some(&parent)), size).await;
            }
            Some(Open::Value(display, size, parent)) => {
                self.send(broadcast(display, Some(&parent)), size).await;
            }
            None => {}
        }
    }

    async fn settle(&mut self, count: usize) {
        let held = self.held.as_mut().map(|held| &mut held.open);
        let Some(Open::Value(display, size, parent)) = held else { return };
        let DisplayData { data, metadata, transient } = mem::take(display);
        let execution_count = ExecutionCount::new(count);
        // Clients expect a map, even an empty one.
        let transient = Some(transient.unwrap_or_default());
        let result = ExecuteResult { execution_count, data, metadata, transient };
        let (message, size) = (broadcast(result, Some(parent)), *size);
        self.held = None;
        self.send(message, size).await;
    }

    /// Sends to all clients; one that takes nothing must not keep the others waiting for long.
    async fn send(&mut self, message: JupyterMessage, size: usize) {
        let patience = if self.is_slow { LITTLE_PATIENCE } else { PATIENCE };
        match timeout(patience, self.socket.send(message)).await {
            Ok(Ok(())) => self.is_slow = false,
            Ok(Err(error)) => eprintln!("a message could not be published: {error}"),
            Err(_) => self.is_slow = true,
        }
        self.waiting.fetch_sub(size, Ordering::Relaxed);
    }
}
