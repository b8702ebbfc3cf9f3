//! Erm runs notebooks in Rust: in Jupyter as a kernel, and headless from the command line.
//!
//! # The house
//!
//! One way in, and each room knows only the rooms below it:
//!
//! | room | what it knows | what it never does |
//! |---|---|---|
//! | `main.rs` | the command line, one line a verb | any work itself |
//! | `lab/` | Jupyter's registry of kernels, Python environments | speak a wire protocol |
//! | `bench.rs` | how the prelude's bench is started | measure anything itself |
//! | `doctor/` | what everything needs, and how to mend what is missing | build or start anything |
//! | `kernel/` | the Jupyter wire protocol | compile a cell |
//! | `repl/` | a terminal: an editor, its keys, its history | read or write a notebook |
//! | `notebook/` | `.ipynb` files: read, run top to bottom, show a run, write | open a socket |
//! | `session/` | one evcxr context: warm-up, a cell, its stream of outputs | know Jupyter or files |
//!
//! What cells use lives in the crate in `prelude/`. This program does not link it: it is built, for
//! cells, by the compiler on the user's machine, with the versions in `Cargo.lock`.
//!
//! # How a cell runs
//!
//! evcxr turns a cell into a small crate, has cargo build it as a dynamic library and sends the
//! library's path to the process that it has started for this, the *supervisor*. That one keeps the
//! *cell process*, which loads the library and calls it. Both are this same binary: the environment
//! says so, and [`session::relay::install`] and [`evcxr::runtime_hook`] see it before anything else
//! happens. All cells link one `liberm.so`, so every static of the prelude and of what it uses
//! exists once; a cell that links a copy of its own would number tensors anew.
//!
//! The supervisor puts what a cell writes to its two streams into one stream of escape lines,
//! `\x1e` and JSON, in order and with nothing lost: text, values, panics. The prelude reports
//! progress in the same way. `session/` reads them and streams a cell's [`session::Output`]s. An
//! interrupt sets a flag in the cell process, which every long loop of the prelude looks at.
//!
//! # Who knows what a cell means
//!
//! A cell should run as soon as the kernel is there, and cost one short run of the compiler. So evcxr
//! sees neither the prelude nor the standard library: its cargo has no dependency to look at, since
//! `session/crates.rs` builds those and tells the compiler where they are, and its rust-analyzer has
//! nothing to read. The types that evcxr needs in order to keep variables are told to it with the
//! cell (`session/given.rs`). They come from a rust-analyzer of our own in a thread of its own
//! (`session/analyst/`), which also completes names and looks them up, even while a cell runs; until
//! it has read its sources, the compiler is asked instead.
//!
//! # What is kept on disk
//!
//! `<cache>/template-<key>` holds the prelude, built once for a compiler, versions and flags. A
//! session works in a clone of it, `<cache>/sessions/<pid>-<n>`, made of hard links where files are
//! never written in place, and removed at the end, or at the next start if there was no end.
//! `<cache>/history.jsonl` remembers the cells that the kernel ran.
#![deny(missing_docs)]

mod bench;
mod doctor;
mod kernel;
mod lab;
mod notebook;
mod repl;
mod session;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

/// Rust notebooks that walk through "Adversarial Examples Are Not Bugs, They Are Features".
#[derive(Parser)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// How evcxr's own kernel learns of the file that describes the connection.
    #[arg(long = "control_file", value_name = "FILE", hide = true)]
    control_file: Option<PathBuf>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Run a notebook from top to bottom, without Jupyter, and write it with its outputs.
    Run {
        /// The notebook; without one, every notebook of the walkthrough in order.
        notebook: Option<PathBuf>,
        /// The data set to use; without it, CIFAR-10 where it is at hand, else See-Far. Restricted ImageNet
        /// is read from the folder that ERM_IMAGENET names, which holds train/ and val/.
        #[arg(long)]
        data: Option<DataSet>,
        /// How large the experiments are: minutes on a laptop, or as in the paper.
        #[arg(long)]
        scale: Option<Scale>,
        /// Write the executed notebook here instead of in place.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Open the notebooks in JupyterLab, which is installed first if there is none.
    Lab {
        /// Passed on to JupyterLab.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Serve a connection of Jupyter, which starts this by itself once the kernel is registered.
    Kernel {
        /// The file in which Jupyter describes the connection.
        #[arg(long, value_name = "FILE")]
        connection: PathBuf,
        /// Serve it with evcxr's own kernel instead of ours.
        #[arg(long)]
        stock: bool,
    },
    /// Register the kernel with Jupyter.
    Install {
        /// The environment to register it in, such as `$CONDA_PREFIX`; else it is for this user.
        #[arg(long, value_name = "FOLDER")]
        prefix: Option<PathBuf>,
    },
    /// Take the kernel away from Jupyter.
    Uninstall {
        /// The environment in which it was registered.
        #[arg(long, value_name = "FOLDER")]
        prefix: Option<PathBuf>,
    },
    /// Run cells in the terminal, as they are typed or as they come through a pipe.
    Repl,
    /// Say what is missing on this machine, and the command that mends it.
    Doctor,
    /// Build now what cells need, so that nothing has to wait for it later.
    Warm,
    /// Measure Erm's speed beside PyTorch's: the same nets, the same work, in one run.
    Bench {
        /// Where nets run; on a GPU in f32 and with TF32's products, beside PyTorch eager and compiled.
        #[arg(long, default_value = "cpu")]
        device: bench::Device,
        /// Passed on to the bench: `erm bench -- --help` says what it takes.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum DataSet {
    Cifar10,
    SeeFar,
    RestrictedImagenet,
}

#[derive(Clone, Copy, ValueEnum)]
enum Scale {
    Demo,
    Paper,
}

fn main() -> ExitCode {
    // A cell process goes no further than the next two lines.
    let relayed = session::relay::install();
    evcxr::runtime_hook();
    session::forget_own_package();
    match relayed.map_err(anyhow::Error::from).and_then(|()| obey(Arguments::parse())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn obey(arguments: Arguments) -> Result<()> {
    let has_session = matches!(
        &arguments.verb,
        Some(Verb::Run { .. } | Verb::Repl | Verb::Kernel { stock: false, .. })
    );
    if has_session {
        session::hide_library();
    }
    match arguments.verb {
        Some(Verb::Run { notebook, data, scale, out }) => {
            let variables = [setting("ERM_DATASET", data), setting("ERM_SCALE", scale)];
            let variables = variables.into_iter().flatten().collect();
            notebook::run(&notebook::Order { notebook, out, variables })
        }
        Some(Verb::Lab { arguments }) => lab::open(&arguments),
        Some(Verb::Install { prefix }) => lab::install(prefix.as_deref()),
        Some(Verb::Uninstall { prefix }) => lab::uninstall(prefix.as_deref()),
        Some(Verb::Repl) => repl::converse(),
        Some(Verb::Doctor) => doctor::examine(),
        Some(Verb::Warm) => lab::warm_up(),
        Some(Verb::Bench { device, arguments }) => bench::measure(device, &arguments),
        Some(Verb::Kernel { connection, stock: true }) => kernel::start_stock(&connection),
        Some(Verb::Kernel { connection, stock: false }) => kernel::serve(&connection),
        None => kernel::serve_stock(),
    }
}

/// A choice on the command line as the variable by which cells learn of it.
fn setting<T: ValueEnum>(name: &'static str, choice: Option<T>) -> Option<(&'static str, String)> {
    Some((name, choice?.to_possible_value()?.get_name().to_owned()))
}
