//! A long job that says how far it is.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::job::Job;
use super::{Front, interrupted, say};
use crate::Result;

/// Numbers the jobs of a session. All cells share it, since the prelude is one dynamic library.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// How far a long job is, told to whoever watches; dropping it says that the job is over.
///
/// Several threads may advance one `Progress`.
///
/// ```
/// # fn cell() -> erm::Result<()> {
/// use erm::prelude::*;
/// let progress = Progress::start("summing", "numbers", 1000);
/// let mut sum = 0;
/// for number in 0..1000 {
///     progress.check_interrupt()?;
///     sum += number;
///     progress.advance(1);
/// }
/// # Ok(())
/// # }
/// # cell().unwrap();
/// ```
pub struct Progress {
    start: Instant,
    done: AtomicUsize,
    job: Mutex<Job>,
}

impl Progress {
    /// Starts a job of `total` units of work, such as `("training", "images", 50_000)`.
    ///
    /// A `total` of 0 means that nobody knows how much there is to do.
    pub fn start(label: &str, unit: &str, total: usize) -> Self {
        Self::of(job(label, unit, total))
    }

    /// Starts a job that is often over in a moment: nothing is said of it in its first second.
    pub fn start_quietly(label: &str, unit: &str, total: usize) -> Self {
        Self::of(job(label, unit, total).quietly())
    }

    fn of(job: Job) -> Self {
        let progress =
            Self { start: Instant::now(), done: AtomicUsize::new(0), job: Mutex::new(job) };
        progress.advance(0);
        progress
    }

    /// Counts `n` units that were done before the job started, as those of an interrupted run that
    /// goes on; they say nothing of its speed.
    pub fn skip(&self, n: usize) {
        self.job().skip(n);
        self.advance(n);
    }

    /// Reports `n` more units as done; cheap enough to call for every one.
    pub fn advance(&self, n: usize) {
        self.done.fetch_add(n, Ordering::Relaxed);
        // Whoever holds the job is about to say almost the same: no worker waits for it.
        if let Ok(mut job) = self.job.try_lock() {
            let line = job.line(self.done(), self.seconds());
            line.as_deref().into_iter().for_each(say);
        }
    }

    /// Sets the remark shown beside the bar, such as "loss 1.53".
    pub fn note(&self, text: impl Into<String>) {
        self.job().note(text.into());
    }

    /// An error that says how far the job came, if the user has interrupted the cell that runs.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted), if so.
    pub fn check_interrupt(&self) -> Result<()> {
        self.stop_if_interrupted("Run the cell again to do all of it, or go on without it.")
    }

    /// [`Progress::check_interrupt`], where there is something else to do next.
    pub(crate) fn stop_if_interrupted(&self, remedy: &str) -> Result<()> {
        if !interrupted() {
            return Ok(());
        }
        let (done, mut job) = (self.done(), self.job());
        job.stop(done).as_deref().into_iter().for_each(say);
        Err(job.interruption(done, remedy))
    }

    /// The number of this job in its session: 1, 2, 3 …
    pub fn id(&self) -> u64 {
        self.job().id()
    }

    /// The units of work done so far.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// The job, even if a worker panicked while it spoke: its words are still worth hearing.
    fn job(&self) -> MutexGuard<'_, Job> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn job(label: &str, unit: &str, total: usize) -> Job {
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    Job::new(Front::of_this_process(), id, label, unit, total)
}

impl Drop for Progress {
    fn drop(&mut self) {
        let line = self.job().last_line(self.done(), self.seconds());
        line.as_deref().into_iter().for_each(say);
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Progress(job {}, {} done, {:.1} s)", self.id(), self.done(), self.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_of_a_session_has_a_later_number() {
        let first = Progress::start("one", "images", 1);
        let second = Progress::start("two", "images", 1);
        assert!(second.id() > first.id());
    }

    #[test]
    fn all_threads_advance_one_job_and_nothing_is_lost() {
        let progress = Progress::start("attack", "images", 4000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| progress.advance(1)));
            }
        });
        assert_eq!(progress.done(), 4000);
    }
}
