//! Cells that ask about a name, `?name`, `name?` or `:doc name`, are answered with a page.

use jupyter_protocol::Payload;

use super::media::media;
use crate::session::Bundle;

/// What a cell asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// A path of identifiers.
    pub text: &'a str,
    /// `name?` is Rust, too: it may be meant to take a value out of a result.
    is_rust: bool,
}

/// The name that a cell asks about, if that is all it does.
pub fn asked(code: &str) -> Option<Name<'_>> {
    let code = code.trim();
    let asked = code.strip_prefix('?').or_else(|| code.strip_prefix(":doc "));
    let (text, is_rust) = match (asked, code.strip_suffix('?')) {
        (Some(name), _) => (name.trim(), false),
        (None, Some(name)) => (name, true),
        (None, None) => return None,
    };
    let is_part = |char: char| char.is_alphanumeric() || "_:.!".contains(char);
    let is_name = !text.is_empty() && text.chars().all(is_part);
    is_name.then_some(Name { text, is_rust })
}

/// The page on a name; none where the cell is Rust.
pub fn page(name: Name<'_>, known: Option<Bundle>) -> Option<Payload> {
    let is_page = known.as_ref().is_some_and(|known| !is_fallible(name.text, known));
    if name.is_rust && !is_page {
        return None;
    }
    let bundle = known.unwrap_or_else(|| {
        let text = format!("Nothing is known about `{}`.", name.text);
        [("text/plain".to_owned(), text)].into()
    });
    Some(Payload::Page { data: media(bundle).0, start: 0 })
}

/// Whether the name is that of a variable out of which `?` takes a value, as far as is known: without
/// the standard library's sources, its types are unknown.
fn is_fallible(name: &str, known: &Bundle) -> bool {
    let text = known.get("text/plain").map_or("", String::as_str);
    text.lines().any(|line| {
        let kind = line.trim_start_matches("let ").trim_start_matches("mut ").strip_prefix(name);
        let fallible = [": Result<", ": Option<", ": {unknown}"];
        kind.is_some_and(|kind| fallible.iter().any(|start| kind.starts_with(start)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> Option<Bundle> {
        Some([("text/plain".to_owned(), text.to_owned())].into())
    }

    #[test]
    fn only_a_lone_name_is_asked_about() {
        let text = |code: &str| asked(code).map(|name| name.text.to_owned());
        assert_eq!(text("?Net").as_deref(), Some("Net"));
        assert_eq!(text(" ? Net::resnet\n").as_deref(), Some("Net::resnet"));
        assert_eq!(text("gallery?").as_deref(), Some("gallery"));
        assert_eq!(text("train(&net)?"), None);
        assert_eq!(text("let x = y?;"), None);
        assert_eq!(text("?"), None);
    }

    #[test]
    fn a_question_mark_on_a_result_is_rust() {
        let result = known("text: Result<String, Error>");
        assert!(page(asked("text?").unwrap(), result.clone()).is_none());
        assert!(page(asked("?text").unwrap(), result).is_some());
        assert!(page(asked("text?").unwrap(), known("let text: {unknown}")).is_none());
        assert!(page(asked("Vec?").unwrap(), known("pub struct Vec<T>")).is_some());
        assert!(page(asked("nothing?").unwrap(), None).is_none());
        assert!(page(asked("?nothing").unwrap(), None).is_some());
        assert!(page(asked("f?").unwrap(), known("fn f(x: Option<i32>)")).is_some());
    }
}
