//! When a job has something to say, and in which words. Knows no clock and no stream.

use serde::Serialize;

use super::{Front, MARK};

/// A job as its reader sees it.
pub(super) struct Job {
    front: Front,
    id: u64,
    label: String,
    unit: String,
    total: usize,
    note: String,
    /// Seconds after the start before which nothing more is said.
    quiet_until: f64,
    /// Whether a line has been said at all.
    spoken: bool,
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
        // The runner draws a bar at once; a person need not hear of a job that takes a moment.
        let quiet_until = match front {
            Front::Lines => 0.0,
            Front::Plain => pause(front),
        };
        Self {
            front,
            id,
            label: label.to_owned(),
            unit: unit.to_owned(),
            total,
            note: String::new(),
            quiet_until,
            spoken: false,
        }
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

    /// The line that ends the job. A person who heard nothing of it need not hear its end.
    pub(super) fn last_line(&self, done: usize, seconds: f64) -> Option<String> {
        let wanted = self.spoken || self.front == Front::Lines;
        wanted.then(|| self.words(done, seconds, Phase::Finished))
    }

    fn words(&self, done: usize, seconds: f64, phase: Phase) -> String {
        match self.front {
            Front::Lines => self.message(done, seconds, phase),
            Front::Plain => self.sentence(done, seconds, phase),
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
        if phase == Phase::Running && 0 < done && done < self.total {
            let left = seconds / done as f64 * (self.total - done) as f64;
            text += &format!(", {} left", duration(left));
        }
        if !self.note.is_empty() {
            text += &format!(", {}", self.note);
        }
        text + "\n"
    }
}

/// Seconds between two lines: ten a second are smooth on a bar, a line of text wants to be read.
fn pause(front: Front) -> f64 {
    match front {
        Front::Lines => 0.1,
        Front::Plain => 5.0,
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
    fn the_runner_reads_one_json_object_a_line() {
        let mut job = job(Front::Lines);
        job.note("loss 1.53".to_owned());
        assert_eq!(
            job.line(1280, 3.2).unwrap(),
            "\x1e{\"progress\":{\"id\":7,\"label\":\"training\",\"unit\":\"images\",\"done\":1280,\
             \"total\":50000,\"seconds\":3.2,\"note\":\"loss 1.53\"}}\n"
        );
        assert!(job.last_line(50_000, 9.0).unwrap().contains("\"finished\":true"));
    }

    #[test]
    fn the_runner_hears_at_most_ten_lines_a_second_the_first_at_once() {
        let mut job = job(Front::Lines);
        let lines = (0..1000).filter_map(|i| job.line(i, i as f64 / 1000.0)).count();
        assert_eq!(lines, 10);
    }

    #[test]
    fn a_person_reads_a_sentence_every_few_seconds() {
        let mut job = job(Front::Plain);
        job.note("loss 1.53".to_owned());
        assert_eq!(job.line(1, 4.9), None);
        assert_eq!(
            job.line(5000, 10.0).unwrap(),
            "training: 5000 of 50000 images (10 %), 10 s, 1 min 30 s left, loss 1.53\n"
        );
        assert_eq!(job.line(5001, 14.9), None);
        let last = job.last_line(50_000, 4000.0).unwrap();
        assert_eq!(last, "training: 50000 of 50000 images (100 %), 1 h 06 min, loss 1.53\n");
    }

    #[test]
    fn a_person_hears_nothing_of_a_short_job() {
        let mut job = job(Front::Plain);
        assert_eq!(job.line(50_000, 1.0), None);
        assert_eq!(job.last_line(50_000, 1.0), None);
    }

    #[test]
    fn an_unknown_total_and_too_much_work_are_no_trouble() {
        let mut endless = Job::new(Front::Plain, 1, "download", "bytes", 0);
        assert_eq!(endless.line(9, 6.0).unwrap(), "download: 9 bytes, 6 s\n");
        let mut short = Job::new(Front::Plain, 1, "attack", "images", 10);
        assert_eq!(short.line(12, 6.0).unwrap(), "attack: 12 of 10 images (120 %), 6 s\n");
    }
}
