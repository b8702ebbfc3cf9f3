//! One evcxr context: it is made warm, runs one cell at a time and streams what the cell gives.
//! It knows neither Jupyter nor files of notebooks.

mod analysis;
mod cache;
mod failure;
mod handle;
mod output;
mod readiness;
pub mod relay;
mod settings;
mod statements;
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

pub use analysis::{Completeness, Completions, completeness};
pub use cache::{Cache, cache_folder, forget_own_package, prelude_folder};
pub use failure::CellError;
pub use handle::{Handle, Interrupted};
pub use output::{Audience, Bundle, Clearing, Output, Progress, Question};
pub use readiness::{Readiness, readiness};
pub use settings::{PRELUDE, library_path, write_settings};
pub use statements::ends_in_expression;
pub use template::{Warming, Warmth, warm};
pub use workdir::{WorkDir, abandon};

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
    _work: WorkDir,
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
        let mut session = Session { context, streams, _work: work };
        session.load_prelude(&cache)?;
        Ok(session)
    }

    /// Runs one cell before an audience that hears all that it gives while it runs.
    pub fn run(&mut self, code: &str, audience: &mut dyn Audience) -> Result<(), CellError> {
        let on = &mut |output| audience.hear(output);
        let Session { context, streams, .. } = self;
        let mut listener = Listener::new(streams);
        let ended = thread::scope(|scope| {
            let cell = scope.spawn(|| execute(context, code));
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
        stderr.into_iter().for_each(|line| on(Output::Stderr(line + "\n")));
        let answers = ended
            .map_err(|_| CellError::internal())?
            .map_err(|error| CellError::from_evcxr(error, code))?
            .content_by_mime_type;
        // What cells show comes through the relay, so this is what evcxr's commands answered.
        if !answers.is_empty() {
            on(Output::Shown(answers.into_iter().collect(), None));
        }
        Ok(())
    }

    /// Reaches this session from other threads.
    pub fn handle(&self) -> Handle {
        Handle::new(self.context.process_handle())
    }

    fn load_prelude(&mut self, cache: &Cache) -> Result<()> {
        let first = format!(":dep {}\n{PRELUDE}", cache.dependency());
        self.run(&first, &mut Nobody)
            .map_err(|error| anyhow!("the prelude cannot be loaded into a cell: {}", error.text()))
    }
}

/// Follows the cells that a session runs for itself.
struct Nobody;

impl Audience for Nobody {
    fn hear(&mut self, _: Output) {}

    fn answer(&mut self, _: &Question) -> Option<String> {
        None
    }
}

/// Runs a cell, and again with more types in it as long as that is all it lacks.
fn execute(context: &mut CommandContext, code: &str) -> Result<EvalOutputs, evcxr::Error> {
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
