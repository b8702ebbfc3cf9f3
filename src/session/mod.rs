//! One evcxr context: it is made warm, runs one cell at a time and streams what the cell gives.
//! It knows neither Jupyter nor files of notebooks.

mod cache;
mod dependencies;
mod failure;
mod output;
pub mod relay;
mod settings;
mod streams;
mod template;
mod types;
mod workdir;

use std::env;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use evcxr::{CommandContext, EvalContext, EvalContextOutputs, EvalOutputs};

pub use cache::{Cache, forget_own_package};
pub use failure::CellError;
pub use output::{Bundle, Output, Progress};
pub use settings::{PRELUDE, library_path, write_settings};
pub use template::{Warming, Warmth, warm};
pub use workdir::WorkDir;

use streams::Listener;

/// How often a running cell is asked for its output.
const TICK: Duration = Duration::from_millis(5);

/// What a session's cells find around them.
pub struct Surroundings<'a> {
    /// The folder in which cells run.
    pub folder: &'a Path,
    /// Variables of the environment that are set for them.
    pub variables: &'a [(&'a str, &'a str)],
}

/// A living evcxr context with the prelude loaded.
pub struct Session {
    context: CommandContext,
    streams: EvalContextOutputs,
    // Dropped last: the context still runs in it.
    work: WorkDir,
}

impl Session {
    /// Starts a session on a clone of the template, which is built first if need be.
    pub fn start(around: &Surroundings, on: &mut dyn FnMut(Warmth)) -> Result<Session> {
        let cache = Cache::open()?;
        let work = {
            let _unchanging = warm(&cache, Warming::Build, on)?;
            WorkDir::clone_of(&cache)?
        };
        write_settings(&cache, &work.path)?;
        let process = cell_process(&cache, &work, around)?;
        // evcxr looks for its settings in the current folder before anywhere else.
        env::set_current_dir(&work.path)?;
        let started = EvalContext::with_subprocess_command(process);
        env::set_current_dir(around.folder)?;
        let (context, streams) = started.map_err(|error| anyhow!("evcxr cannot start: {error}"))?;
        let context = CommandContext::with_eval_context(context);
        cache.restore_lock(&work.path)?;
        let mut session = Session { context, streams, work };
        session.load_prelude(&cache)?;
        Ok(session)
    }

    /// Runs one cell and hands on all that it gives while it runs.
    pub fn run(&mut self, code: &str, on: &mut dyn FnMut(Output)) -> Result<(), CellError> {
        let Session { context, streams, work } = self;
        let mut listener = Listener::new(streams);
        let ended = thread::scope(|scope| {
            let cell = scope.spawn(|| execute(context, &work.path, code));
            while !cell.is_finished() {
                listener.pass_on(on);
                thread::sleep(TICK);
            }
            cell.join()
        });
        let (failed, stderr) = listener.end(on);
        if let (Ok(Ok(_)), Some(failed)) = (&ended, failed) {
            return Err(CellError::while_running(failed, &stderr));
        }
        stderr.into_iter().for_each(|line| on(Output::Stderr(line)));
        let answers = ended
            .map_err(|_| CellError::internal())?
            .map_err(|error| CellError::from_evcxr(error, code))?
            .content_by_mime_type;
        // What cells show comes through the relay, so this is what evcxr's commands answered.
        if !answers.is_empty() {
            on(Output::Shown(answers.into_iter().collect()));
        }
        Ok(())
    }

    fn load_prelude(&mut self, cache: &Cache) -> Result<()> {
        let first = format!(":dep {}\n{PRELUDE}", cache.dependency());
        self.run(&first, &mut |_| ())
            .map_err(|error| anyhow!("the prelude cannot be loaded into a cell: {}", error.text()))
    }
}

/// Runs a cell, and again with more types in it as long as that is all it lacks.
fn execute(
    context: &mut CommandContext,
    work: &Path,
    code: &str,
) -> Result<EvalOutputs, evcxr::Error> {
    dependencies::add(context, work, code)?;
    let mut ended = context.execute(code);
    let mut code = code.to_owned();
    while let Err(error) = &ended
        && let Some(annotated) = types::annotated(context, &code, error)
    {
        code = annotated;
        ended = context.execute(&code);
    }
    ended
}

/// Our own binary, which evcxr starts as the process in which cells run.
fn cell_process(cache: &Cache, work: &WorkDir, around: &Surroundings) -> Result<Command> {
    let (libraries, path) = library_path(cache, &work.path)?;
    let mut command = Command::new(env::current_exe()?);
    command
        .current_dir(around.folder)
        .envs(around.variables.iter().copied())
        .env(relay::FRONT.0, relay::FRONT.1)
        .env(libraries, path);
    Ok(command)
}
