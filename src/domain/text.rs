//! Text that strangers chose.

use std::fmt::Write;

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

/// The text without what pages of Argo Rollouts escape: `a & b` becomes "a and b", `a&b` becomes `a+b`.
pub fn unmarked(text: &str) -> String {
    visible(text)
        .replace(" & ", " and ")
        .chars()
        .map(|c| match c {
            '<' => '\u{2039}',
            '>' => '\u{203a}',
            '&' => '+',
            c => c,
        })
        .collect()
}

/// At most `most` characters: of a longer text the beginning and the end, where databases tell the cause.
pub fn shortened(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(3);
    let head: String = text.chars().take(kept / 2).collect();
    let tail: String = text.chars().skip(count - (kept - kept / 2)).collect();
    format!("{} … {}", head.trim_end(), tail.trim_start())
}

/// Percent-encoded, but for the bytes that may stay.
pub fn percent(text: &str, stays: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stays(byte) {
            out.push(char::from(byte));
        } else {
            // writing to a string cannot fail
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Percent-encoded as one value of a query string or one segment of a path.
pub fn percent_value(text: &str) -> String {
    percent(text, |b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_value() {
        assert_eq!(percent_value("a-b_c.d~1"), "a-b_c.d~1");
        assert_eq!(
            percent_value("{x=\"\u{e9} &/%\"}"),
            "%7Bx%3D%22%C3%A9%20%26%2F%25%22%7D"
        );
        assert_eq!(percent("/a b", |b| b == b'/' || b == b'a'), "/a%20%62");
    }

    #[test]
    fn a_long_text_keeps_both_ends() {
        for (text, most, expected) in [
            ("short", 5, "short"),
            ("a cause at the end", 11, "a ca … end"),
            ("ééééé ööööö", 9, "ééé … ööö"),
            ("abc", 0, " … "),
        ] {
            let found = shortened(text, most);
            assert_eq!(found, expected);
            assert!(found.chars().count() <= most.max(3));
        }
    }

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
