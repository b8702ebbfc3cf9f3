//! Pictures of work under way: shown once, updated in place, taken away at the end.

use std::sync::Arc;

use jupyter_protocol::{DisplayData, JupyterMessage, Media, Transient, UpdateDisplayData};

use super::iopub::Publisher;
use super::media::media;
use crate::session::Bundle;

/// One such picture.
pub struct Picture {
    publisher: Publisher,
    parent: Arc<JupyterMessage>,
    id: String,
    is_shown: bool,
}

impl Picture {
    /// A picture that is not shown yet. Its id is its own within the cell.
    pub fn new(publisher: Publisher, parent: Arc<JupyterMessage>, id: &str) -> Picture {
        let id = format!("erm-{id}-{}", parent.header.msg_id);
        Picture { publisher, parent, id, is_shown: false }
    }

    /// Shows the picture, or puts this one in the place of the last.
    pub fn draw(&mut self, bundle: Bundle) {
        let (data, size) = media(bundle);
        self.put(data, size);
        self.is_shown = true;
    }

    /// Takes the picture away, if it is shown.
    pub fn take_away(&mut self) {
        if self.is_shown {
            self.put(Media::default(), 0);
        }
        self.is_shown = false;
    }

    /// The picture is gone because somebody has cleared everything.
    pub fn forget(&mut self) {
        self.is_shown = false;
    }

    fn put(&self, data: Media, size: usize) {
        if self.is_shown {
            let update = UpdateDisplayData::new(data, &self.id);
            self.publisher.display(update, size, &self.parent);
        } else {
            let transient = Some(Transient { display_id: Some(self.id.clone()) });
            let display = DisplayData { transient, ..DisplayData::new(data) };
            self.publisher.display(display, size, &self.parent);
        }
    }
}
