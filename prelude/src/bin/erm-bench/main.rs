//! Erm's speed beside PyTorch's, as one table: the same net, the same work, the same minute.
//!
//! ```text
//! cargo run --release -p erm-prelude --bin erm-bench -- --widths 16,32 --python .venv/bin/python
//! ```
//!
//! A machine's speed wanders by a third from minute to minute, so rounds alternate: ours, then each of
//! PyTorch's configurations, then ours again. Every figure is a median over the rounds. While one side
//! measures the others are blocked: PyTorch and cells wait for a line, our threads for work.

mod arguments;
mod cell;
mod measure;
mod memory;
mod peer;
mod report;

use arguments::Arguments;
use cell::Cell;
use erm::Result;
use measure::{Figures, Others};
use peer::Peer;

fn main() -> Result<()> {
    let Some(arguments) = Arguments::parse(std::env::args().skip(1))? else {
        println!("{}", arguments::USAGE);
        return Ok(());
    };
    let threads = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global();
    threads.expect("nothing has used the threads yet");
    let mut peer = Peer::start(&arguments);
    let cell = arguments.erm.as_deref().map(|erm| Cell::start(&arguments, erm));
    let mut cell = cell.transpose()?;
    let others = Others { peer: peer.as_mut().ok(), cell: cell.as_mut() };
    let figures = Figures::measure(&arguments, others)?;
    println!("{}", report::table(&arguments, &figures, &peer));
    match &arguments.json {
        Some(path) => report::record(&arguments, &figures, &peer, path),
        None => Ok(()),
    }
}
