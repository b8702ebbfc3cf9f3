//! How much room a text needs. No font is at hand, so every estimate is generous.

/// The width of `text` in pixels, in a sans-serif font of `size` pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The width of one character in units of the font size, after DejaVu Sans, a wide font.
fn advance(character: char) -> f64 {
    match character {
        'i' | 'l' | 'j' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.36,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 0.45,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.98,
        'A'..='Z' | '+' | '=' | '<' | '>' | '±' | '×' | '−' => 0.80,
        character if (character as u32) < 0x1100 => 0.64,
        // Superscripts, arrows and the like, then East Asian letters, which fill a square.
        character if (character as u32) < 0x2e80 => 0.84,
        _ => 1.05,
    }
}

/// `text` in lines no wider than `room` pixels, broken between words where that is possible.
pub(super) fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace().flat_map(|word| pieces(word, size, room)) {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            *line = word;
        } else if width(line, size) + width(" ", size) + width(&word, size) <= room {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

/// A word cut into pieces that fit, since a long file name or formula has no blanks.
fn pieces(word: &str, size: f64, room: f64) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for character in word.chars() {
        let piece = pieces.last_mut().expect("there is always a piece");
        if !piece.is_empty() && width(piece, size) + advance(character) * size > room {
            pieces.push(character.to_string());
        } else {
            piece.push(character);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_fits_and_no_letter_is_lost() {
        let text = "a few short words and one_very_long_word_without_any_blank_in_it_at_all";
        let lines = wrap(text, 10.0, 120.0);
        assert!(lines.len() > 3);
        assert!(lines.iter().all(|line| width(line, 10.0) <= 120.0), "{lines:?}");
        let letters = |text: &str| text.replace(' ', "");
        assert_eq!(letters(&lines.concat()), letters(text));
    }

    #[test]
    fn a_short_text_is_one_line_and_no_text_is_one_empty_line() {
        assert_eq!(wrap("train  loss", 10.0, 500.0), ["train loss"]);
        assert_eq!(wrap("", 10.0, 500.0), [""]);
    }
}
