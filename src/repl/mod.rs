//! A session in a terminal: cells are typed, or come through a pipe, and run one after the other.

mod editor;
mod input;
mod viewer;

use std::cell::RefCell;
use std::env;
use std::rc::Rc;

use anyhow::{Result, bail};

use self::input::{Input, Line};
use self::viewer::Viewer;
use crate::notebook::{Screen, interrupt};
use crate::session::{Session, Surroundings};

/// Runs what is typed until the input ends. Through a pipe the first cell that fails is the last.
pub fn converse() -> Result<()> {
    let folder = env::current_dir()?;
    let mut screen = Screen::new();
    let around = Surroundings { folder: &folder, variables: &[] };
    let started = Session::start(&around, &mut |warmth| screen.warm_up(&warmth));
    screen.settle();
    let session = Rc::new(RefCell::new(started?));
    let handle = session.borrow().handle();
    let mut input = Input::open(session.clone())?;
    // The editor takes Ctrl-C for itself, so we listen after it, and both hear it.
    interrupt::watch(handle.clone())?;
    input.greet();
    loop {
        let code = match input.next()? {
            Line::Code(code) => code,
            Line::Nothing => continue,
            Line::End => return Ok(()),
        };
        let mut viewer = Viewer::new(&mut screen, &mut input, &handle);
        let ended = session.borrow_mut().run(&code, &mut viewer);
        viewer.end();
        if let Err(error) = ended {
            viewer::complain(&error);
            if !input.is_typed() {
                bail!("a cell failed, and with it everything after it");
            }
        }
    }
}
