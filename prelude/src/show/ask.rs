//! Questions that a cell asks its user.

use std::io::{self, BufRead, IsTerminal};

use super::{Front, say};
use crate::{Error, Result};

/// What a session sends instead of an answer when there is nobody to give one: end of transmission.
const NOBODY: &str = "\x04";

/// Asks the user for a line, which is given back without its end.
///
/// # Errors
/// If nobody is there to answer, as in a notebook that runs from the command line.
pub fn input(prompt: &str) -> Result<String> {
    let front = Front::of_this_process();
    say(&request(front, "EVCXR_INPUT_REQUEST", prompt));
    read(&mut io::stdin().lock(), prompt)
}

/// Asks the user for a line that is not seen while it is typed.
///
/// # Errors
/// If nobody is there to answer, or if the answer would be seen: in a terminal without evcxr.
pub fn password(prompt: &str) -> Result<String> {
    let front = Front::of_this_process();
    if matches!(front, Front::Terminal | Front::Pipe) && io::stdin().is_terminal() {
        return Err(Error::invalid(
            "a kernel that hides what is typed",
            "a terminal",
            "Ask with `input`, or pipe the password in.",
        ));
    }
    say(&request(front, "EVCXR_INPUT_REQUEST_PASSWORD", prompt));
    read(&mut io::stdin().lock(), prompt)
}

/// The line that asks. evcxr ends a prompt at its line and at its first colon, so a colon is sent as
/// the sign of a ratio, which looks the same; a session may turn it back.
fn request(front: Front, command: &str, prompt: &str) -> String {
    match front {
        Front::Lines | Front::Evcxr => {
            format!("{command}:{}\n", prompt.replace(':', "∶").replace(['\n', '\r'], " "))
        }
        Front::Terminal | Front::Pipe => prompt.to_owned(),
    }
}

fn read(answers: &mut impl BufRead, prompt: &str) -> Result<String> {
    let nobody = |found: &str| {
        Error::invalid(
            format!("an answer to \"{}\"", prompt.trim_end()),
            found,
            "Run the cell where somebody can answer, or write the answer into it.",
        )
    };
    let mut line = String::new();
    match answers.read_line(&mut line) {
        Ok(0) => return Err(nobody("nobody to give one")),
        Ok(_) => {}
        Err(problem) => return Err(nobody(&problem.to_string())),
    }
    let answer = line.strip_suffix('\n').unwrap_or(&line);
    match answer.strip_suffix('\r').unwrap_or(answer) {
        NOBODY => Err(nobody("nobody to give one")),
        answer => Ok(answer.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_asked_in_one_line_that_evcxr_does_not_cut() {
        let asked = request(Front::Lines, "EVCXR_INPUT_REQUEST", "Seed: 1\n2: ");
        assert_eq!(asked, "EVCXR_INPUT_REQUEST:Seed∶ 1 2∶ \n");
        assert_eq!(request(Front::Terminal, "EVCXR_INPUT_REQUEST", "Seed: "), "Seed: ");
    }

    #[test]
    fn an_answer_is_given_back_as_it_was_typed() {
        assert_eq!(read(&mut " 7 \r\nrest".as_bytes(), "").unwrap(), " 7 ");
        assert_eq!(read(&mut "\n".as_bytes(), "").unwrap(), "");
        assert_eq!(read(&mut "no end".as_bytes(), "").unwrap(), "no end");
    }

    #[test]
    fn where_nobody_answers_that_is_said() {
        for silence in ["", "\x04\n"] {
            let error = read(&mut silence.as_bytes(), "Seed: ").unwrap_err().to_string();
            assert!(error.contains("\"Seed:\"") && error.contains("nobody"), "{error}");
        }
        assert!(read(&mut &b"\xff\n"[..], "Seed").is_err());
    }
}
