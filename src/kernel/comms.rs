//! Comms, the channels of widgets: no target of them lives here, and clients are told so.

use jupyter_protocol::{CommClose, CommInfoReply, CommMsg, CommOpen, JupyterMessage};

use super::iopub::Publisher;

/// There are none.
pub fn info() -> CommInfoReply {
    CommInfoReply::default()
}

/// Closes what a client has opened.
pub fn opened(open: &CommOpen, publisher: &Publisher, parent: &JupyterMessage) {
    let closed = CommClose { comm_id: open.comm_id.clone(), ..CommClose::default() };
    publisher.send(closed, parent);
}

/// Closes what a client takes for open.
pub fn told(message: &CommMsg, publisher: &Publisher, parent: &JupyterMessage) {
    let closed = CommClose { comm_id: message.comm_id.clone(), ..CommClose::default() };
    publisher.send(closed, parent);
}
