//! Shown values in the form in which Jupyter takes them.

use jupyter_protocol::{Media, MediaType};

use crate::notebook::content;
use crate::session::Bundle;

/// The value in all its forms, and how many bytes they are.
pub fn media(bundle: Bundle) -> (Media, usize) {
    let size = bundle.values().map(String::len).sum();
    let forms = bundle.into_iter().map(|(mime, text)| {
        let value = content(&mime, &text);
        MediaType::Other((mime, value))
    });
    (Media { content: forms.collect() }, size)
}
