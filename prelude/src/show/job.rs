//! When a job has something to say, and in which words. Knows no clock and no stream.

use serde::Serialize;

use super::interrupt::stop_line;
use super::{Front, MARK};
use crate::Error;

/// A job as its reader sees it.
pub(super) struct Job {
    front: Front,
    id: u64,
    label: String,
    unit: String,
    total: usize,
    /// How much of the work was done before the start.
    skipped: usize,
    note: String,
    /// Seconds after the start before which nothing more is said.
    quiet_until: f64,
    /// Whether a line has been said at all.
    spoken: bool,
    /// Whether the session knows that the job stops early.
    stopped: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    progress: State<'a>,
}

#[derive(Serialize)]
struct State<'a> {
    id: u64,
    label: &'a str,
    unit: &'a str,
    done: usize,
    total: usize,
    seconds: f64,
    rate: f64,
    note: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    finished: bool,
}

/// Whether a job goes on after the line that is being written.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Running,
    Finished,
}

impl Job {
    pub(super) fn new(front: Front, id: u64, label: &str, unit: &str, total: usize) -> Self {
        // The session draws a bar at once; a person need not hear of a job that takes a moment.
        let quiet_until = match front {
            Front::Lines => 0.0,
            Front::Terminal => MOMENT,
            Front::Evcxr | Front::Pipe => pause(front),
        };
        Self {
            front,
            id,
            label: label.to_owned(),
            unit: unit.to_owned(),
            total,
            skipped: 0,
            note: String::new(),
            quiet_until,
            spoken: false,
            stopped: false,
        }
    }

    /// The same job, of which nobody hears in its first moment.
    pub(super) fn quietly(self) -> Self {
        Self { quiet_until: self.quiet_until.max(MOMENT), ..self }
    }

    pub(super) fn skip(&mut self, n: usize) {
        self.skipped += n;
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn note(&mut self, text: String) {
        self.note = text;
    }

    /// The line to say `seconds` after the start, unless the last one was said just now.
    pub(super) fn line(&mut self, done: usize, seconds: f64) -> Option<String> {
        if seconds < self.quiet_until {
            return None;
        }
        self.quiet_until = seconds + pause(self.front);
        self.spoken = true;
        Some(self.words(done, seconds, Phase::Running))
    }

    /// The line that ends the job. Who heard nothing of it need not hear its end.
    pub(super) fn last_line(&self, done: usize, seconds: f64) -> Option<String> {
        self.spoken.then(|| self.words(done, seconds, Phase::Finished))
    }

    /// What the session is told when the job notices an interrupt; the second time, nothing.
    pub(super) fn stop(&mut self, done: usize) -> Option<String> {
        let known = std::mem::replace(&mut self.stopped, true);
        (!known).then(|| stop_line(self.front, &self.label, done, self.total))
    }

    /// The error of a job that stops for an interrupt.
    pub(super) fn interruption(&self, done: usize, remedy: &str) -> Error {
        Error::Interrupted {
            what: self.label.clone(),
            done,
            total: self.total,
            unit: self.unit.clone(),
            remedy: remedy.to_owned(),
        }
    }

    fn words(&self, done: usize, seconds: f64, phase: Phase) -> String {
        match self.front {
            Front::Lines => self.message(done, seconds, phase),
            Front::Evcxr | Front::Pipe => self.sentence(done, seconds, phase) + "\n",
            // In the place of the last one; a line wider than the terminal is cut off, not wrapped.
            Front::Terminal => {
                let end = if phase == Phase::Finished { "\n" } else { "" };
                format!("\r\x1b[?7l{}\x1b[K\x1b[?7h{end}", self.sentence(done, seconds, phase))
            }
        }
    }

    fn message(&self, done: usize, seconds: f64, phase: Phase) -> String {
        let progress = State {
            id: self.id,
            label: &self.label,
            unit: &self.unit,
            done,
            total: self.total,
            seconds: (seconds * 100.0).round() / 100.0,
            rate: (self.rate(done, seconds) * 100.0).round() / 100.0,
            note: &self.note,
            finished: phase == Phase::Finished,
        };
        let json = serde_json::to_string(&Message { progress }).expect("plain fields serialise");
        format!("{MARK}{json}\n")
    }

    fn sentence(&self, done: usize, seconds: f64, phase: Phase) -> String {
        let mut text = format!("{}: {done}", self.label);
        if self.total > 0 {
            let percent = 100.0 * done as f64 / self.total as f64;
            text += &format!(" of {} {} ({percent:.0} %)", self.total, self.unit);
        } else {
            text += &format!(" {}", self.unit);
        }
        text += &format!(", {}", duration(seconds));
        let rate = self.rate(done, seconds);
        if rate > 0.0 {
            let decimals = if rate < 10.0 { 1 } else { 0 };
            text += &format!(", {rate:.decimals$} {}/s", self.unit);
            if phase == Phase::Running && done < self.total {
                text += &format!(", {} left", duration((self.total - done) as f64 / rate));
            }
        }
        if !self.note.is_empty() {
            text += &format!(", {}", self.note);
        }
        text
    }

    /// Units a second since the start, without those that were skipped; 0 where nobody can say yet.
    fn rate(&self, done: usize, seconds: f64) -> f64 {
        let worked = done.saturating_sub(self.skipped) as f64;
        if seconds > 0.01 { worked / seconds } else { 0.0 }
    }
}

/// How many seconds a job may take before anybody who need not know hears of it.
const MOMENT: f64 = 1.0;

/// Seconds between two lines: ten a second are smooth on a bar, a line of text wants to be read.
fn pause(front: Front) -> f64 {
    match front {
        Front::Lines | Front::Terminal => 0.1,
        Front::Evcxr | Front::Pipe => 5.0,
    }
}

fn duration(seconds: f64) -> String {
    match seconds.round() as u64 {
        whole @ 0..60 => format!("{whole} s"),
        whole @ 60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        whole => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(front: Front) -> Job {
        Job::new(front, 7, "training", "images", 50_000)
    }

    #[test]
    fn the_session_reads_one_json_object_a_line() {
        let mut job = job(Front::Lines);
        job.note("loss 1.53".to_owned());
        assert_eq!(
            job.line(1280, 3.2).unwrap(),
            "\x1e{\"progress\":{\"id\":7,\"label\":\"training\",\"unit\":\"images\",\"done\":1280,\
             \"total\":50000,\"seconds\":3.2,\"rate\":400.0,\"note\":\"loss 1.53\"}}\n"
        );
        assert!(job.last_line(50_000, 9.0).unwrap().contains("\"finished\":true"));
    }

    #[test]
    fn the_session_hears_at_most_ten_lines_a_second_the_first_at_once() {
        let mut job = job(Front::Lines);
        let lines = (0..1000).filter_map(|i| job.line(i, i as f64 / 1000.0)).count();
        assert_eq!(lines, 10);
    }

    #[test]
    fn a_person_reads_a_sentence_every_few_seconds() {
        let mut job = job(Front::Pipe);
        job.note("loss 1.53".to_owned());
        assert_eq!(job.line(1, 4.9), None);
        assert_eq!(
            job.line(5000, 10.0).unwrap(),
            "training: 5000 of 50000 images (10 %), 10 s, 500 images/s, 1 min 30 s left, loss 1.53\n"
        );
        assert_eq!(job.line(5001, 14.9), None);
        let last = job.last_line(50_000, 4000.0).unwrap();
        assert_eq!(
            last,
            "training: 50000 of 50000 images (100 %), 1 h 06 min, 12 images/s, loss 1.53\n"
        );
    }

    #[test]
    fn a_person_hears_nothing_of_a_short_job() {
        let mut job = job(Front::Pipe);
        assert_eq!(job.line(50_000, 1.0), None);
        assert_eq!(job.last_line(50_000, 1.0), None);
    }

    #[test]
    fn a_terminal_shows_one_line_that_changes_and_keeps_the_last() {
        let mut job = job(Front::Terminal);
        assert_eq!(job.line(1, 0.9), None);
        let line = job.line(5000, 10.0).unwrap();
        assert!(line.starts_with("\r\x1b[?7ltraining: 5000 of 50000"), "{line:?}");
        assert!(line.ends_with("left\x1b[K\x1b[?7h"), "{line:?}");
        assert!(job.last_line(50_000, 100.0).unwrap().ends_with("\x1b[?7h\n"));
    }

    #[test]
    fn a_quiet_job_speaks_after_a_moment_if_it_lasts() {
        let mut job = job(Front::Lines).quietly();
        assert_eq!(
            (job.line(0, 0.0), job.line(9, 0.99), job.last_line(9, 0.99)),
            (None, None, None)
        );
        assert!(job.line(10, 1.0).is_some() && job.last_line(11, 1.1).is_some());
    }

    #[test]
    fn what_was_done_before_counts_as_done_and_not_as_speed() {
        let mut job = job(Front::Pipe);
        job.skip(40_000);
        assert_eq!(
            job.line(45_000, 10.0).unwrap(),
            "training: 45000 of 50000 images (90 %), 10 s, 500 images/s, 10 s left\n"
        );
    }

    #[test]
    fn a_job_that_stops_tells_the_session_once_and_says_how_far_it_came() {
        let mut job = job(Front::Lines);
        assert!(job.stop(7).unwrap().contains("\"done\":7,\"label\":\"training\""));
        assert_eq!(job.stop(7), None);
        let error = job.interruption(7, "Run the cell again.").to_string();
        assert_eq!(
            error,
            "interrupted: training stopped at 7 of 50000 images. Run the cell again."
        );
    }

    #[test]
    fn an_unknown_total_and_too_much_work_are_no_trouble() {
        let mut endless = Job::new(Front::Pipe, 1, "download", "bytes", 0);
        assert_eq!(endless.line(9, 6.0).unwrap(), "download: 9 bytes, 6 s, 1.5 bytes/s\n");
        let mut short = Job::new(Front::Pipe, 1, "attack", "images", 10);
        assert_eq!(
            short.line(12, 6.0).unwrap(),
            "attack: 12 of 10 images (120 %), 6 s, 2.0 images/s\n"
        );
    }
}
