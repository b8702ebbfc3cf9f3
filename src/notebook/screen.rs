//! Shows a run to whoever watches it: bars on a terminal, plain lines now and then elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::recorder::without_overwritten;
use crate::session::{Bundle, CellError, Output, Progress, Warmth};

/// How often a long task is reported where there is no terminal.
const PLAIN: Duration = Duration::from_secs(5);
/// Shorter tasks need no line that says that they are done.
const SHORT: f64 = 1.0;
/// The id of our own task, which no cell uses.
const WARM_UP: u64 = u64::MAX;

/// Where a run is shown.
pub struct Screen {
    bars: MultiProgress,
    is_terminal: bool,
    tasks: HashMap<u64, Task>,
    stage: Option<ProgressBar>,
    warm_up: Option<Instant>,
    /// The start of a line that has not ended; it would be lost among the bars.
    held: String,
    /// The start of a line whose end has not come, and where it is shown.
    line: String,
    partial: Option<ProgressBar>,
    /// What shown values look like by now that were replaced.
    updated: BTreeMap<String, Bundle>,
}

struct Task {
    bar: ProgressBar,
    reported: Instant,
}

impl Screen {
    /// Standard output.
    pub fn new() -> Screen {
        Screen {
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::stdout()),
            is_terminal: std::io::stdout().is_terminal(),
            tasks: HashMap::new(),
            stage: None,
            warm_up: None,
            held: String::new(),
            line: String::new(),
            partial: None,
            updated: BTreeMap::new(),
        }
    }

    /// Shows one line or several, above the bars.
    pub fn say(&self, text: &str) {
        self.bars.suspend(|| println!("{text}"));
    }

    /// Shows text as it came, above the bars. While there are bars, only whole lines can be.
    pub fn print(&mut self, text: &str) {
        self.held += text;
        let has_bars = !self.tasks.is_empty() || self.stage.is_some();
        let whole = self.held.rfind('\n').map_or(0, |end| end + 1);
        let ready = self.held.drain(..if has_bars { whole } else { self.held.len() });
        let ready: String = ready.collect();
        self.bars.suspend(|| {
            print!("{ready}");
            // A terminal that is gone takes nothing, and there is nobody to tell.
            let _ = std::io::stdout().flush();
        });
    }

    /// Takes the bars away while something else is written on the terminal.
    pub fn pause(&self, write: impl FnOnce()) {
        self.bars.suspend(write);
    }

    /// Shows what a cell gave.
    pub fn show(&mut self, output: &Output) {
        match output {
            Output::Stdout(text) | Output::Stderr(text) => self.text(text),
            Output::Progress(progress) => self.progress(progress),
            Output::Stage(stage) => self.stage(stage),
            Output::Cleared(_) | Output::Live(..) => {}
            Output::Shown(bundle, _) => self.value(bundle),
            // A screen cannot go back to what it has said; the last state is said in the end.
            Output::Updated(bundle, id) => drop(self.updated.insert(id.clone(), bundle.clone())),
        }
    }

    /// Shows why a cell failed.
    pub fn fail(&mut self, error: &CellError) {
        self.end_line();
        self.say(&indented(&error.text()));
    }

    /// Shows how far the warm-up is.
    pub fn warm_up(&mut self, warmth: &Warmth) {
        let began = *self.warm_up.get_or_insert_with(Instant::now);
        self.progress(&Progress {
            id: WARM_UP,
            label: "warm-up".to_owned(),
            unit: "crates".to_owned(),
            done: warmth.done as u64,
            total: warmth.total as u64,
            seconds: began.elapsed().as_secs_f64(),
            note: warmth.name.clone(),
            finished: false,
        });
    }

    /// Takes away what is left of a cell or a warm-up: its tasks are over.
    pub fn settle(&mut self) {
        self.end_line();
        for bundle in std::mem::take(&mut self.updated).into_values() {
            self.value(&bundle);
        }
        self.tasks.drain().for_each(|(_, task)| task.bar.finish_and_clear());
        if let Some(stage) = self.stage.take() {
            stage.finish_and_clear();
        }
        if !self.held.is_empty() {
            self.print("");
        }
    }

    /// Says whole lines, and keeps the last one where it may still change until it is whole.
    fn text(&mut self, text: &str) {
        self.line.push_str(text);
        if let Some(end) = self.line.rfind('\n') {
            let whole: String = self.line.drain(..=end).collect();
            self.say(&indented(&without_overwritten(&whole)));
        }
        let bars = &self.bars;
        let partial = self.partial.get_or_insert_with(|| bars.add(ProgressBar::no_length()));
        if self.line.is_empty() {
            self.take_partial_away();
        } else {
            partial.set_style(plain_style());
            partial.set_message(indented(&without_overwritten(&self.line)));
            partial.tick();
        }
    }

    /// Says what there is of a line that will not become whole.
    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.take_partial_away();
        if !line.is_empty() {
            self.say(&indented(&without_overwritten(&line)));
        }
    }

    fn take_partial_away(&mut self) {
        if let Some(partial) = self.partial.take() {
            partial.finish_and_clear();
        }
    }

    fn value(&mut self, bundle: &Bundle) {
        self.end_line();
        match bundle.get("text/plain") {
            Some(text) => self.say(&indented(text)),
            None => {
                let kinds: Vec<_> = bundle.keys().map(String::as_str).collect();
                self.say(&format!("    ({})", kinds.join(", ")));
            }
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let task = self.tasks.entry(progress.id).or_insert_with(|| Task {
            bar: self.bars.add(bar(progress)),
            reported: Instant::now(),
        });
        task.bar.set_length(progress.total);
        task.bar.set_position(progress.done);
        task.bar.set_message(figures(progress));
        let over = progress.is_over();
        let due = !self.is_terminal && task.reported.elapsed() > PLAIN;
        if due {
            task.reported = Instant::now();
        }
        if over && let Some(task) = self.tasks.remove(&progress.id) {
            task.bar.finish_and_clear();
        }
        if due || (over && progress.seconds > SHORT) {
            self.say(&format!("    {}: {}", progress.label, figures(progress)));
        }
    }

    fn stage(&mut self, text: &str) {
        if !self.is_terminal {
            return self.say(&format!("    {text} ..."));
        }
        let bars = &self.bars;
        let spinner = self.stage.get_or_insert_with(|| bars.add(ProgressBar::new_spinner()));
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner.set_message(text.to_owned());
    }
}

/// A span of time for people.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

fn bar(progress: &Progress) -> ProgressBar {
    let bar = ProgressBar::new(progress.total).with_prefix(progress.label.clone());
    let style = ProgressStyle::with_template("    {prefix:16} {bar:24.cyan} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn plain_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// How many are done, of how many, how fast, since when, and for how much longer.
pub fn figures(progress: &Progress) -> String {
    let Progress { done, total, seconds, unit, note, .. } = progress;
    // A total of 0 means that nobody knows it.
    let of_total = if *total > 0 { format!(" of {total}") } else { String::new() };
    let mut parts = vec![format!("{done}{of_total} {unit}")];
    if *done > 0 && *seconds > 0.0 {
        parts.push(rate(*done as f64 / seconds));
    }
    parts.push(duration(*seconds));
    if !progress.is_over() && *done > 0 && *total > 0 {
        let left = seconds / *done as f64 * total.saturating_sub(*done) as f64;
        parts.push(format!("{} left", duration(left)));
    }
    if !note.is_empty() {
        parts.push(note.clone());
    }
    parts.join(", ")
}

fn rate(per_second: f64) -> String {
    if per_second < 10.0 { format!("{per_second:.1}/s") } else { format!("{per_second:.0}/s") }
}

fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_for_people() {
        let all = [4.4, 65.0, 3725.0].map(duration);
        assert_eq!(all, ["4 s", "1 min 05 s", "1 h 02 min"]);
    }

    #[test]
    fn figures_say_how_long_it_will_take() {
        let progress = Progress {
            unit: "images".to_owned(),
            done: 20,
            total: 80,
            seconds: 10.0,
            note: "loss 1.5".to_owned(),
            ..Progress::default()
        };
        assert_eq!(figures(&progress), "20 of 80 images, 2.0/s, 10 s, 30 s left, loss 1.5");
    }
}
