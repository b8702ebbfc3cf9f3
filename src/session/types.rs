//! The types of variables where rust-analyzer cannot tell them.
//!
//! evcxr has to name the type of every variable that a cell makes, and asks rust-analyzer for it,
//! which needs the sources of the standard library. Where these are not installed, the compiler can
//! be asked instead: given a wrong type, it names the right one.

use evcxr::{CommandContext, Error};

/// The type that is wrong for every variable worth keeping.
const WRONG: &str = "()";

/// The cell with a type for the variable of which evcxr could not find it, if that is why the cell
/// was not run and the compiler knows the type.
pub fn annotated(context: &mut CommandContext, code: &str, error: &Error) -> Option<String> {
    let Error::Message(message) = error else { return None };
    let asked = message.strip_prefix("Couldn't automatically determine type of variable `")?;
    let name = asked.split('`').next()?;
    let errors = context.check(&with_type(code, name, WRONG)?).ok()?;
    let labels = errors.iter().flat_map(|error| error.spanned_messages());
    let found = labels.filter_map(|message| found(&message.label)).next()?;
    with_type(code, name, &found)
}

/// The type that a label names, in words that the cell can use.
fn found(label: &str) -> Option<String> {
    let found = label.split(&format!("expected `{WRONG}`, found `")).nth(1)?;
    let found = found.strip_suffix('`')?.replace("{integer}", "i32").replace("{float}", "f64");
    let is_whole = !["...", "{", "`", "<_", " _"].iter().any(|part| found.contains(part));
    is_whole.then_some(found)
}

/// The cell with the type added where it makes the variable, if it makes it plainly.
fn with_type(code: &str, name: &str, kind: &str) -> Option<String> {
    for start in [format!("let {name}"), format!("let mut {name}")] {
        for (at, _) in code.match_indices(&start) {
            let (before, after) = code.split_at(at + start.len());
            if after.trim_start().starts_with('=') && !after.trim_start().starts_with("==") {
                return Some(format!("{before}: {kind}{after}"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_names_the_type() {
        let named = |label: &str| found(label);
        assert_eq!(named("expected `()`, found `Vec<{integer}>`").as_deref(), Some("Vec<i32>"));
        assert_eq!(named("expected `u8`, found `Vec<u8>`"), None);
        assert_eq!(named("expected `()`, found `Vec<...>`"), None);
    }

    #[test]
    fn only_a_plain_variable_gets_a_type() {
        let typed = |code: &str| with_type(code, "net", "Net");
        assert_eq!(typed("let net = f();").as_deref(), Some("let net: Net = f();"));
        assert_eq!(typed("let mut net = f();").as_deref(), Some("let mut net: Net = f();"));
        assert_eq!(typed("let network = f();"), None);
        assert_eq!(typed("let net: Net = f();"), None);
    }
}
