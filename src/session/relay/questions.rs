//! How questions and answers pass through evcxr, which cuts a prompt at its first colon and takes
//! an answer for one line.

/// A prompt as evcxr passes it on whole.
pub fn prompt_for_evcxr(prompt: &str) -> String {
    prompt.replace('%', "%25").replace(':', "%3A")
}

/// The prompt as it was asked.
pub fn prompt_from_evcxr(prompt: &str) -> String {
    // The prelude sends a colon as the sign of a ratio, since evcxr alone cuts a prompt there.
    prompt.replace("%3A", ":").replace("%25", "%").replace('∶', ":")
}

/// An answer as evcxr passes it on whole; nothing means that standard input has ended.
pub fn answer_for_evcxr(answer: Option<&str>) -> String {
    serde_json::json!(answer).to_string()
}

/// The answer as it was given.
pub fn answer_from_evcxr(line: &str) -> Option<String> {
    serde_json::from_str(line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_with_colons_arrives_whole() {
        let prompt = "epsilon: 50 %3A\u{e9}: ";
        let passed = prompt_for_evcxr(prompt);
        assert!(!passed.contains(':'));
        assert_eq!(prompt_from_evcxr(&passed), prompt);
    }

    #[test]
    fn an_answer_of_two_lines_and_none_at_all_arrive_as_they_are() {
        for answer in [Some("a\nb \"é\""), Some(""), None] {
            let line = answer_for_evcxr(answer);
            assert!(!line.contains('\n'));
            assert_eq!(answer_from_evcxr(&line).as_deref(), answer);
        }
    }
}
