//! What was found, as lines for people.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Fine,
    /// Everything works, but it could be faster or more comfortable.
    Better,
    /// Without it no cell can run, or no notebook can be opened.
    Missing,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub thing: String,
    /// How bad it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// The command that mends it.
    pub mend: Option<String>,
}

impl Finding {
    /// A thing that is as it should be.
    pub fn fine(thing: &str, found: impl Into<String>) -> Self {
        Finding { thing: thing.to_owned(), state: State::Fine, found: found.into(), mend: None }
    }

    /// A thing that could be better, and the command that makes it so.
    pub fn better(thing: &str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        let mend = Some(mend.into());
        Finding { thing: thing.to_owned(), state: State::Better, found: found.into(), mend }
    }

    /// A thing that is missing, and the command that mends it.
    pub fn missing(thing: &str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Finding { state: State::Missing, ..Finding::better(thing, found, mend) }
    }
}

/// One line for each finding and one for each command, in columns; with colours for a terminal.
pub fn table(findings: &[Finding], coloured: bool) -> String {
    let width = findings.iter().map(|finding| finding.thing.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for Finding { thing, state, found, mend } in findings {
        let (word, colour) = match state {
            State::Fine => ("ok", "32"),
            State::Better => ("advice", "33"),
            State::Missing => ("missing", "31"),
        };
        let word = format!("{word:8}");
        let word = if coloured { format!("\x1b[{colour}m{word}\x1b[0m") } else { word };
        text += &format!("{word} {thing:width$}  {found}\n");
        if let Some(mend) = mend {
            text += &format!("{:8} {:width$}  > {mend}\n", "", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_command_stands_below_what_it_mends() {
        let findings =
            [Finding::fine("cargo", "1.95.0"), Finding::missing("linker", "none", "get cc")];
        let text = table(&findings, false);
        let expected =
            "ok       cargo   1.95.0\nmissing  linker  none\n                 > get cc\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn only_a_terminal_gets_colours() {
        let findings = [Finding::fine("cargo", "1.95.0")];
        assert!(table(&findings, true).starts_with("\x1b[32mok"));
        assert!(!table(&findings, false).contains('\x1b'));
    }
}
