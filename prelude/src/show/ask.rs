//! Questions that a cell asks its user.

use std::io::{self, BufRead, IsTerminal};

use super::{Front, say};
use crate::{Error, Result};

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

/// The line that asks. A stock evcxr ends a prompt at its first colon, so it is sent the sign of a
/// ratio instead, which looks the same.
fn request(front: Front, command: &str, prompt: &str) -> String {
    let prompt = prompt.replace(['\n', '\r'], " ");
    match front {
        Front::Lines => format!("{command}:{prompt}\n"),
        Front::Evcxr => format!("{command}:{}\n", prompt.replace(':', "∶")),
        Front::Terminal | Front::Pipe => prompt,
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
    Ok(answer.strip_suffix('\r').unwrap_or(answer).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_asked_in_one_line_that_evcxr_does_not_cut() {
        let ask = |front| request(front, "EVCXR_INPUT_REQUEST", "Seed: 1\n2: ");
        assert_eq!(ask(Front::Lines), "EVCXR_INPUT_REQUEST:Seed: 1 2: \n");
        assert_eq!(ask(Front::Evcxr), "EVCXR_INPUT_REQUEST:Seed∶ 1 2∶ \n");
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
        let error = read(&mut "".as_bytes(), "Seed: ").unwrap_err().to_string();
        assert!(error.contains("\"Seed:\"") && error.contains("nobody"), "{error}");
        assert!(read(&mut &b"\xff\n"[..], "Seed").is_err());
    }
}
