//! What crosses the border between the program and the prelude: real sessions, driven through the
//! built binary as a user drives it.

/// The notebooks and the README: what is committed, and that it runs. Tests start in the order of their
/// names, and this one takes longest: it computes while the others wait for the compiler.
mod all_notebooks;
/// `erm bench`: what reaches the bench, and where it cannot run.
mod bench;
/// JupyterLab in a real browser, used as a person uses it.
mod browser;
/// What cells share and what they may add: statics, gradients, crates of one's own.
mod cells;
/// `erm doctor`: what it finds, whatever is missing.
mod doctor;
/// The kernel through the Jupyter protocol, with Jupyter's own client.
mod jupyter;
/// Registering the kernel and taking it away.
mod registry;
/// `erm repl`: through a pipe, and on a terminal.
mod repl;
/// `erm run`: outputs, counts, failures, wrong files and arguments.
mod runs;
/// One session: its streams, its failures, its interrupts, and what it leaves behind.
mod session;
/// The notebooks in evcxr's own kernel.
mod stock;
/// Notebooks to run, and what became of them.
mod support;
