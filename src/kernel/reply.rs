//! What can be answered without the session.

use jupyter_protocol::{IsCompleteReply, JupyterMessageContent, UnknownMessage};
use serde_json::json;

use super::wire::PROTOCOL;
use crate::notebook::language_info;
use crate::session::{Completeness, completeness};

/// Who we are.
pub fn kernel_info() -> JupyterMessageContent {
    let content = json!({
        "status": "ok",
        "protocol_version": PROTOCOL,
        "implementation": "erm",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": language_info(),
        "banner": "Erm: Rust notebooks on adversarial examples. `?name` says what is known about a name.",
        "help_links": [
            {"text": "The Rust book", "url": "https://doc.rust-lang.org/book/"},
            {"text": "The standard library", "url": "https://doc.rust-lang.org/std/"},
            {"text": "The paper", "url": "https://arxiv.org/abs/1905.02175"},
        ],
        "debugger": false,
        "supported_features": [],
    });
    // The type for it does not know of features yet.
    UnknownMessage { msg_type: "kernel_info_reply".to_owned(), content }.into()
}

/// Whether a cell is ready to be run.
pub fn is_complete(code: &str) -> IsCompleteReply {
    match completeness(code) {
        Completeness::Complete => IsCompleteReply::complete(),
        Completeness::Incomplete(indent) => IsCompleteReply::incomplete(indent),
        Completeness::Invalid => IsCompleteReply::invalid(),
    }
}

/// The answer to a request that we do not know or cannot read; nothing where none is expected.
pub fn refusal(kind: &str) -> Option<JupyterMessageContent> {
    let name = kind.strip_suffix("_request")?;
    let content = json!({
        "status": "error",
        "ename": "unknown request",
        "evalue": format!("{kind} is unknown to this kernel, or lacks what belongs in it"),
        "traceback": [],
    });
    Some(UnknownMessage { msg_type: format!("{name}_reply"), content }.into())
}
