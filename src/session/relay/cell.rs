//! What is set up in a cell process before evcxr's part of it begins.

use std::env;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use signal_hook::consts::SIGINT;

use super::standard_input;

/// The variable that tells the prelude where in memory the flag of an interrupt is.
const INTERRUPT: &str = "ERM_INTERRUPT";

/// Prepares this process, in which no other thread runs yet.
pub fn prepare() -> io::Result<()> {
    end_with_the_supervisor()?;
    unbuffer_c();
    let interrupt = Arc::new(AtomicUsize::new(0));
    signal_hook::flag::register_usize(SIGINT, Arc::clone(&interrupt), 1)?;
    let address = format!("{:#x}", Arc::as_ptr(&interrupt).addr());
    // SAFETY: this is the first thing the process does, so no other thread runs yet.
    unsafe {
        env::set_var(INTERRUPT, address);
        // evcxr asks for a trace of every panic; it takes a while to make and names generated code.
        env::set_var("RUST_BACKTRACE", "0");
    }
    standard_input::serve(interrupt)
}

#[cfg(target_os = "linux")]
fn end_with_the_supervisor() -> io::Result<()> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have died before it was asked for.
    if getppid().is_none_or(|parent| parent.is_init()) {
        std::process::exit(0);
    }
    Ok(())
}

/// Elsewhere the end of standard input is what ends this process.
#[cfg(not(target_os = "linux"))]
fn end_with_the_supervisor() -> io::Result<()> {
    Ok(())
}

/// C keeps what `printf` writes to a pipe until there are some kilobytes of it; cells want to see
/// it at once.
#[cfg(target_os = "linux")]
fn unbuffer_c() {
    unsafe extern "C" {
        static mut stdout: *mut libc::FILE;
    }
    // SAFETY: nobody has used C's standard output yet, and it needs no buffer of ours.
    unsafe { libc::setvbuf(stdout, std::ptr::null_mut(), libc::_IONBF, 0) };
}

#[cfg(not(target_os = "linux"))]
fn unbuffer_c() {}
