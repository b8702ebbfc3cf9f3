//! The paper's experiments one after the other, at its scale or the demo's, as far as the time goes:
//!
//! ```text
//! cargo run --release -p erm-prelude --example paper_scale -- --scale paper --net resnet18 --minutes 30
//! ```
//! The same command goes on where the last one stopped, at the very batch, and ends with the same numbers as
//! one that was given all the time. Nets and sets lie in the cache folder, those under way too; each stage
//! has a record, which says what came out and how long it took. `--help` tells the options.
//!
//! Teachers have the seed 1, students 2, the targets of D_rand 7, as in the notebooks.

mod arguments;
mod experiment;
mod made;
mod results;
mod settings;
mod stage;
mod summary;

use arguments::Arguments;
use erm::prelude::*;
use experiment::Experiment;
use stage::Stage;

fn main() -> Result<()> {
    let Some(arguments) = Arguments::parse(std::env::args().skip(1))? else {
        println!("{}", arguments::USAGE);
        return Ok(());
    };
    arguments.set_the_clock();
    let experiment = Experiment::of(&arguments)?;
    println!("{experiment}");
    let mut records = Vec::new();
    for stage in &arguments.stages {
        match experiment.record(*stage) {
            Ok(record) => records.push((*stage, record)),
            Err(Error::Interrupted { what, done, total, unit, .. }) => {
                if !records.is_empty() {
                    println!("{}", summary::table(experiment.data(), &records));
                }
                println!("{stage}: {what} stopped at {done} of {total} {unit}.");
                println!("{}", how_to_go_on(&arguments.stages[records.len()..]));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    println!("{}\nAll stages are finished.", summary::table(experiment.data(), &records));
    Ok(())
}

fn how_to_go_on(stages: &[Stage]) -> String {
    let names: Vec<&str> = stages.iter().map(|stage| stage.name()).collect();
    format!("Not finished: {}. The same command goes on there.", names.join(", "))
}
