//! The thread that owns the session. It starts the session in the background, does one job after
//! the other with it, and starts a new one where the old one broke down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::session::{Analyst, Handle, Session, Surroundings, Warmth, stop_everything};

/// Something to do with the session; dropped undone where there is no session.
type Job = Box<dyn FnOnce(&mut Session) -> Fitness + Send>;

/// Whether a session can be used for another job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// It can.
    Fit,
    /// It cannot: a new one is needed.
    Broken,
}

/// How far the session is.
#[derive(Clone, Debug)]
pub enum State {
    /// It is being made.
    Warming {
        /// Since when.
        since: Instant,
        /// What is built for it, if anything is.
        warmth: Option<Warmth>,
    },
    /// It takes jobs.
    Ready,
    /// It could not be made, for this reason. The next job makes it try again.
    Failed(String),
}

/// Reaches the thread from the rest of the kernel.
pub struct Engine {
    jobs: Sender<Job>,
    shared: Arc<Shared>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

struct Shared {
    state: watch::Sender<State>,
    reach: Mutex<Option<(Handle, Analyst)>>,
    ending: AtomicBool,
}

impl Engine {
    /// Starts the thread, and with it a session whose cells run in this folder.
    pub fn start(folder: PathBuf) -> std::io::Result<Engine> {
        let (jobs, received) = channel();
        let (end, ended) = oneshot::channel();
        let shared = Arc::new(Shared {
            state: watch::Sender::new(warming(Instant::now(), None)),
            reach: Mutex::new(None),
            ending: AtomicBool::new(false),
        });
        let worker = Worker { folder, shared: shared.clone() };
        thread::Builder::new().name("engine".to_owned()).spawn(move || {
            worker.work(&received);
            let _ = end.send(());
        })?;
        Ok(Engine { jobs, shared, ended: Mutex::new(Some(ended)) })
    }

    /// Has a question answered by the session; `None` where there is no session, or where it broke
    /// down on this very question. A question that nobody waits for any more is not asked.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Session) -> (T, Fitness) + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |session| {
            if answer.is_closed() {
                return Fitness::Fit;
            }
            let (found, fitness) = question(session);
            let _ = answer.send(found);
            fitness
        });
        self.jobs.send(job).ok()?;
        answered.await.ok()
    }

    /// Follows how far the session is.
    pub fn state(&self) -> watch::Receiver<State> {
        self.shared.state.subscribe()
    }

    /// Reaches the session while it is at work; `None` while it is being made.
    pub fn handle(&self) -> Option<Handle> {
        self.shared.reach().as_ref().map(|(handle, _)| handle.clone())
    }

    /// Answers questions about the session's cells; `None` while it is being made.
    pub fn analyst(&self) -> Option<Analyst> {
        self.shared.reach().as_ref().map(|(_, analyst)| analyst.clone())
    }

    /// Ends whatever the session is doing, and the session itself. False where it did not end in
    /// time.
    pub async fn end(&self, patience: Duration) -> bool {
        self.shared.ending.store(true, Ordering::Relaxed);
        match self.handle() {
            Some(handle) => handle.kill(),
            None => stop_everything(),
        }
        // Wakes the thread where it waits for a job.
        let _ = self.jobs.send(Box::new(|_| Fitness::Fit));
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        match ended {
            Some(ended) => timeout(patience, ended).await.is_ok(),
            None => true,
        }
    }
}

impl Shared {
    fn reach(&self) -> MutexGuard<'_, Option<(Handle, Analyst)>> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's own side.
struct Worker {
    folder: PathBuf,
    shared: Arc<Shared>,
}

impl Worker {
    fn work(&self, jobs: &Receiver<Job>) {
        let mut session = self.start();
        for job in jobs {
            if self.shared.ending.load(Ordering::Relaxed) {
                break;
            }
            if session.is_none() {
                session = self.start();
            }
            let Some(living) = &mut session else { continue };
            let done = catch_unwind(AssertUnwindSafe(|| job(living)));
            if done.unwrap_or(Fitness::Broken) == Fitness::Broken {
                eprintln!("the session broke down and is started anew; all variables are lost");
                self.drop(session.take());
                session = self.start();
            }
        }
        self.drop(session);
    }

    fn start(&self) -> Option<Session> {
        let tell = |state| self.shared.state.send_replace(state);
        let since = Instant::now();
        tell(warming(since, None));
        let around = Surroundings { folder: &self.folder, variables: &[] };
        let on = &mut |warmth| {
            tell(warming(since, Some(warmth)));
        };
        let started = catch_unwind(AssertUnwindSafe(|| Session::start(&around, on)));
        let (session, state) = match started {
            Ok(Ok(session)) => (Some(session), State::Ready),
            Ok(Err(error)) => (None, State::Failed(format!("{error:#}"))),
            Err(_) => (None, State::Failed("evcxr broke down while it started".to_owned())),
        };
        if let Some(session) = &session {
            session.analyst().read();
        }
        *self.shared.reach() = session.as_ref().map(|it| (it.handle(), it.analyst()));
        tell(state);
        session
    }

    /// Whatever broke a session may break its end, too.
    fn drop(&self, session: Option<Session>) {
        *self.shared.reach() = None;
        if catch_unwind(AssertUnwindSafe(|| drop(session))).is_err() {
            eprintln!("the session did not end as it should");
        }
    }
}

fn warming(since: Instant, warmth: Option<Warmth>) -> State {
    State::Warming { since, warmth }
}
