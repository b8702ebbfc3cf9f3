//! What interrupts a program that has no front end to do it: the clock, or a signal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When this process is to be interrupted, if it is.
static DEADLINE: Deadline = Deadline(Mutex::new(None));
/// Whether a signal has come.
static SIGNALLED: AtomicBool = AtomicBool::new(false);

/// Interrupts whatever this process does from now on when `time` has passed, as a user would: long jobs
/// stop where they next ask, and keep what they have done. For a machine that is lent by the minute.
///
/// A second call puts another time in the place of the first.
///
/// ```standalone_crate
/// use erm::show;
/// use std::time::Duration;
/// show::stop_after(Duration::from_secs(1800));
/// assert!(show::check_interrupt().is_ok());
/// show::stop_after(Duration::ZERO);
/// assert!(show::check_interrupt().is_err());
/// ```
pub fn stop_after(time: Duration) {
    DEADLINE.set(Instant::now(), time);
}

/// Has an interrupt from the keyboard (Ctrl-C), or a request to end (`SIGTERM`), interrupt long jobs like
/// [`stop_after`]. The second one ends the process at once.
///
/// It is for programs: a kernel has its own way.
///
/// ```standalone_crate
/// use erm::show;
/// show::stop_on_signals();
/// assert!(!show::interrupted());
/// # #[cfg(unix)]
/// # assert_eq!(unsafe { libc::raise(libc::SIGINT) }, 0);
/// # #[cfg(unix)]
/// assert!(show::interrupted()); // after a Ctrl-C
/// ```
pub fn stop_on_signals() {
    #[cfg(unix)]
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the structure is plain numbers, of which zeros stand for nothing special; the handler
        // does nothing but store to an atomic, which a handler may.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let handler: extern "C" fn(libc::c_int) = signalled;
            action.sa_sigaction = handler as libc::sighandler_t;
            action.sa_flags = libc::SA_RESETHAND | libc::SA_RESTART;
            // It fails only for numbers that are no signals.
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

/// Whether one of them has come.
pub(super) fn has_come() -> bool {
    SIGNALLED.load(Ordering::Relaxed) || DEADLINE.has_passed(Instant::now())
}

#[cfg(unix)]
extern "C" fn signalled(_: libc::c_int) {
    SIGNALLED.store(true, Ordering::Relaxed);
}

/// A time that may have been set.
struct Deadline(Mutex<Option<Instant>>);

impl Deadline {
    /// A time too far away to be written down never comes.
    fn set(&self, now: Instant, time: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now.checked_add(time);
    }

    fn has_passed(&self, now: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|end| now >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_at_its_time_and_not_before() {
        let (deadline, now) = (Deadline(Mutex::new(None)), Instant::now());
        let [second, minute] = [1, 60].map(Duration::from_secs);
        assert!(!deadline.has_passed(now + minute), "nobody has set one");
        deadline.set(now, minute);
        assert!(!deadline.has_passed(now + minute - second));
        assert!(deadline.has_passed(now + minute) && deadline.has_passed(now + 2 * minute));
        deadline.set(now, 3 * minute);
        assert!(!deadline.has_passed(now + 2 * minute), "another one is in its place");
        deadline.set(now, Duration::MAX);
        assert!(!deadline.has_passed(now + 3 * minute));
    }

    #[test]
    fn nothing_comes_by_itself() {
        assert!(!has_come());
    }
}
