//! Places in a cell: Jupyter counts Unicode code points, the session counts bytes.

/// The byte at which the code point with this number starts; the end for all later ones.
pub fn byte(code: &str, point: usize) -> usize {
    code.char_indices().nth(point).map_or(code.len(), |(byte, _)| byte)
}

/// How many code points there are before this byte.
pub fn point(code: &str, byte: usize) -> usize {
    code.char_indices().take_while(|(start, _)| *start < byte).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_translated_both_ways() {
        let code = "let é = \"𝛿x\";";
        for at in 0..=code.chars().count() {
            assert_eq!(point(code, byte(code, at)), at);
        }
        assert_eq!(byte(code, 5), 6);
        assert_eq!(byte(code, 99), code.len());
    }
}
