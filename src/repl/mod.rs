//! A session in a terminal: cells are typed, or come through a pipe, and run one after the other.

mod editor;
mod input;
mod viewer;

use std::env;

use anyhow::{Result, bail};

use self::input::{Input, Line};
use self::viewer::Viewer;
use crate::notebook::{Screen, interrupt};
use crate::session::{Analyst, Session, Surroundings};

/// The command that asks what is known about a name.
const DOC: &str = ":doc ";

/// Runs what is typed until the input ends. Through a pipe the first cell that fails is the last.
pub fn converse() -> Result<()> {
    let folder = env::current_dir()?;
    let mut screen = Screen::new();
    let around = Surroundings { folder: &folder, variables: &[] };
    let started = Session::start(&around, &mut |warmth| screen.warm_up(&warmth));
    screen.settle();
    let mut session = started?;
    let handle = session.handle();
    let mut input = Input::open(session.analyst())?;
    // The editor takes Ctrl-C for itself, so we listen after it, and both hear it.
    interrupt::watch(handle.clone())?;
    input.greet();
    loop {
        let code = match input.next()? {
            Line::Code(code) => code,
            Line::Nothing => continue,
            Line::End => return Ok(()),
        };
        if let Some(name) = code.trim().strip_prefix(DOC) {
            println!("{}", known(&session.analyst(), name));
            continue;
        }
        let mut viewer = Viewer::new(&mut screen, &mut input, &handle);
        let ended = session.run(&code, &mut viewer);
        viewer.end();
        if let Err(error) = ended {
            viewer::complain(&error);
            if !input.is_typed() {
                bail!("a cell failed, and with it everything after it");
            }
        }
    }
}

/// What is known about a name, in words.
fn known(analyst: &Analyst, name: &str) -> String {
    let known = analyst.look_up(name).and_then(|mut it| it.remove("text/plain"));
    known.unwrap_or_else(|| format!("Nothing is known about `{name}`."))
}
