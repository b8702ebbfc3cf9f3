//! A value in several forms, of which the front end picks the richest that it can draw.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Front, say};

/// One value in several forms, `(MIME type, content)` each, the richest first.
pub type Forms = Vec<(&'static str, String)>;

/// Something that shows itself in several forms: charts, galleries, tables, logs.
///
/// ```
/// use erm::show::{self, Show};
/// struct Coin(bool);
/// impl Show for Coin {
///     fn forms(&self) -> show::Forms {
///         let side = if self.0 { "heads" } else { "tails" };
///         vec![("text/html", format!("<b>{side}</b>")), ("text/plain", side.to_owned())]
///     }
/// }
/// show::display(&Coin(true));
/// ```
pub trait Show {
    /// The forms, the richest first, with `text/plain` among them for a terminal.
    fn forms(&self) -> Forms;
}

impl Show for str {
    fn forms(&self) -> Forms {
        vec![("text/plain", self.to_owned())]
    }
}

impl Show for String {
    fn forms(&self) -> Forms {
        self.as_str().forms()
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn forms(&self) -> Forms {
        (*self).forms()
    }
}

/// Content of one MIME type, for what has no type of its own: [`html`], [`markdown`], [`svg`],
/// [`png`].
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    mime: &'static str,
    content: String,
    /// What a terminal shows instead.
    text: String,
}

/// HTML to show; a terminal shows its source.
pub fn html(source: impl Into<String>) -> Content {
    Content::of_source("text/html", source.into())
}

/// Markdown to show, with formulas between `$`; a terminal shows its source.
pub fn markdown(source: impl Into<String>) -> Content {
    Content::of_source("text/markdown", source.into())
}

/// An SVG document to show.
pub fn svg(document: impl Into<String>) -> Content {
    let content = document.into();
    let text = format!("(an SVG picture of {} bytes)", content.len());
    Content { mime: "image/svg+xml", content, text }
}

/// The bytes of a PNG file to show.
pub fn png(bytes: &[u8]) -> Content {
    let text = format!("(a PNG picture of {} bytes)", bytes.len());
    Content { mime: "image/png", content: BASE64_STANDARD.encode(bytes), text }
}

impl Content {
    fn of_source(mime: &'static str, source: String) -> Self {
        Self { mime, text: source.clone(), content: source }
    }
}

impl Show for Content {
    fn forms(&self) -> Forms {
        vec![(self.mime, self.content.clone()), ("text/plain", self.text.clone())]
    }
}

/// Lets values that [`Show`] be the last line of a cell.
macro_rules! shows {
    ($($type:ty),+ $(,)?) => {$(
        impl $type {
            /// Shows the value when it is the last line of a cell.
            pub fn evcxr_display(&self) {
                $crate::show::answer(self);
            }
        }
    )+};
}
pub(crate) use shows;

/// Lets values show their `Display` form.
macro_rules! shows_as_text {
    ($($type:ty),+ $(,)?) => {
        $(
            impl $crate::show::Show for $type {
                fn forms(&self) -> $crate::show::Forms {
                    vec![("text/plain", self.to_string())]
                }
            }
        )+
        $crate::show::shows!($($type),+);
    };
}
pub(crate) use shows_as_text;

shows!(Content);

/// Shows a value as what a cell gives: its last line.
///
/// All forms leave in one write, so that no other thread's line can fall between them.
pub(crate) fn answer(value: &dyn Show) {
    say(&answer_text(Front::of_this_process(), &value.forms()));
}

pub(super) fn answer_text(front: Front, forms: &Forms) -> String {
    match front {
        // evcxr looks for the value of a cell in content blocks alone, and our session hears it there.
        Front::Lines | Front::Evcxr => {
            let block = |(mime, content): &(&str, String)| block(mime, content);
            forms.iter().map(block).collect()
        }
        Front::Terminal | Front::Pipe => plain(forms),
    }
}

/// The value as text that ends its own line.
pub(super) fn plain(forms: &Forms) -> String {
    let text = forms.iter().find(|(mime, _)| *mime == "text/plain").or(forms.last());
    text.map_or_else(String::new, |(_, text)| format!("{}\n", text.trim_end_matches('\n')))
}

fn block(mime: &str, content: &str) -> String {
    let content = content.trim_end_matches('\n');
    format!("EVCXR_BEGIN_CONTENT {mime}\n{content}\nEVCXR_END_CONTENT\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Table;

    #[test]
    fn every_form_is_one_evcxr_block_and_ends_its_own_line() {
        let forms = vec![("text/html", "<b>a</b>".into()), ("text/plain", "a\nb\n".into())];
        let blocks = "EVCXR_BEGIN_CONTENT text/html\n<b>a</b>\nEVCXR_END_CONTENT\n\
                      EVCXR_BEGIN_CONTENT text/plain\na\nb\nEVCXR_END_CONTENT\n";
        assert_eq!(answer_text(Front::Evcxr, &forms), blocks);
        assert_eq!(answer_text(Front::Lines, &forms), blocks);
    }

    #[test]
    fn a_person_reads_the_plain_form() {
        let table = Table::new(["net"]).row(["teacher"]);
        let text = answer_text(Front::Terminal, &table.forms());
        assert_eq!(text, format!("{}\n", table.to_string().trim_end()));
        assert_eq!(plain(&vec![("text/latex", "x".into())]), "x\n", "better than nothing");
    }

    #[test]
    fn content_of_every_kind_says_something_in_a_terminal_too() {
        let picture = png(&[137, 80, 78, 71]);
        let forms = picture.forms();
        assert_eq!(forms[0], ("image/png", "iVBORw==".to_owned()));
        assert_eq!(forms[1], ("text/plain", "(a PNG picture of 4 bytes)".to_owned()));
        assert_eq!(html("<i>x</i>").forms()[1].1, "<i>x</i>");
        assert_eq!(markdown("$x$").forms()[0], ("text/markdown", "$x$".to_owned()));
        assert_eq!(svg("<svg/>").forms()[0], ("image/svg+xml", "<svg/>".to_owned()));
    }
}
