//! What the code of a session means: the types of variables, what fits at a place, what is known
//! about a name. rust-analyzer says it, in a thread of its own, so that it can be asked while a cell
//! is compiled or runs, and so that no cell has to wait until it has read all sources. Reading keeps a
//! core busy for some ten seconds, which a session that nobody types in has better uses for: there it
//! begins with the first question.

mod completion;
mod documentation;
mod reader;
mod scene;
mod types;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

pub use completion::Completions;

use super::Bundle;
use super::word::{end_of_word, floor};
use reader::Reader;
use scene::{Scene, Scope};

/// How long an answer may take before it is no longer of use to somebody who types.
const WHILE_TYPING: Duration = Duration::from_secs(1);
/// How long somebody waits who has asked about a name: a busy machine takes long to read a new crate's
/// sources, and to wait is better than to hear that nothing is known.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long there must be no question before it reads on by itself.
const PAUSE: Duration = Duration::from_millis(50);
/// What it looks at before anybody asks: each needs a little more of the sources.
const WARM_UP: [&str; 4] = [
    "let step = 1; step",
    "let step = String::new(); step",
    "let step = Some(vec![1.5]).into_iter().flatten(); step",
    "let step = Data::see_far(); step",
];

/// Asks rust-analyzer about the cells of one session.
#[derive(Clone)]
pub struct Analyst {
    questions: Sender<Question>,
    shared: Arc<Shared>,
}

/// What it reads.
pub struct Sources {
    /// The folder of the crate that names what cells can use.
    pub folder: PathBuf,
    /// The sources of the standard library, where they are installed.
    pub library: Option<PathBuf>,
}

type Question = Box<dyn FnOnce(&mut Desk) + Send>;

struct Shared {
    scope: Mutex<Scope>,
    /// It has read all that it needs for a quick answer.
    is_ready: AtomicBool,
}

impl Analyst {
    /// Starts the thread, which waits for the first question.
    pub fn start(sources: Sources) -> Result<Analyst> {
        let (questions, asked) = unbounded();
        let shared = Arc::new(Shared { scope: Mutex::default(), is_ready: AtomicBool::new(false) });
        let desk = Desk { sources, reader: None, shared: shared.clone() };
        let thread = std::thread::Builder::new().name("rust-analyzer".to_owned());
        thread.spawn(move || desk.serve(&asked))?;
        Ok(Analyst { questions, shared })
    }

    /// Takes note of what a cell has left.
    pub fn learn(&self, take: impl FnOnce(&mut Scope)) {
        take(&mut self.shared.scope());
    }

    /// Reads what cells can use before anybody asks, and anew if it has done so before.
    pub fn read(&self) {
        self.shared.is_ready.store(false, Ordering::Relaxed);
        let _ = self.questions.send(Box::new(|desk| desk.reader = None));
    }

    /// Whether it answers without having to read first.
    pub fn is_ready(&self) -> bool {
        self.shared.is_ready.load(Ordering::Relaxed)
    }

    /// The types of the variables that a cell makes, as far as they can be told.
    pub fn types(&self, code: &str) -> HashMap<String, String> {
        let code = code.to_owned();
        let answer = self.ask(move |reader, scope| types::find(reader, &code, scope));
        answer.recv().ok().and_then(Result::ok).unwrap_or_default()
    }

    /// What fits at a byte of a cell; nothing if that cannot be said within a second.
    pub fn complete(&self, code: &str, at: usize) -> Completions {
        if let Some(found) = completion::of_command(code, at) {
            return found;
        }
        let (cell, at) = (code.to_owned(), floor(code, at));
        let answer = self.ask(move |reader, scope| {
            completion::find(reader, &Scene::of(&cell, scope), &cell, at)
        });
        answer.recv_timeout(WHILE_TYPING).ok().and_then(Result::ok).unwrap_or_default()
    }

    /// What is known about the thing at a byte of a cell, as text and as HTML; nothing if that
    /// cannot be said within a second.
    pub fn inspect(&self, code: &str, at: usize) -> Option<Bundle> {
        self.find(code, at, WHILE_TYPING)
    }

    /// The same about a name by itself, for which the sources are read first.
    pub fn look_up(&self, name: &str) -> Option<Bundle> {
        self.find(name, name.len(), PATIENCE)
    }

    fn find(&self, code: &str, at: usize, patience: Duration) -> Option<Bundle> {
        let (cell, at) = (code.to_owned(), end_of_word(code, at));
        let answer = self
            .ask(move |reader, scope| documentation::find(reader, &Scene::of(&cell, scope), at));
        answer.recv_timeout(patience).ok()?.ok()?
    }

    /// Has a question answered; nothing comes if it breaks down on it.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Reader, &Scope) -> Result<T> + Send + 'static,
    ) -> Receiver<Result<T>> {
        let (tell, told) = bounded(1);
        // Whoever asked may have stopped waiting.
        let asked: Question = Box::new(move |desk| drop(tell.send(desk.answer(question))));
        let _ = self.questions.send(asked);
        told
    }
}

impl Shared {
    fn scope(&self) -> std::sync::MutexGuard<'_, Scope> {
        self.scope.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the thread works.
struct Desk {
    sources: Sources,
    /// There as soon as something was asked.
    reader: Option<Reader>,
    shared: Arc<Shared>,
}

impl Desk {
    fn serve(mut self, asked: &Receiver<Question>) {
        let mut steps = [].iter();
        while let Some(question) = self.next(asked, &mut steps) {
            let answered = catch_unwind(AssertUnwindSafe(|| question(&mut self)));
            if answered.is_err() {
                // It can be in any state, so it starts again.
                self.reader = None;
            }
            if self.reader.is_none() {
                self.shared.is_ready.store(false, Ordering::Relaxed);
                steps = WARM_UP.iter();
            }
        }
    }

    /// The next question. As long as there is none, it reads on, in small steps, so that nobody has
    /// to wait for long.
    fn next(
        &mut self,
        asked: &Receiver<Question>,
        steps: &mut std::slice::Iter<'_, &str>,
    ) -> Option<Question> {
        loop {
            match asked.recv_timeout(PAUSE) {
                Ok(question) => return Some(question),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let Some(step) = steps.next() else {
                self.shared.is_ready.store(self.reader.is_some(), Ordering::Relaxed);
                return asked.recv().ok();
            };
            // What it cannot do now, it need not do: a question will tell.
            let read = catch_unwind(AssertUnwindSafe(|| {
                let _ = self.answer(|reader, scope| types::find(reader, step, scope));
            }));
            if read.is_err() {
                self.reader = None;
            }
        }
    }

    fn answer<T>(&mut self, question: impl FnOnce(&mut Reader, &Scope) -> Result<T>) -> Result<T> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(Reader::load(&self.sources)?),
        };
        let scope = self.shared.scope().clone();
        question(reader, &scope)
    }
}
