//! Values that a cell shows before it ends, any number of them, and what becomes of them.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

use super::forms::plain;
use super::{Forms, Front, Show, escape, say};

/// Shows a value in the middle of a cell.
///
/// In Erm's kernel it appears at once, and [`Shown::update`] replaces it. Elsewhere its text is
/// printed: a stock kernel keeps a single picture a cell, that of the last line.
///
/// ```
/// use erm::show;
/// let shown = show::display("one of three");
/// shown.update("two of three");
/// ```
pub fn display<T: Show + ?Sized>(value: &T) -> Shown {
    let shown = Shown { id: next_id() };
    say(&shown_text(Front::of_this_process(), "display", &shown.id, &value.forms()));
    shown
}

/// A value that is on display, to be replaced later, from another cell too.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    id: String,
}

impl Shown {
    /// Shows this value from now on, in the place of what was there.
    pub fn update<T: Show + ?Sized>(&self, value: &T) {
        say(&shown_text(Front::of_this_process(), "update", &self.id, &value.forms()));
    }

    /// Shows nothing when it is the last line of a cell, since the value is on display already.
    pub fn evcxr_display(&self) {}
}

/// Takes away everything that the cell has shown and printed so far.
pub fn clear_output() {
    say(&clear_text(Front::of_this_process(), false));
}

/// Takes away everything that the cell has shown and printed so far, as soon as it shows or prints
/// something else, so that nothing flickers.
pub fn clear_output_with_next() {
    say(&clear_text(Front::of_this_process(), true));
}

/// A name for something shown that no other has, in this process or another: a notebook remembers
/// names longer than a kernel lives.
pub(super) fn next_id() -> String {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(()));
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("erm-{:016x}-{}", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The forms as the session reads them.
pub(super) fn data(forms: &Forms) -> Value {
    let entry = |(mime, content): &(&str, String)| ((*mime).to_owned(), json!(content));
    Value::Object(forms.iter().map(entry).collect::<Map<_, _>>())
}

fn shown_text(front: Front, verb: &str, id: &str, forms: &Forms) -> String {
    match front {
        Front::Lines => escape(&json!({ verb: { "data": data(forms), "id": id } })),
        _ => plain(forms),
    }
}

fn clear_text(front: Front, wait: bool) -> String {
    match front {
        Front::Lines => escape(&json!({ "clear": { "wait": wait } })),
        // What a person has read or a file holds stays.
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_hears_every_form_and_the_name_of_what_is_shown() {
        let forms = vec![("text/html", "<b>\n".to_owned()), ("text/plain", "b".to_owned())];
        assert_eq!(
            shown_text(Front::Lines, "display", "erm-1", &forms),
            "\x1e{\"display\":{\"data\":{\"text/html\":\"<b>\\n\",\"text/plain\":\"b\"},\
             \"id\":\"erm-1\"}}\n"
        );
        let update = shown_text(Front::Lines, "update", "erm-1", &forms);
        assert!(update.starts_with("\x1e{\"update\":{\"data\":{"), "{update}");
    }

    #[test]
    fn elsewhere_each_value_is_text_and_none_hides_another() {
        let forms = vec![("image/svg+xml", "<svg/>".to_owned()), ("text/plain", "▁▃█".to_owned())];
        for front in [Front::Evcxr, Front::Terminal, Front::Pipe] {
            assert_eq!(shown_text(front, "display", "erm-1", &forms), "▁▃█\n");
            assert_eq!(shown_text(front, "update", "erm-1", &forms), "▁▃█\n");
        }
    }

    #[test]
    fn clearing_is_for_a_notebook_only() {
        assert_eq!(clear_text(Front::Lines, false), "\x1e{\"clear\":{\"wait\":false}}\n");
        assert_eq!(clear_text(Front::Lines, true), "\x1e{\"clear\":{\"wait\":true}}\n");
        assert_eq!(clear_text(Front::Terminal, true), "");
    }

    #[test]
    fn no_two_values_have_one_name() {
        assert_ne!(display("a"), display("a"));
    }
}
