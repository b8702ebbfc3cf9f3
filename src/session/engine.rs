//! The thread that owns a session's evcxr context. It lives as long as the session, so that no
//! process it starts depends on a thread that ends, and it survives evcxr's own breakdowns.

use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use evcxr::{CommandContext, EvalCallbacks, EvalContext, EvalContextOutputs, EvalOutputs};

use super::analyst::Analyst;
use super::cache::Cache;
use super::crates::Crates;
use super::given::{Given, Shown};
use super::output::Question;
use super::settings::PRELUDE;
use super::statements::{Binding, Statements};
use super::{cell_process, mir, relay, statements};

/// Has the prelude prepare a new process. evcxr does not expect a `?` before it has seen one, and
/// builds the cell where it does a second time; so here is the first.
const BEGIN: &str = "erm::show::begin();\nOk::<(), erm::Error>(())?;";

/// What a context is made from, at the start and again when one has broken down.
pub struct Ground {
    /// The caches and the compiler.
    pub cache: Cache,
    /// The session's work folder, where the crates are that cells use.
    pub work: PathBuf,
    /// The folder in it where cells are built.
    pub cells: PathBuf,
    /// The folder in which cells run.
    pub folder: PathBuf,
    /// Variables of the environment that are set for cells.
    pub variables: Vec<(String, String)>,
}

/// What the thread tells the session.
pub enum Event {
    /// A new context is ready, whose output comes from here.
    Ready(EvalContextOutputs, Arc<Mutex<Child>>),
    /// No context can be made.
    Refused(String),
    /// The running cell asks its user; the thread waits for [`Engine::answer`].
    Asks(Question),
    /// The cell has ended, which evcxr was given in this form.
    Ended(Result<EvalOutputs, evcxr::Error>, Given),
    /// Nothing runs any more.
    Closed,
    /// evcxr broke down on the cell. [`Event::Ready`] or [`Event::Refused`] has come before.
    BrokeDown(String),
}

/// The thread, from outside.
pub struct Engine {
    cells: Sender<String>,
    answers: Sender<Option<String>>,
    /// What the thread tells.
    pub events: Receiver<Event>,
}

impl Engine {
    /// Starts the thread, which makes a context first.
    pub fn start(ground: Ground, analyst: Analyst) -> Result<Engine> {
        let (cells, to_do) = unbounded();
        let (tell, events) = unbounded();
        let (answers, answered) = bounded(1);
        let crates = Crates::of_template(&ground.cache, &ground.work)?;
        let mut desk = Desk { ground, crates, analyst, tell, answered };
        let thread = std::thread::Builder::new().name("evcxr".to_owned());
        thread.spawn(move || desk.serve(&to_do))?;
        Ok(Engine { cells, answers, events })
    }

    /// Has the thread run this cell after what it does now; [`Event`]s follow until it has ended.
    pub fn run(&self, cell: String) {
        // If the thread has ended, nobody answers, which the caller sees.
        let _ = self.cells.send(cell);
    }

    /// Answers what the running cell has asked.
    pub fn answer(&self, answer: Option<String>) {
        let _ = self.answers.send(answer);
    }

    /// Lets the thread end after what it does now, and waits for that, but not for ever.
    pub fn end(self, patience: Duration) {
        let Engine { cells, answers, events } = self;
        drop((cells, answers));
        let until = Instant::now() + patience;
        while events.recv_deadline(until).is_ok_and(|event| !matches!(event, Event::Closed)) {}
    }
}

/// Where the thread works.
struct Desk {
    ground: Ground,
    crates: Crates,
    analyst: Analyst,
    tell: Sender<Event>,
    answered: Receiver<Option<String>>,
}

impl Desk {
    fn serve(&mut self, cells: &Receiver<String>) {
        let mut context = self.context();
        let mut begun = context.as_ref().map(process);
        for cell in cells {
            let Some(living) = &mut context else {
                self.say(Event::BrokeDown("no cell can run in this session any more".to_owned()));
                continue;
            };
            let done = catch_unwind(AssertUnwindSafe(|| self.execute(living, &cell)));
            if let Err(reason) = done {
                // What is left of it may break down once more.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(context.take())));
                context = self.context();
                self.say(Event::BrokeDown(words(&*reason).to_owned()));
            }
            if let Some(living) = &mut context
                && begun != Some(process(living))
            {
                // The process in which cells run is a new one, which knows nothing yet. If it cannot
                // learn, cells still run, and say less.
                let _ = self.ground.begin(living, &self.crates);
                begun = Some(process(living));
            }
        }
        self.say(Event::Closed);
    }

    /// Makes a context and says so.
    fn context(&self) -> Option<CommandContext> {
        let made = catch_unwind(AssertUnwindSafe(|| self.ground.context(&self.crates)));
        let made = made.unwrap_or_else(|reason| Err(anyhow!("{}", words(&*reason))));
        match made {
            Ok((context, streams)) => {
                self.analyst.learn(|scope| {
                    scope.take_items(&context.last_source().unwrap_or_default());
                    scope.take_variables(context.variables_and_types());
                });
                self.say(Event::Ready(streams, context.process_handle()));
                Some(context)
            }
            Err(error) => {
                self.say(Event::Refused(format!("{error:#}")));
                None
            }
        }
    }

    /// Runs a cell, and tells how it ended.
    fn execute(&mut self, context: &mut CommandContext, cell: &str) {
        if let Some(list) = self.crates.listed(cell) {
            let content = [("text/plain".to_owned(), list)].into();
            let outputs = EvalOutputs { content_by_mime_type: content, ..EvalOutputs::default() };
            return self.say(Event::Ended(Ok(outputs), Given::as_it_is(cell)));
        }
        let (ended, given) = match self.add_crates(context, cell) {
            Ok(rest) => self.run(context, rest.as_deref().unwrap_or(cell)),
            Err(error) => {
                let error = evcxr::Error::Message(format!("{error:#}"));
                (Err(error), Given::as_it_is(cell))
            }
        };
        self.analyst.learn(|scope| {
            // The source of a cell that failed is none that anything is left of.
            if let (true, Ok(source)) = (ended.is_ok(), context.last_source()) {
                scope.take_items(&source);
            }
            scope.take_variables(context.variables_and_types());
        });
        self.say(Event::Ended(ended, given));
    }

    /// Adds the crates that a cell asks for, and gives back what else is in it.
    fn add_crates(&mut self, context: &mut CommandContext, cell: &str) -> Result<Option<String>> {
        let rest = self.crates.add(&self.ground.cache, cell)?;
        if rest.is_some() {
            context.execute(&self.crates.command()).map_err(|error| anyhow!("{error}"))?;
            self.analyst.read();
        }
        Ok(rest)
    }

    /// Runs a cell with the types of its variables. Where its value cannot be shown, evcxr gets to say
    /// so in its own words.
    fn run(
        &self,
        context: &mut CommandContext,
        code: &str,
    ) -> (Result<EvalOutputs, evcxr::Error>, Given) {
        let statements = Statements::of(code);
        if !statements.complaints().is_empty() {
            let given = Given::as_it_is(code);
            return (self.give(context, &given), given);
        }
        let variables = statements.untyped();
        let types = self.types(context, code, &variables);
        let mut run = |shown| {
            let given = Given::with(code, &variables, &types, shown);
            (self.give(context, &given), given)
        };
        match run(Shown::ByStatement) {
            (Err(error), _) if is_about_display(&error) => run(Shown::ByEvcxr),
            ended => ended,
        }
    }

    fn give(
        &self,
        context: &mut CommandContext,
        given: &Given,
    ) -> Result<EvalOutputs, evcxr::Error> {
        let callbacks = &mut EvalCallbacks {
            input_reader: &|request| self.ask(&request.prompt, request.is_password),
        };
        context.execute_with_callbacks(&statements::with_flush(&given.code), callbacks)
    }

    /// The types of these variables of a cell. As long as the analyst still reads, the compiler is
    /// asked first, and the other one where the first does not know.
    fn types(
        &self,
        context: &mut CommandContext,
        code: &str,
        variables: &[Binding],
    ) -> HashMap<String, String> {
        let mut types = HashMap::new();
        let is_ready = self.analyst.is_ready();
        for asks_analyst in [is_ready, !is_ready] {
            if variables.iter().all(|it| types.contains_key(&it.name)) {
                break;
            }
            let found = match asks_analyst {
                true => self.analyst.types(code),
                false => mir::types(context, code, &self.crates.flags(), &self.ground.cells),
            };
            for (name, kind) in found {
                types.entry(name).or_insert(kind);
            }
        }
        types
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
    fn context(&self, crates: &Crates) -> Result<(CommandContext, EvalContextOutputs)> {
        let _ = fs::remove_file(self.listening());
        let process = cell_process(self)?;
        // evcxr looks for its settings in the current folder before anywhere else.
        env::set_current_dir(&self.cells)?;
        let started = EvalContext::with_subprocess_command(process);
        env::set_current_dir(&self.folder)?;
        let (context, streams) = started.map_err(|error| anyhow!("evcxr cannot start: {error}"))?;
        let mut context = CommandContext::with_eval_context(context);
        self.begin(&mut context, crates)?;
        Ok((context, streams))
    }

    /// Loads the prelude, and has it prepare the process in which cells run. Nobody hears that.
    fn begin(&self, context: &mut CommandContext, crates: &Crates) -> Result<()> {
        let _ = fs::remove_file(self.listening());
        let prelude = format!("{}\n{PRELUDE}\n{BEGIN}", crates.command());
        let begun = context.execute(&prelude);
        File::create(self.listening())?;
        begun.map_err(|error| {
            anyhow!("the prelude cannot be loaded into a cell: {}", whole(&error))
        })?;
        Ok(())
    }
}

/// The process that evcxr has started for cells.
fn process(context: &CommandContext) -> u32 {
    context.process_handle().lock().unwrap_or_else(PoisonError::into_inner).id()
}

/// All that the compiler said, a linker's own words too.
fn whole(error: &evcxr::Error) -> String {
    match error {
        evcxr::Error::CompilationErrors(errors) => {
            errors.iter().map(|error| error.rendered()).collect()
        }
        other => other.to_string(),
    }
}

/// Whether a cell failed to build for want of a way to show its value.
fn is_about_display(error: &evcxr::Error) -> bool {
    let evcxr::Error::CompilationErrors(errors) = error else { return false };
    errors.iter().any(|error| error.message().contains("`evcxr_display`"))
}

/// What a panic says.
fn words(reason: &(dyn std::any::Any + Send)) -> &str {
    let text = reason.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| reason.downcast_ref::<&str>().copied()).unwrap_or("for no known reason")
}
