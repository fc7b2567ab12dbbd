//! Text that strangers chose.

/// Marks without a width and those that turn the direction of writing: what is read would not be what is written.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text without them; a control character becomes a space.
pub fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_seen_stays() {
        for (text, seen) in [
            ("caf\u{e9} \u{1f680}", "caf\u{e9} \u{1f680}"),
            ("a\r\nb\u{0}c", "a  b c"),
            ("to \u{202e}ssap\u{202c}", "to ssap"),
            ("\u{feff}x\u{200b}y\u{2066}z\u{e0041}", "xyz"),
        ] {
            assert_eq!(visible(text), seen);
        }
    }
}
