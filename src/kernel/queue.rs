//! The cells that wait to be run: one after the other, until one fails and takes the rest with it.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jupyter_protocol::{
    ErrorOutput, ExecuteInput, ExecuteReply, ExecuteRequest, ExecutionCount, ExpressionResult,
    JupyterMessage, Payload, ReplyError, ReplyStatus, Status,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::sleep;

use super::cell::{Seen, Unseen};
use super::engine::{Engine, Fitness, State};
use super::history::History;
use super::input::Input;
use super::iopub::Publisher;
use super::media::media;
use super::pager;
use super::progress::Bars;
use super::shell::Answers;
use crate::session::{CellError, Session};

/// Requests that were sent before their sender could know of a failure arrive within this time.
const UNDER_WAY: Duration = Duration::from_millis(20);
/// A shorter wait for the session needs no explanation.
const SHORT: Duration = Duration::from_secs(1);

/// Takes requests to run a cell.
#[derive(Clone)]
pub struct Queue {
    waiting: UnboundedSender<Cell>,
    running: Running,
}

type Running = Arc<Mutex<Option<Arc<JupyterMessage>>>>;

struct Cell {
    message: Arc<JupyterMessage>,
    request: ExecuteRequest,
}

/// What the queue works with.
pub struct Tools {
    pub publisher: Publisher,
    pub engine: Arc<Engine>,
    pub input: Input,
    pub history: Arc<Mutex<History>>,
    pub answers: Answers,
    pub interrupts: watch::Receiver<u64>,
}

impl Queue {
    /// Starts the task that runs the cells.
    pub fn start(tools: Tools) -> Queue {
        let (waiting, cells) = unbounded_channel();
        let running = Running::default();
        let runner = Runner { tools, cells, running: running.clone(), count: 0 };
        tokio::spawn(runner.serve());
        Queue { waiting, running }
    }

    /// Puts a cell at the end.
    pub fn put(&self, message: JupyterMessage, request: ExecuteRequest) {
        let _ = self.waiting.send(Cell { message: Arc::new(message), request });
    }

    /// Says once more that the kernel is busy, if a cell is running: front ends take the last
    /// status for that of the kernel, whatever request it was for.
    pub fn still_busy(&self, publisher: &Publisher) {
        // Held until it is said, so that the end of the cell comes after it or well before.
        if let Some(running) = &*lock(&self.running) {
            publisher.send(Status::busy(), running);
        }
    }
}

struct Runner {
    tools: Tools,
    cells: UnboundedReceiver<Cell>,
    running: Running,
    count: usize,
}

/// How a cell ended.
type Ended = Result<Vec<Payload>, CellError>;

impl Runner {
    async fn serve(mut self) {
        while let Some(cell) = self.cells.recv().await {
            let aborted = self.answer(cell).await;
            for cell in aborted {
                self.abort(&cell).await;
            }
        }
    }

    /// Runs a cell, answers the request, and gives the cells that must not run because it failed.
    async fn answer(&mut self, Cell { message, request }: Cell) -> Vec<Cell> {
        *lock(&self.running) = Some(message.clone());
        self.tools.publisher.send(Status::busy(), &message);
        let reply = self.execute(&message, &request).await;
        let mut aborted = vec![];
        if reply.status == ReplyStatus::Error && request.stop_on_error {
            sleep(UNDER_WAY).await;
            while let Ok(cell) = self.cells.try_recv() {
                aborted.push(cell);
            }
        }
        self.tools.answers.send(reply, &message).await;
        let mut running = lock(&self.running);
        *running = None;
        self.tools.publisher.send(Status::idle(), &message);
        drop(running);
        aborted
    }

    async fn abort(&self, Cell { message, .. }: &Cell) {
        self.tools.publisher.send(Status::busy(), message);
        let reply = ExecuteReply { status: ReplyStatus::Aborted, ..self.reply() };
        self.tools.answers.send(reply, message).await;
        self.tools.publisher.send(Status::idle(), message);
    }

    async fn execute(
        &mut self,
        message: &Arc<JupyterMessage>,
        request: &ExecuteRequest,
    ) -> ExecuteReply {
        let is_empty = request.code.trim().is_empty();
        if request.store_history && !request.silent && !is_empty {
            self.count += 1;
        }
        if !request.silent {
            let execution_count = ExecutionCount::new(self.count);
            let code = request.code.clone();
            self.tools.publisher.send(ExecuteInput { code, execution_count }, message);
        }
        let ended = match is_empty {
            true => Ok(vec![]),
            false => self.run(message, request).await,
        };
        match ended {
            Ok(payload) => {
                let user_expressions = Some(self.expressions(message, request).await);
                ExecuteReply { payload, user_expressions, ..self.reply() }
            }
            Err(error) => {
                if !request.silent {
                    self.tools.publisher.send(error_output(&error), message);
                }
                let error = Some(Box::new(reply_error(error)));
                ExecuteReply { status: ReplyStatus::Error, error, ..self.reply() }
            }
        }
    }

    async fn run(&mut self, message: &Arc<JupyterMessage>, request: &ExecuteRequest) -> Ended {
        if let Some(name) = pager::asked(&request.code)
            && let Some(page) = self.page(message, name).await?
        {
            return Ok(vec![page]);
        }
        let code = request.code.clone();
        if request.silent {
            let run = move |session: &mut Session| {
                let ended = session.run(&code, &mut Unseen::default());
                (ended.clone(), fitness(&ended))
            };
            return self.on_session(message, run).await?.map(|()| vec![]);
        }
        let mut seen = Seen::new(&self.tools.publisher, &self.tools.input, message, request);
        let run = move |session: &mut Session| {
            let ended = session.run(&code, &mut seen);
            let fitness = fitness(&ended);
            ((ended, seen), fitness)
        };
        let (ended, seen) = self.on_session(message, run).await?;
        let result = match &ended {
            Ok(()) => seen.end(self.count),
            Err(error) => seen.fail(error),
        };
        if request.store_history {
            self.history().add(self.count, &request.code, result);
        }
        ended.map(|()| vec![])
    }

    /// What is known about a name, as a page; nothing where the cell is better run after all.
    async fn page(
        &mut self,
        message: &Arc<JupyterMessage>,
        name: pager::Name<'_>,
    ) -> Result<Option<Payload>, CellError> {
        let text = name.text.to_owned();
        let look_up = move |session: &mut Session| (session.analyst().look_up(&text), Fitness::Fit);
        let known = self.on_session(message, look_up).await?;
        Ok(pager::page(name, known))
    }

    /// Evaluates each expression as a cell of which nothing is published.
    async fn expressions(
        &mut self,
        message: &Arc<JupyterMessage>,
        request: &ExecuteRequest,
    ) -> HashMap<String, ExpressionResult> {
        let mut results = HashMap::new();
        for (name, code) in request.user_expressions.iter().flatten() {
            let code = code.clone();
            let run = move |session: &mut Session| {
                let mut unseen = Unseen::default();
                let ended = session.run(&code, &mut unseen);
                let fitness = fitness(&ended);
                (ended.map(|()| unseen.value.unwrap_or_default()), fitness)
            };
            let result = match self.on_session(message, run).await.and_then(|ended| ended) {
                Ok(value) => {
                    ExpressionResult::Ok { data: media(value).0, metadata: Default::default() }
                }
                Err(error) => ExpressionResult::Error {
                    ename: error.name,
                    evalue: error.message,
                    traceback: error.traceback,
                },
            };
            results.insert(name.clone(), result);
        }
        results
    }

    /// Asks the session. While it is being made the client sees how far it is, and an interrupt
    /// ends the wait.
    async fn on_session<T: Send + 'static>(
        &mut self,
        message: &Arc<JupyterMessage>,
        question: impl FnOnce(&mut Session) -> (T, Fitness) + Send + 'static,
    ) -> Result<T, CellError> {
        let has_begun = Arc::new(AtomicBool::new(false));
        let begin = has_begun.clone();
        let mut answer = pin!(self.tools.engine.ask(move |session| {
            begin.store(true, Ordering::Relaxed);
            question(session)
        }));
        let mut state = self.tools.engine.state();
        let mut bars = Bars::new(self.tools.publisher.clone(), message.clone(), "warm-up");
        let began = Instant::now();
        let interrupts = &mut self.tools.interrupts;
        interrupts.mark_unchanged();
        let answered = loop {
            match &*state.borrow_and_update() {
                State::Warming { since, warmth: Some(warmth) } if began.elapsed() > SHORT => {
                    bars.warm_up(warmth, since.elapsed());
                }
                _ => {}
            }
            tokio::select! {
                answered = &mut answer => break answered,
                _ = state.changed() => {}
                () = sleep(SHORT), if !has_begun.load(Ordering::Relaxed) => {}
                _ = interrupts.changed() => if !has_begun.load(Ordering::Relaxed) {
                    bars.take_away();
                    return Err(CellError::before_it_began());
                },
            }
        };
        bars.take_away();
        let failed = match &*state.borrow() {
            State::Failed(why) => cannot_start(why),
            _ => CellError::internal("there was no answer", true),
        };
        answered.ok_or(failed)
    }

    fn reply(&self) -> ExecuteReply {
        ExecuteReply {
            execution_count: ExecutionCount::new(self.count),
            // Clients expect a map, even an empty one.
            user_expressions: Some(HashMap::new()),
            ..ExecuteReply::default()
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        lock(&self.tools.history)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fitness(ended: &Result<(), CellError>) -> Fitness {
    match ended {
        Err(error) if error.is_internal() => Fitness::Broken,
        _ => Fitness::Fit,
    }
}

fn cannot_start(why: &str) -> CellError {
    let message = format!("cells cannot be run, because the session did not start:\n{why}");
    CellError::new("no session", message)
}

fn error_output(error: &CellError) -> ErrorOutput {
    let CellError { name, message, traceback } = error.clone();
    ErrorOutput { ename: name, evalue: message, traceback }
}

fn reply_error(error: CellError) -> ReplyError {
    let CellError { name, message, traceback } = error;
    ReplyError { ename: name, evalue: message, traceback }
}
