//! Who follows a cell while it runs: the client that sees its outputs, or nobody but us.

use std::sync::Arc;

use jupyter_protocol::{
    ClearOutput, DisplayData, ExecuteRequest, JupyterMessage, Transient, UpdateDisplayData,
};

use super::input::Input;
use super::iopub::{Publisher, Stream};
use super::live::Picture;
use super::media::media;
use super::progress::Bars;
use crate::session::{Audience, Bundle, CellError, Clearing, Output, Question, ends_in_expression};

/// Publishes what a cell gives.
pub struct Seen {
    publisher: Publisher,
    input: Option<Input>,
    parent: Arc<JupyterMessage>,
    bars: Bars,
    live: Vec<(String, Picture)>,
    /// Pictures of work that is over, for as long as nothing else is shown: if it was interrupted,
    /// they may be all there is to see of it.
    done: Vec<Picture>,
    has_result: bool,
    value: Option<String>,
}

impl Seen {
    /// Follows the cell of this request.
    pub fn new(
        publisher: &Publisher,
        input: &Input,
        parent: &Arc<JupyterMessage>,
        request: &ExecuteRequest,
    ) -> Seen {
        Seen {
            publisher: publisher.clone(),
            input: request.allow_stdin.then(|| input.clone()),
            parent: parent.clone(),
            bars: Bars::new(publisher.clone(), parent.clone(), "progress"),
            live: vec![],
            done: vec![],
            has_result: ends_in_expression(&request.code),
            value: None,
        }
    }

    /// The cell has ended well: gives the text of its result, if it has one.
    pub fn end(mut self, count: usize) -> Option<String> {
        if self.has_result {
            self.publisher.settle_result(count);
        }
        self.take_away();
        self.value
    }

    /// The cell has failed, so it has no result. What was seen of interrupted work stays.
    pub fn fail(mut self, error: &CellError) -> Option<String> {
        if error.is_interrupt() {
            self.bars.take_away();
        } else {
            self.take_away();
        }
        None
    }

    /// Takes away what was for the eyes only.
    fn take_away(&mut self) {
        self.bars.take_away();
        self.take_away_done();
        self.live.drain(..).for_each(|(_, mut picture)| picture.take_away());
    }

    fn take_away_done(&mut self) {
        self.done.drain(..).for_each(|mut picture| picture.take_away());
    }

    fn show(&mut self, bundle: Bundle, id: Option<String>) {
        self.take_away_done();
        // A value that can be replaced is a display, wherever it comes.
        let may_be_result = self.has_result && id.is_none();
        self.value = bundle.get("text/plain").filter(|_| may_be_result).cloned();
        let (data, size) = media(bundle);
        let transient = id.map(|id| Transient { display_id: Some(id) });
        let display = DisplayData { transient, ..DisplayData::new(data) };
        if may_be_result {
            self.publisher.value(display, size, &self.parent);
        } else {
            self.publisher.display(display, size, &self.parent);
        }
    }

    fn update(&self, bundle: Bundle, id: &str) {
        let (data, size) = media(bundle);
        self.publisher.display(UpdateDisplayData::new(data, id), size, &self.parent);
    }

    fn clear(&mut self, clearing: Clearing) {
        self.bars.forget();
        self.live.clear();
        self.done.clear();
        self.publisher.send(ClearOutput { wait: clearing == Clearing::WithTheNext }, &self.parent);
    }

    fn live(&mut self, bundle: Bundle, id: String) {
        let known = self.live.iter().position(|(known, _)| *known == id);
        if bundle.is_empty() {
            self.done.extend(known.map(|index| self.live.remove(index).1));
            return;
        }
        self.take_away_done();
        let index = known.unwrap_or_else(|| {
            let picture = Picture::new(self.publisher.clone(), self.parent.clone(), &id);
            self.live.push((id, picture));
            self.live.len() - 1
        });
        self.live[index].1.draw(bundle);
    }
}

impl Audience for Seen {
    fn hear(&mut self, output: Output) {
        match output {
            Output::Stdout(text) => self.publisher.text(Stream::Stdout, text, &self.parent),
            Output::Stderr(text) => self.publisher.text(Stream::Stderr, text, &self.parent),
            Output::Shown(bundle, id) => self.show(bundle, id),
            Output::Updated(bundle, id) => self.update(bundle, &id),
            Output::Cleared(clearing) => self.clear(clearing),
            Output::Live(bundle, id) => self.live(bundle, id),
            Output::Progress(progress) => self.bars.progress(progress),
            Output::Stage(stage) => self.bars.stage(stage),
        }
    }

    fn answer(&mut self, question: &Question) -> Option<String> {
        self.input.as_ref()?.ask(question, &self.parent)
    }
}

/// Follows a cell of which nothing is published, and keeps the last value it showed.
#[derive(Default)]
pub struct Unseen {
    /// The last value.
    pub value: Option<Bundle>,
}

impl Audience for Unseen {
    fn hear(&mut self, output: Output) {
        if let Output::Shown(bundle, _) = output {
            self.value = Some(bundle);
        }
    }

    fn answer(&mut self, _: &Question) -> Option<String> {
        None
    }
}
