//! Says what is missing on this machine or wrong, and the one command that mends it. It starts no
//! session and builds nothing, and it has an answer whatever is missing.

mod ask;
mod data;
mod gpu;
mod house;
mod jupyter;
mod report;
mod rust;
mod settings;

use std::io::IsTerminal;

use anyhow::{Result, ensure};

use self::report::{Finding, State, table};

/// Examines everything and prints it.
///
/// # Errors
/// If something is missing without which no cell can run or no notebook can be opened.
pub fn examine() -> Result<()> {
    let rooms = [
        rust::examine(),
        jupyter::examine(),
        house::examine(),
        data::examine(),
        settings::examine(),
        gpu::examine(),
    ];
    let findings: Vec<Finding> = rooms.into_iter().flatten().collect();
    print!("{}", table(&findings, std::io::stdout().is_terminal()));
    let missing = findings.iter().filter(|finding| finding.state == State::Missing).count();
    ensure!(missing == 0, "{missing} of the lines above must be mended before notebooks can run");
    println!("\nnothing essential is missing");
    Ok(())
}

/// This program as the user called it, so that what we advise can be typed as it is.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "erm".to_owned())
}
