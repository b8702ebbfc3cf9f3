//! One evcxr context: it is made warm, runs one cell at a time and streams what the cell gives.
//! It knows neither Jupyter nor files of notebooks.

mod analyst;
mod cache;
mod compiler;
mod completeness;
mod crates;
mod device;
mod engine;
mod failure;
mod given;
mod handle;
mod mir;
mod output;
mod places;
mod reader;
mod readiness;
pub mod relay;
mod report;
mod settings;
mod stamp;
mod statements;
mod template;
mod warnings;
mod word;
mod workdir;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use crossbeam_channel::{Receiver, never, select};
use evcxr::{EvalContextOutputs, EvalOutputs};

pub use analyst::Analyst;
pub use cache::{Cache, cache_folder, forget_own_package, prelude_folder};
pub use compiler::stop_everything;
pub use completeness::{Completeness, completeness};
pub use device::features_for;
pub use failure::CellError;
pub use handle::{Handle, Interrupted};
pub use output::{Audience, Bundle, Clearing, Output, Progress, Question};
pub use readiness::{Readiness, readiness};
pub use settings::{hide_library, library_path, write_beginning, write_settings};
pub use statements::ends_in_expression;
pub use template::{Warmth, warm};
pub use workdir::{WorkDir, abandon};

use analyst::Sources;
use engine::{Engine, Event, Ground};
use given::Given;
use handle::Ended;
use reader::Reader;
use statements::Statements;

/// How long the end of a session waits for what evcxr is doing.
const FAREWELL: Duration = Duration::from_secs(3);

/// What a session's cells find around them.
pub struct Surroundings<'a> {
    /// The folder in which cells run.
    pub folder: &'a Path,
    /// Variables of the environment that are set for them.
    pub variables: &'a [(&'a str, &'a str)],
}

/// A living evcxr context with the prelude loaded.
pub struct Session {
    /// There until the session is dropped.
    engine: Option<Engine>,
    analyst: Analyst,
    streams: EvalContextOutputs,
    handle: Handle,
    /// Tells that an interrupt wants attention.
    wakes: Receiver<()>,
    /// Where cells are written.
    cells: PathBuf,
    /// Where what is built of them is.
    built: PathBuf,
    // Dropped last: the context still works in it.
    #[expect(dead_code, reason = "it is there to be dropped")]
    work: WorkDir,
}

/// How evcxr is done with a cell.
enum Outcome {
    Ended(Result<EvalOutputs, evcxr::Error>, Given),
    /// It broke down; whether another context has taken its place.
    BrokeDown {
        reason: String,
        goes_on: bool,
    },
}

impl Session {
    /// Starts a session on a clone of the template, which is built first if need be.
    pub fn start(around: &Surroundings, on: &mut dyn FnMut(Warmth)) -> Result<Session> {
        let cache = Cache::open()?;
        let work = {
            let _unchanging = warm(&cache, on)?;
            WorkDir::clone_of(&cache)?
        };
        let cells = work.path.join("cells");
        fs::create_dir(&cells)?;
        write_settings(&cells)?;
        let built = cells.join("target").join(cache.host()?).join("debug");
        let sources = Sources { folder: work.path.clone(), library: cache.library() };
        let analyst = Analyst::start(sources)?;
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let ground = Ground {
            cache,
            work: work.path.clone(),
            cells: cells.clone(),
            folder: around.folder.to_owned(),
            variables: around.variables.iter().map(owned).collect(),
        };
        let engine = Engine::start(ground, analyst.clone())?;
        let (handle, wakes) = Handle::new(work.path.clone());
        let streams = match engine.events.recv() {
            Ok(Event::Ready(streams, process)) => {
                handle.supervises(process);
                streams
            }
            Ok(Event::Refused(reason)) => bail!("{reason}"),
            _ => return Err(anyhow!("evcxr ended before it began")),
        };
        Ok(Session { engine: Some(engine), analyst, streams, handle, wakes, cells, built, work })
    }

    /// Runs one cell before an audience that hears all that it gives while it runs.
    pub fn run(&mut self, code: &str, audience: &mut dyn Audience) -> Result<(), CellError> {
        if let Some(at) = Statements::of(code).nameless() {
            return Err(CellError::nameless(code, at));
        }
        let mut reader = Reader::default();
        if !self.handle.compiles() {
            return Err(CellError::internal("its process was ended", false));
        }
        if let Some(engine) = &self.engine {
            engine.run(code.to_owned());
        }
        let outcome = self.follow(code, &mut reader, audience);
        let interrupted = self.handle.is_done();
        reader.end(&mut |output| audience.hear(output));
        let outputs = match outcome {
            Outcome::BrokeDown { reason, goes_on } => {
                return Err(CellError::internal(&reason, goes_on));
            }
            Outcome::Ended(Ok(outputs), _) => outputs,
            Outcome::Ended(Err(_), _) if interrupted != Ended::ByItself && !reader.has_begun => {
                return Err(CellError::while_compiling());
            }
            Outcome::Ended(Err(error), given) => {
                let error = CellError::from_evcxr(error, code, &given);
                return Err(error.after(interrupted, reader.stopping.as_ref()));
            }
        };
        if let Some(failure) = &reader.failure {
            let error = CellError::while_running(failure, reader.panic.as_ref());
            let error = error.in_the_cell(code, &self.cells, reader.panic.as_ref());
            return Err(error.after(interrupted, reader.stopping.as_ref()));
        }
        // What cells show comes through the relay, so this is what evcxr's commands answered.
        if !outputs.content_by_mime_type.is_empty() {
            audience.hear(Output::Shown(outputs.content_by_mime_type.into_iter().collect(), None));
        }
        match interrupted {
            Ended::ByItself => Ok(()),
            _ => Err(CellError::stopped(reader.stopping.as_ref())),
        }
    }

    /// Reaches this session from other threads.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Answers questions about this session's cells, also while one runs.
    pub fn analyst(&self) -> Analyst {
        self.analyst.clone()
    }

    /// Passes on what the cell gives until evcxr is done with it.
    fn follow(&mut self, code: &str, reader: &mut Reader, audience: &mut dyn Audience) -> Outcome {
        let events = self.engine.as_ref().map_or_else(never, |engine| engine.events.clone());
        let mut goes_on = false;
        loop {
            let left = self.handle.press(reader.stopping.is_some());
            let pause = crossbeam_channel::after(left.unwrap_or(Duration::MAX));
            select! {
                recv(self.streams.stdout) -> line => match line {
                    Ok(line) => self.hear(&line, code, reader, audience),
                    Err(_) => self.streams.stdout = never(),
                },
                recv(self.streams.stderr) -> line => match line {
                    Ok(line) => audience.hear(Output::Stderr(line + "\n")),
                    Err(_) => self.streams.stderr = never(),
                },
                recv(events) -> event => {
                    self.hear_all(code, reader, audience);
                    match event {
                        Ok(Event::Ended(ended, given)) => return Outcome::Ended(ended, given),
                        Ok(Event::BrokeDown(reason)) => return Outcome::BrokeDown { reason, goes_on },
                        Ok(Event::Asks(question)) => self.answer(audience.answer(&question)),
                        Ok(Event::Ready(streams, process)) => {
                            self.handle.supervises(process);
                            (self.streams, goes_on) = (streams, true);
                        }
                        Ok(Event::Refused(reason)) => audience.hear(Output::Stderr(reason + "\n")),
                        Ok(Event::Closed) | Err(_) => {
                            let reason = "its thread has ended".to_owned();
                            return Outcome::BrokeDown { reason, goes_on: false };
                        }
                    }
                },
                recv(self.wakes) -> _ => {},
                recv(pause) -> _ => {},
            }
        }
    }

    /// Passes on what has come already.
    fn hear_all(&self, code: &str, reader: &mut Reader, audience: &mut dyn Audience) {
        for line in self.streams.stdout.try_iter() {
            self.hear(&line, code, reader, audience);
        }
        for line in self.streams.stderr.try_iter() {
            audience.hear(Output::Stderr(line + "\n"));
        }
    }

    fn hear(&self, line: &str, code: &str, reader: &mut Reader, audience: &mut dyn Audience) {
        let before = reader.process;
        reader.line(line, &mut |output| audience.hear(output));
        if reader.process != before {
            self.handle.runs(reader.process);
            if reader.process.is_some()
                && let Some(text) = warnings::of_last_build(&self.built, &self.cells, code)
            {
                audience.hear(Output::Stderr(text));
            }
        }
    }

    fn answer(&self, answer: Option<String>) {
        if let Some(engine) = &self.engine {
            engine.answer(answer);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.handle.kill();
        if let Some(engine) = self.engine.take() {
            engine.end(FAREWELL);
        }
    }
}

/// Our own binary, which evcxr starts as the process in which cells run.
fn cell_process(ground: &Ground) -> Result<Command> {
    use std::os::unix::process::CommandExt;
    let (libraries, path) = library_path(&ground.cache, &ground.work)?;
    let mut command = Command::new(env::current_exe()?);
    command
        .current_dir(&ground.folder)
        .envs(ground.variables.iter().map(|(name, value)| (name, value)))
        .env(relay::FRONT.0, relay::FRONT.1)
        .env(relay::LISTENING, ground.listening())
        .env(libraries, path)
        .env_remove(settings::LIBRARY)
        // Ctrl-C in a terminal is for us alone.
        .process_group(0);
    Ok(command)
}
