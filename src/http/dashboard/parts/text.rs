//! Text that somebody else wrote: never markup, never able to turn the line around it.

use maud::{Markup, html};

/// One piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Plain(&'a str),
    Odd(char),
}

/// Untrusted text on a line: isolated from the direction of its surroundings, with characters that
/// cannot be seen shown as `U+202E`.
pub fn shown(text: &str) -> Markup {
    html! {
        bdi {
            @for piece in pieces(text) {
                @match piece {
                    Piece::Plain(text) => (text),
                    Piece::Odd(c) => span.odd-char title="a character that cannot be seen" { (name(c)) },
                }
            }
        }
    }
}

/// The same for an attribute or a title, where there is no markup.
pub fn flat(text: &str) -> String {
    let pieces = pieces(text).into_iter().map(|piece| match piece {
        Piece::Plain(text) => text.to_owned(),
        Piece::Odd(c) => name(c),
    });
    pieces.collect()
}

/// The same for a block of lines: line breaks and tabs stay.
pub fn lines(text: &str) -> Markup {
    html! {
        @for (i, line) in text.lines().enumerate() {
            @if i > 0 { "\n" }
            @for piece in pieces_but(line, |c| c == '\t') {
                @match piece {
                    Piece::Plain(text) => (text),
                    Piece::Odd(c) => span.odd-char title="a character that cannot be seen" { (name(c)) },
                }
            }
        }
    }
}

fn name(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    pieces_but(text, |_| false)
}

fn pieces_but(text: &str, keep: impl Fn(char) -> bool) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| odd(*c) && !keep(*c)) {
        let (before, after) = rest.split_at(at);
        if !before.is_empty() {
            found.push(Piece::Plain(before));
        }
        found.push(Piece::Odd(c));
        rest = after.get(c.len_utf8()..).unwrap_or_default();
    }
    if !rest.is_empty() {
        found.push(Piece::Plain(rest));
    }
    found
}

/// Control characters, marks that turn the writing direction, and others without a shape or width.
fn odd(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E
            | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_only_ever_text() {
        for (written, expected) in [
            ("checkout", "<bdi>checkout</bdi>"),
            (
                "<script>alert(1)</script>",
                "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>",
            ),
            (
                "a\u{202e}b",
                "<bdi>a<span class=\"odd-char\" title=\"a character that cannot be seen\">U+202E</span>b</bdi>",
            ),
            ("\"' onload=", "<bdi>&quot;' onload=</bdi>"),
            ("שלום", "<bdi>שלום</bdi>"),
        ] {
            assert_eq!(shown(written).into_string(), expected);
        }
        assert_eq!(flat("a\u{0}\u{2066}z"), "aU+0000U+2066z");
        assert_eq!(
            lines("a\tb\r\nc\u{7}").into_string().matches('\n').count(),
            1
        );
    }
}
