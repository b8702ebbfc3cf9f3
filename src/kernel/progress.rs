//! How far the tasks of a cell are: one display, updated in place and taken away at the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jupyter_protocol::JupyterMessage;

use super::iopub::Publisher;
use super::live::Picture;
use crate::notebook::figures;
use crate::session::{Bundle, Progress, Warmth};

/// No more often than this is a bar drawn.
const PACE: Duration = Duration::from_millis(100);
/// The id of our own task, which no cell uses.
const WARM_UP: u64 = u64::MAX;

/// The bars of one cell.
pub struct Bars {
    picture: Picture,
    tasks: Vec<Progress>,
    stage: String,
    drawn: Option<Instant>,
}

impl Bars {
    /// No bars yet; they will have this id.
    pub fn new(publisher: Publisher, parent: Arc<JupyterMessage>, id: &str) -> Bars {
        let picture = Picture::new(publisher, parent, id);
        Bars { picture, tasks: vec![], stage: String::new(), drawn: None }
    }

    /// Draws how far a task is; one that is over is taken away.
    pub fn progress(&mut self, progress: Progress) {
        let over = progress.is_over();
        let known = self.tasks.iter().position(|task| task.id == progress.id);
        match known {
            Some(index) if over => drop(self.tasks.remove(index)),
            Some(index) => self.tasks[index] = progress,
            None if over => return,
            None => self.tasks.push(progress),
        }
        let is_due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= PACE);
        if is_due || over || known.is_none() {
            self.draw();
        }
    }

    /// Says what the cell is busy with.
    pub fn stage(&mut self, stage: String) {
        self.stage = stage;
        self.draw();
    }

    /// Draws how far the warm-up is that the cell waits for.
    pub fn warm_up(&mut self, warmth: &Warmth, waited: Duration) {
        self.progress(Progress {
            id: WARM_UP,
            label: "first start: building what cells use".to_owned(),
            unit: "crates".to_owned(),
            done: warmth.done as u64,
            total: warmth.total as u64,
            seconds: waited.as_secs_f64(),
            note: warmth.name.clone(),
            finished: false,
        });
    }

    /// Forgets what was drawn, because somebody has cleared it.
    pub fn forget(&mut self) {
        self.picture.forget();
    }

    /// Takes away what is left.
    pub fn take_away(&mut self) {
        self.tasks.clear();
        self.stage.clear();
        self.picture.take_away();
    }

    fn draw(&mut self) {
        self.drawn = Some(Instant::now());
        if self.tasks.is_empty() && self.stage.is_empty() {
            return self.picture.take_away();
        }
        let stage = (!self.stage.is_empty()).then(|| format!("{} …", self.stage));
        let text = self.tasks.iter().map(line).chain(stage.clone());
        let stage = stage.map(|stage| format!("<div>{}</div>", escaped(&stage)));
        let html = self.tasks.iter().map(bar).chain(stage);
        let html = format!("<div style=\"font-size: 90%\">{}</div>", html.collect::<String>());
        let text = text.collect::<Vec<_>>().join("\n");
        let forms = [("text/html".to_owned(), html), ("text/plain".to_owned(), text)];
        self.picture.draw(Bundle::from(forms));
    }
}

fn line(task: &Progress) -> String {
    format!("{}: {}", task.label, figures(task))
}

fn bar(task: &Progress) -> String {
    let share = 100.0 * task.done as f64 / task.total.max(1) as f64;
    let (label, figures) = (escaped(&task.label), escaped(&figures(task)));
    // Plain boxes, since front ends remove what they do not know from the outputs of strangers.
    format!(
        "<div style=\"display: flex; align-items: center; gap: 0.8em\">\
         <span style=\"min-width: 8em\">{label}</span>\
         <span style=\"flex: none; width: 16em; height: 0.6em; background: rgba(128, 128, 128, 0.25)\">\
         <span style=\"display: block; width: {share:.1}%; height: 100%; background: #2a7de1\"></span></span>\
         <span>{figures}</span></div>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_its_share_and_what_is_left() {
        let task = Progress {
            label: "training <net>".to_owned(),
            unit: "images".to_owned(),
            done: 20,
            total: 80,
            seconds: 10.0,
            ..Progress::default()
        };
        let html = bar(&task);
        assert!(html.contains("width: 25.0%"), "{html}");
        assert!(html.contains("training &lt;net&gt;"), "{html}");
        assert!(html.contains("30 s left"), "{html}");
        assert!(line(&task).starts_with("training <net>: 20 of 80 images"));
    }
}
