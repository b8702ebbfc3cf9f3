//! Whether the user has asked the running cell to stop.

use std::env;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{Front, escape, say, stop};
use crate::{Error, Result};

/// The variable that says where in this process the flag lies: `0x7f…`.
const VARIABLE: &str = "ERM_INTERRUPT";

/// Whether the user has interrupted the cell that runs. It stays so until the next cell begins, so
/// that whatever else the cell would start stops at once, too.
///
/// Outside Erm's kernel an interrupt ends the process, and this is false, unless the program has asked for
/// something else with [`stop_after`](super::stop_after) or [`stop_on_signals`](super::stop_on_signals).
pub fn interrupted() -> bool {
    #[cfg(test)]
    if let Some(answer) = tests::answer() {
        return answer;
    }
    flag().is_some_and(|flag| flag.load(Ordering::Relaxed) != 0) || stop::has_come()
}

/// An error if the user has interrupted the cell that runs: for the loops of a cell's own.
///
/// ```
/// # fn cell() -> erm::Result<()> {
/// use erm::show;
/// let mut sum = 0;
/// for number in 0..1000 {
///     show::check_interrupt()?;
///     sum += number;
/// }
/// # Ok(())
/// # }
/// # cell().unwrap();
/// ```
/// A loop with a [`Progress`](super::Progress) asks that, which says how far it came.
///
/// # Errors
/// [`Error::Interrupted`], if so.
pub fn check_interrupt() -> Result<()> {
    if !interrupted() {
        return Ok(());
    }
    let what = "the cell's loop";
    say(&stop_line(Front::of_this_process(), what, 0, 0));
    Err(Error::Interrupted {
        what: what.into(),
        done: 0,
        total: 0,
        unit: String::new(),
        remedy: "Run the cell again, or go on with what the loop has made so far.".into(),
    })
}

/// Tells the session that a job has noticed the interrupt and stops.
pub(super) fn stop_line(front: Front, label: &str, done: usize, total: usize) -> String {
    match front {
        Front::Lines => {
            escape(&json!({ "interrupted": { "label": label, "done": done, "total": total } }))
        }
        // The error says it all.
        _ => String::new(),
    }
}

/// Remembers the flag, and takes its address out of the environment, where a program that a cell
/// starts would find it and take it for its own.
pub(super) fn keep_flag() {
    flag();
    // SAFETY: cells run one at a time, this is the first one, it has started no thread, and those of
    // the program around it ask for no variable.
    unsafe { env::remove_var(VARIABLE) };
}

fn flag() -> Option<&'static AtomicUsize> {
    static FLAG: OnceLock<Option<&'static AtomicUsize>> = OnceLock::new();
    *FLAG.get_or_init(|| {
        let address = address(&env::var(VARIABLE).ok()?)?;
        // SAFETY: the program around the cells put the address of a static of its own there, which
        // lives as long as the process.
        Some(unsafe { AtomicUsize::from_ptr(address as *mut usize) })
    })
}

/// `0x7f00` → 0x7f00, if a `usize` can lie there.
fn address(text: &str) -> Option<usize> {
    let address = usize::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
    (address != 0 && address.is_multiple_of(align_of::<usize>())).then_some(address)
}

#[cfg(test)]
pub(crate) use tests::{interrupted_after, killed_after};

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    thread_local! {
        /// How often work on this thread may still ask before something happens to it.
        static LEFT: Cell<Option<(usize, Event)>> = const { Cell::new(None) };
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Event {
        Interrupt,
        Kill,
    }

    /// Does some work that finds itself interrupted after it has asked so many times.
    pub(crate) fn interrupted_after<T>(questions: usize, work: impl FnOnce() -> T) -> T {
        LEFT.set(Some((questions, Event::Interrupt)));
        let result = work();
        LEFT.set(None);
        result
    }

    /// Does some work that dies when it has asked so many times, as if its process had been killed.
    pub(crate) fn killed_after<T>(questions: usize, work: impl FnOnce() -> T) {
        LEFT.set(Some((questions, Event::Kill)));
        let ended = catch_unwind(AssertUnwindSafe(work));
        LEFT.set(None);
        assert!(ended.is_err(), "it was over before it had asked {questions} times");
    }

    pub(super) fn answer() -> Option<bool> {
        let (left, event) = LEFT.get()?;
        LEFT.set(Some((left.saturating_sub(1), event)));
        if left == 0 && event == Event::Kill {
            resume_unwind(Box::new("killed"));
        }
        Some(left == 0)
    }

    #[test]
    fn an_address_is_hexadecimal_and_one_where_a_number_can_lie() {
        assert_eq!(address("0x7f00"), Some(0x7f00));
        for wrong in ["", "7f00", "0x", "0x0", "0x7f01", "0xg0"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nobody_is_interrupted_without_a_flag() {
        assert!(!interrupted());
        check_interrupt().unwrap();
    }

    #[test]
    fn a_loop_stops_where_it_asks_and_an_interrupt_lasts() {
        let (mut done, error) =
            (0, interrupted_after(3, || (0..10).try_for_each(|_| check_interrupt()).unwrap_err()));
        interrupted_after(3, || {
            while check_interrupt().is_ok() {
                done += 1;
            }
            assert!(interrupted() && interrupted());
        });
        assert_eq!(done, 3);
        assert!(error.to_string().contains("Run the cell again"), "{error}");
    }

    #[test]
    fn the_session_hears_who_stops_and_nobody_else_does() {
        assert_eq!(
            stop_line(Front::Lines, "training on X", 3, 9),
            "\x1e{\"interrupted\":{\"done\":3,\"label\":\"training on X\",\"total\":9}}\n"
        );
        assert_eq!(stop_line(Front::Terminal, "training on X", 3, 9), "");
    }
}
