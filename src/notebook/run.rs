//! Runs a notebook from top to bottom in a session of its own.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::file::{Notebook, ensure_writable};
use super::interrupt;
use super::recorder::{Record, Recorder};
use super::screen::{Screen, duration};
use crate::session::{Audience, Output, Question, Session, Surroundings};

/// Runs a notebook and writes it with its outputs, after every cell, so that a run that ends early
/// loses nothing that was finished.
pub fn run(source: &Path, target: &Path, variables: &[(&str, &str)]) -> Result<()> {
    let began = Instant::now();
    let mut notebook = Notebook::read(source)?;
    ensure_writable(target)?;
    notebook.clear();
    let mut screen = Screen::new();
    let count = (0..notebook.len()).filter(|&index| has_code(&notebook, index)).count();
    screen.say(&format!("{} ({count} code cells)", source.display()));
    let folder = folder_of(source)?;
    let around = Surroundings { folder: &folder, variables };
    let session = Session::start(&around, &mut |warmth| screen.warm_up(&warmth));
    screen.settle();
    let session = session?;
    interrupt::watch(session.handle())?;
    let mut run = Run { session, notebook, screen, done: 0, count, displays: vec![] };
    let ended = run.cells(target);
    let took = duration(began.elapsed().as_secs_f64());
    if let Err(error) = ended {
        let (done, from, to) = (run.done, source.display(), target.display());
        bail!(
            "{error:#} (code cell {done} of {count} in {from}, after {took})\n\
             {to} has the outputs up to there"
        );
    }
    run.screen.say(&format!("wrote {} after {took}\n", target.display()));
    Ok(())
}

/// A notebook that is being run.
struct Run {
    session: Session,
    notebook: Notebook,
    screen: Screen,
    done: usize,
    count: usize,
    /// The values that may be replaced later: their ids, cells and places there.
    displays: Vec<(String, usize, usize)>,
}

impl Run {
    fn cells(&mut self, target: &Path) -> Result<()> {
        for index in 0..self.notebook.len() {
            if let Some(heading) = self.notebook.heading(index) {
                self.screen.say(&format!("\n  {heading}"));
            }
            if has_code(&self.notebook, index) {
                let ended = self.cell(index);
                self.notebook.write(target)?;
                ended?;
            }
        }
        self.notebook.write(target)
    }

    fn cell(&mut self, index: usize) -> Result<()> {
        let code = self.notebook.code(index).unwrap_or_default();
        self.done += 1;
        self.screen.say(&format!("  [{}/{}] {}", self.done, self.count, first_line(&code)));
        let Run { session, screen, .. } = self;
        let mut viewers = Viewers { screen, recorder: Recorder::default() };
        let ended = session.run(&code, &mut viewers);
        let Viewers { screen, mut recorder } = viewers;
        screen.settle();
        if let Err(error) = &ended {
            screen.fail(error);
            recorder.fail(error);
        }
        let record = recorder.finish(&code, self.done);
        self.store(index, record);
        ended.map_err(|error| anyhow::anyhow!("a cell failed with {}", error.summary()))
    }
}

impl Run {
    /// Stores what a cell gave, here and in the cells before.
    fn store(&mut self, index: usize, record: Record) {
        for (id, data) in record.updates {
            for (_, cell, place) in self.displays.iter().filter(|(known, ..)| *known == id) {
                self.notebook.replace(*cell, *place, data.clone());
            }
        }
        let ids = record.outputs.iter().enumerate();
        let new = ids.filter_map(|(place, output)| Some((output.id.clone()?, index, place)));
        self.displays.extend(new);
        let outputs = record.outputs.into_iter().map(|output| output.json).collect();
        self.notebook.store(index, self.done, outputs);
    }
}

/// A run is watched on the screen and recorded for the notebook.
struct Viewers<'a> {
    screen: &'a mut Screen,
    recorder: Recorder,
}

impl Audience for Viewers<'_> {
    fn hear(&mut self, output: Output) {
        self.screen.show(&output);
        self.recorder.add(&output);
    }

    /// A notebook that runs by itself has nobody to ask.
    fn answer(&mut self, _: &Question) -> Option<String> {
        None
    }
}

/// Jupyter neither runs nor counts empty cells.
fn has_code(notebook: &Notebook, index: usize) -> bool {
    notebook.code(index).is_some_and(|code| !code.trim().is_empty())
}

fn first_line(code: &str) -> &str {
    let mut lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.clone().find(|line| !line.starts_with("//")).or_else(|| lines.next()).unwrap_or_default()
}

/// The folder in which cells run, as Jupyter does it: the notebook's.
fn folder_of(notebook: &Path) -> Result<PathBuf> {
    let path = notebook.canonicalize()?;
    let folder = path.parent().with_context(|| format!("{} has no folder", path.display()))?;
    Ok(folder.to_owned())
}
