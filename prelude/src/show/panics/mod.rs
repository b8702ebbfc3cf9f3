//! Panics as reports that a session can read: what was said, where, and in which of the user's
//! functions.

mod trace;

use std::panic::{self, PanicHookInfo};
use std::path::Path;
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
    let symbols = trace::functions(may_be_the_users);
    let frames = users_frames(symbols.iter().map(String::as_str));
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

/// Whether a library holds functions of the user or of the prelude: evcxr calls those of cells
/// `libcode_<n>`. The others are large, and nobody reads their names.
fn may_be_the_users(library: &Path) -> bool {
    let name = library.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("libcode_") || name.starts_with("liberm.")
}

/// The functions of a trace that its reader wrote or called, the innermost first.
///
/// Of functions of the prelude that call one another only the outermost stays: the one that was
/// called. What Rust, rayon and evcxr do in between is left out.
fn users_frames<'a>(symbols: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut kept: Vec<(Origin, String)> = Vec::new();
    for symbol in symbols {
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

    fn users(symbols: &[&str]) -> Vec<String> {
        users_frames(symbols.iter().copied())
    }

    #[test]
    fn only_the_users_functions_and_what_they_called_are_left() {
        let symbols = [
            "erm::show::panics::trace::functions",
            "erm::show::panics::report",
            "std::panicking::panic_with_hook",
            "erm::engine::conv::forward",
            "rayon_core::join::join_context",
            "erm::train::trainer::<impl erm::net::Net>::train",
            "<ctx::Teacher as core::ops::Fn>::call",
            "ctx::double::{{closure}}",
            "core::iter::traits::iterator::Iterator::for_each",
            "ctx::double",
            "ctx::run_user_code_3::{closure#0}::{closure#1}",
            "std::panicking::catch_unwind",
            "run_user_code_3",
        ];
        assert_eq!(
            users(&symbols),
            [
                "erm::train::trainer::<impl erm::net::Net>::train",
                "<Teacher as core::ops::Fn>::call",
                "double",
                "run_user_code_3"
            ]
        );
    }

    #[test]
    fn what_evcxr_generates_is_left_out() {
        let symbols = [
            "ctx::evcxr_internal_runtime::VariableStore::take_variable",
            "<ctx::EvcxrUserCodeError as core::convert::From<T>>::from",
            "run_user_code_9",
        ];
        assert_eq!(users(&symbols), ["run_user_code_9"]);
    }

    #[test]
    fn only_cells_and_the_prelude_are_searched_for_names() {
        let is_read = |path: &str| may_be_the_users(Path::new(path));
        assert!(is_read("/work/target/debug/libcode_3.so") && is_read("/deps/liberm.so"));
        assert!(!is_read("/usr/lib/libc.so.6") && !is_read("/usr/bin/erm") && !is_read(""));
    }
}
