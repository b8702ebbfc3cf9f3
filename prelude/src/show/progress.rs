//! A long job that says how far it is.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::job::Job;
use super::{Front, say};

/// Numbers the jobs of a session. All cells share it, since the prelude is one dynamic library.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// How far a long job is, told to whoever watches; dropping it says that the job is over.
///
/// Several threads may advance one `Progress`.
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
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let job = Job::new(Front::of_this_process(), id, label, unit, total);
        let progress =
            Self { start: Instant::now(), done: AtomicUsize::new(0), job: Mutex::new(job) };
        progress.advance(0);
        progress
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
