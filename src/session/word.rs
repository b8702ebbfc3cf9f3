//! Places in the text of a cell.

/// Where the word ends in which a place lies.
pub fn end_of_word(code: &str, at: usize) -> usize {
    let at = floor(code, at);
    let is_of_word = |c: &char| c.is_alphanumeric() || *c == '_';
    at + code[at..].chars().take_while(is_of_word).map(char::len_utf8).sum::<usize>()
}

/// The nearest place that is no further on and not inside of a character.
pub fn floor(code: &str, at: usize) -> usize {
    (0..=at.min(code.len())).rev().find(|&at| code.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_inside_of_a_character_moves_to_its_start() {
        assert_eq!([0, 1, 2, 3, 9].map(|at| floor("aé", at)), [0, 1, 1, 3, 3]);
        assert_eq!([0, 3, 4, 6, 9].map(|at| end_of_word("né_t.x", at)), [5, 5, 5, 7, 7]);
    }
}
