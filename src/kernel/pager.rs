//! Cells that ask about a name, `?name` or `name?`, are answered with a page.

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
    let (text, is_rust) = match (code.strip_prefix('?'), code.strip_suffix('?')) {
        (Some(name), _) => (name.trim(), false),
        (None, Some(name)) => (name, true),
        (None, None) => return None,
    };
    let is_part = |char: char| char.is_alphanumeric() || "_:.!".contains(char);
    let is_name = !text.is_empty() && text.chars().all(is_part);
    is_name.then_some(Name { text, is_rust })
}

/// The page on a name; none where the cell was Rust.
pub fn page(name: Name<'_>, known: Option<Bundle>) -> Option<Payload> {
    if name.is_rust && known.as_ref().is_some_and(is_fallible) {
        return None;
    }
    let bundle = known.unwrap_or_else(|| {
        let text = format!("Nothing is known about `{}`.", name.text);
        [("text/plain".to_owned(), text)].into()
    });
    Some(Payload::Page { data: media(bundle).0, start: 0 })
}

/// Whether what is known is a variable out of which `?` takes a value.
fn is_fallible(known: &Bundle) -> bool {
    let text = known.get("text/plain").map_or("", String::as_str);
    let mut variables = text.lines().filter(|line| line.starts_with("let "));
    variables.any(|line| line.contains(": Result<") || line.contains(": Option<"))
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
        let result = known("```rust\nlet text: Result<String, Error>\n```");
        assert!(page(asked("text?").unwrap(), result.clone()).is_none());
        assert!(page(asked("?text").unwrap(), result).is_some());
        assert!(page(asked("Vec?").unwrap(), known("pub struct Vec<T>")).is_some());
        assert!(page(asked("nothing?").unwrap(), None).is_some());
    }
}
