//! Panics as reports that a session can read: what was said, where, and in which of the user's
//! functions.

use std::backtrace::Backtrace;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;
use std::thread::{self, ThreadId};

use serde_json::json;

use super::{escape, say};

/// Sends a report of every panic from now on, instead of what Rust writes to standard error; the
/// calling thread is the one in which cells run.
pub(super) fn report_them() {
    static ONCE: Once = Once::new();
    let cells = thread::current().id();
    ONCE.call_once(|| panic::set_hook(Box::new(move |info| say(&report(info, cells)))));
}

fn report(info: &PanicHookInfo<'_>, cells: ThreadId) -> String {
    let frames = users_frames(&Backtrace::force_capture().to_string());
    let message = info.payload_as_str().unwrap_or("a value that is no text");
    let (file, line, column) =
        info.location().map_or(("", 0, 0), |place| (place.file(), place.line(), place.column()));
    let mut panic = json!({
        "message": message, "file": file, "line": line, "column": column, "frames": frames,
    });
    let thread = thread::current();
    if thread.id() != cells {
        panic["thread"] = json!(thread.name().unwrap_or("unnamed"));
    }
    escape(&json!({ "panic": panic }))
}

/// The functions of a backtrace that its reader wrote or called, the innermost first.
///
/// Of functions of the prelude that call one another only the outermost stays: the one that was
/// called. What Rust, rayon and evcxr do in between is left out.
fn users_frames(backtrace: &str) -> Vec<String> {
    let mut kept: Vec<(Origin, String)> = Vec::new();
    for symbol in backtrace.lines().filter_map(symbol) {
        let Some(origin) = Origin::of(symbol) else { continue };
        let name = outer_function(symbol).replace("ctx::", "");
        match kept.last_mut() {
            Some((Origin::Prelude, last)) if origin == Origin::Prelude => *last = name,
            Some((_, last)) if *last == name => {}
            _ => kept.push((origin, name)),
        }
    }
    kept.into_iter().map(|(_, name)| name).collect()
}

/// `  12: ctx::double` → `ctx::double`; lines that say where it stands are none.
fn symbol(line: &str) -> Option<&str> {
    let (number, symbol) = line.trim_start().split_once(": ")?;
    number.parse::<usize>().ok()?;
    Some(symbol.trim())
}

/// Who wrote a function.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    /// The user, in a cell.
    Cell,
    Prelude,
}

impl Origin {
    fn of(symbol: &str) -> Option<Self> {
        let path = symbol.trim_start_matches('<');
        let generated = ["ctx::evcxr_", "ctx::EvcxrUserCodeError", "erm::show::panics::"];
        if generated.iter().any(|name| path.starts_with(name)) {
            None
        } else if path.starts_with("ctx::") || path.starts_with("run_user_code_") {
            Some(Self::Cell)
        } else if path.starts_with("erm::") {
            Some(Self::Prelude)
        } else {
            None
        }
    }
}

/// `ctx::double::{{closure}}` → `ctx::double`, in both ways in which compilers write it.
fn outer_function(symbol: &str) -> &str {
    let end = ["::{{closure}}", "::{closure#"].iter().filter_map(|mark| symbol.find(mark)).min();
    &symbol[..end.unwrap_or(symbol.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_functions_and_what_they_called_are_left() {
        let backtrace = "   0: std::backtrace::Backtrace::force_capture
   1: erm::show::panics::report
   2: std::panicking::panic_with_hook
             at /rustc/1/library/std/src/panicking.rs:833:13
   3: erm::engine::conv::forward
   4: rayon_core::join::join_context
   5: erm::train::trainer::<impl erm::net::Net>::train
   6: <ctx::Teacher as core::ops::Fn>::call
   7: ctx::double::{{closure}}
   8: core::iter::traits::iterator::Iterator::for_each
   9: ctx::double
  10: ctx::run_user_code_3::{closure#0}::{closure#1}
  11: std::panicking::catch_unwind
  12: run_user_code_3
  13: evcxr::runtime::Runtime::run_loop
  14: main";
        assert_eq!(
            users_frames(backtrace),
            [
                "erm::train::trainer::<impl erm::net::Net>::train",
                "<Teacher as core::ops::Fn>::call",
                "double",
                "run_user_code_3"
            ]
        );
    }

    #[test]
    fn the_crate_of_every_cell_keeps_generated_code_to_itself() {
        let backtrace = "  0: ctx::evcxr_internal_runtime::VariableStore::take_variable
  1: <ctx::EvcxrUserCodeError as core::convert::From<T>>::from
  2: run_user_code_9";
        assert_eq!(users_frames(backtrace), ["run_user_code_9"]);
        assert!(users_frames("disabled backtrace").is_empty());
    }
}
