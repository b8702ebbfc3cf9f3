//! The thread that owns a session's evcxr context. It lives as long as the session, so that no
//! process it starts depends on a thread that ends, and it survives evcxr's own breakdowns.

use std::env;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use evcxr::{CommandContext, EvalCallbacks, EvalContext, EvalContextOutputs, EvalOutputs};

use super::cache::Cache;
use super::output::Question;
use super::relay;
use super::settings::PRELUDE;
use super::{cell_process, dependencies, statements, types};

/// Has the prelude prepare a new process.
const BEGIN: &str = "erm::show::begin();";
/// How long there must be nothing to do before rust-analyzer reads on.
const PAUSE: Duration = Duration::from_millis(300);
/// What rust-analyzer is asked for before anybody else asks: each needs a little more of it.
const WARM_UP: [&str; 4] = [
    "let step = 1; step",
    "let step = String::new(); step",
    "let step = Some(vec![1.5]).into_iter().flatten(); step",
    "let step = Data::see_far(); step",
];

/// What a context is made from, at the start and again when one has broken down.
pub struct Ground {
    /// The caches and the compiler.
    pub cache: Cache,
    /// The session's work folder.
    pub work: PathBuf,
    /// The folder in which cells run.
    pub folder: PathBuf,
    /// Variables of the environment that are set for cells.
    pub variables: Vec<(String, String)>,
}

/// What the session asks of its thread.
pub enum Job {
    /// Run this cell; [`Event`]s follow until it has ended.
    Run(String),
    /// Do something with the context that gives its answer by itself.
    Ask(Box<dyn FnOnce(&mut CommandContext) + Send>),
}

/// What the thread tells the session.
pub enum Event {
    /// A new context is ready, whose output comes from here.
    Ready(EvalContextOutputs, Arc<Mutex<Child>>),
    /// No context can be made.
    Refused(String),
    /// The running cell asks its user; the thread waits for [`Engine::answer`].
    Asks(Question),
    /// The cell has ended.
    Ended(Result<EvalOutputs, evcxr::Error>),
    /// Nothing runs any more.
    Closed,
    /// evcxr broke down on the cell. [`Event::Ready`] or [`Event::Refused`] has come before.
    BrokeDown(String),
}

/// The thread, from outside.
pub struct Engine {
    jobs: Sender<Job>,
    answers: Sender<Option<String>>,
    /// What the thread tells.
    pub events: Receiver<Event>,
}

impl Engine {
    /// Starts the thread, which makes a context first.
    pub fn start(ground: Ground) -> Result<Engine> {
        let (jobs, to_do) = unbounded();
        let (tell, events) = unbounded();
        let (answers, answered) = bounded(1);
        let mut desk = Desk { ground, tell, answered };
        let thread = std::thread::Builder::new().name("evcxr".to_owned());
        thread.spawn(move || desk.serve(&to_do))?;
        Ok(Engine { jobs, answers, events })
    }

    /// Gives the thread something to do after what it does now.
    pub fn give(&self, job: Job) {
        // If the thread has ended, nobody answers, which the caller sees.
        let _ = self.jobs.send(job);
    }

    /// Answers what the running cell has asked.
    pub fn answer(&self, answer: Option<String>) {
        let _ = self.answers.send(answer);
    }

    /// Lets the thread end after what it does now, and waits for that, but not for ever.
    pub fn end(self, patience: Duration) {
        let Engine { jobs, answers, events } = self;
        drop((jobs, answers));
        let until = Instant::now() + patience;
        while events.recv_deadline(until).is_ok_and(|event| !matches!(event, Event::Closed)) {}
    }
}

/// Where the thread works.
struct Desk {
    ground: Ground,
    tell: Sender<Event>,
    answered: Receiver<Option<String>>,
}

impl Desk {
    fn serve(&mut self, to_do: &Receiver<Job>) {
        let mut context = self.context();
        let mut steps = WARM_UP.iter();
        let mut begun = context.as_ref().map(process);
        while let Some(job) = next(to_do, &mut context, &mut steps) {
            let Some(living) = &mut context else {
                self.say(Event::BrokeDown("no cell can run in this session any more".to_owned()));
                continue;
            };
            let done = catch_unwind(AssertUnwindSafe(|| self.work(living, job)));
            if let Err(reason) = done {
                // What is left of it may break down once more.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(context.take())));
                context = self.context();
                steps = WARM_UP.iter();
                self.say(Event::BrokeDown(words(&*reason).to_owned()));
            }
            if let Some(living) = &mut context
                && begun != Some(process(living))
            {
                // The process in which cells run is a new one, which knows nothing yet. If it cannot
                // learn, cells still run, and say less.
                let _ = self.ground.begin(living);
                begun = Some(process(living));
            }
        }
        self.say(Event::Closed);
        // All that a context has read takes a while to be forgotten, and nobody needs to wait.
        drop(context);
    }

    fn work(&self, context: &mut CommandContext, job: Job) {
        match job {
            Job::Run(code) => self.say(Event::Ended(self.execute(context, &code))),
            Job::Ask(question) => question(context),
        }
    }

    /// Makes a context and says so.
    fn context(&self) -> Option<CommandContext> {
        let made = catch_unwind(AssertUnwindSafe(|| self.ground.context()));
        let made = made.unwrap_or_else(|reason| Err(anyhow!("{}", words(&*reason))));
        match made {
            Ok((context, streams)) => {
                self.say(Event::Ready(streams, context.process_handle()));
                Some(context)
            }
            Err(error) => {
                self.say(Event::Refused(format!("{error:#}")));
                None
            }
        }
    }

    /// Runs a cell, and again with more types in it as long as that is all it lacks.
    fn execute(
        &self,
        context: &mut CommandContext,
        code: &str,
    ) -> Result<EvalOutputs, evcxr::Error> {
        let execute = |context: &mut CommandContext, code: &str| {
            let callbacks = &mut EvalCallbacks {
                input_reader: &|request| self.ask(&request.prompt, request.is_password),
            };
            context.execute_with_callbacks(&statements::with_flush(code), callbacks)
        };
        dependencies::add(context, &self.ground.work, code)?;
        let mut ended = execute(context, code);
        let mut code = code.to_owned();
        while let Err(error) = &ended
            && let Some(annotated) = types::annotated(context, &code, error)
        {
            code = annotated;
            ended = execute(context, &code);
        }
        ended
    }

    /// Has the cell's question answered, in the words in which evcxr passes both on.
    fn ask(&self, prompt: &str, is_secret: bool) -> String {
        let prompt = relay::prompt_from_evcxr(prompt);
        self.say(Event::Asks(Question { prompt, is_secret }));
        let answer = self.answered.recv().unwrap_or_default();
        relay::answer_for_evcxr(answer.as_deref())
    }

    fn say(&self, event: Event) {
        // A session that has gone needs no news.
        let _ = self.tell.send(event);
    }
}

impl Ground {
    /// The file that tells the relay that cells are heard.
    pub fn listening(&self) -> PathBuf {
        self.work.join("listening")
    }

    /// A context with the prelude loaded.
    fn context(&self) -> Result<(CommandContext, EvalContextOutputs)> {
        let _ = fs::remove_file(self.listening());
        let process = cell_process(self)?;
        // evcxr looks for its settings in the current folder before anywhere else.
        env::set_current_dir(&self.work)?;
        let started = EvalContext::with_subprocess_command(process);
        env::set_current_dir(&self.folder)?;
        let (context, streams) = started.map_err(|error| anyhow!("evcxr cannot start: {error}"))?;
        let mut context = CommandContext::with_eval_context(context);
        self.cache.restore_lock(&self.work)?;
        self.begin(&mut context)?;
        dependencies::keep(&self.work)?;
        Ok((context, streams))
    }

    /// Loads the prelude, and has it prepare the process in which cells run. Nobody hears that.
    fn begin(&self, context: &mut CommandContext) -> Result<()> {
        let _ = fs::remove_file(self.listening());
        let prelude = format!(":dep {}\n{PRELUDE}\n{BEGIN}", self.cache.dependency());
        let begun = context.execute(&prelude);
        File::create(self.listening())?;
        begun.map_err(|error| anyhow!("the prelude cannot be loaded into a cell: {error}"))?;
        Ok(())
    }
}

/// The next thing to do. As long as there is nothing, rust-analyzer reads on in the sources of what
/// cells use, in small steps, so that no cell has to wait for long.
fn next(
    to_do: &Receiver<Job>,
    context: &mut Option<CommandContext>,
    steps: &mut std::slice::Iter<'_, &str>,
) -> Option<Job> {
    loop {
        // Whoever starts a session may have a cell at hand.
        match to_do.recv_timeout(PAUSE) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let (Some(context), Some(step)) = (context.as_mut(), steps.next()) else {
            return to_do.recv().ok();
        };
        // What it cannot do now, it need not do: a cell will tell.
        let _ = catch_unwind(AssertUnwindSafe(|| context.hover_at(step, step.len())));
    }
}

/// The process that evcxr has started for cells.
fn process(context: &CommandContext) -> u32 {
    context.process_handle().lock().unwrap_or_else(PoisonError::into_inner).id()
}

/// What a panic says.
fn words(reason: &(dyn std::any::Any + Send)) -> &str {
    let text = reason.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| reason.downcast_ref::<&str>().copied()).unwrap_or("for no known reason")
}
