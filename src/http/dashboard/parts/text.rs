//! Text that somebody else wrote: never markup, never able to turn the line around it.

use super::moment;
use crate::domain::Millis;
use maud::{Markup, PreEscaped, html};

/// One piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Plain(&'a str),
    Odd(char),
}

/// Untrusted text on a line: isolated from the direction of its surroundings, with characters that
/// cannot be seen shown as `U+202E`.
pub fn shown(text: &str) -> Markup {
    html! { bdi { (inner(text)) } }
}

/// The same for a sentence: its moments (RFC 3339) stand there as everywhere else, in the viewer's zone.
pub fn sentence(text: &str) -> Markup {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, at, after)) = next_moment(rest) {
        parts.push((before, at));
        rest = after;
    }
    html! {
        bdi {
            @for (before, at) in parts { (inner(before)) (moment::at(at)) }
            (inner(rest))
        }
    }
}

fn inner(text: &str) -> Markup {
    html! {
        @for piece in pieces(text) {
            @match piece {
                Piece::Plain(text) => (text),
                Piece::Odd(c) => span.odd-char title="a character that cannot be seen" { (name(c)) },
            }
        }
    }
}

/// What stands before the first moment of a text, the moment, and what stands behind it.
fn next_moment(text: &str) -> Option<(&str, Millis, &str)> {
    let mut found = text.match_indices('T').filter_map(|(t, _)| {
        let start = t.checked_sub("2026-01-02".len())?;
        let (before, from) = (text.get(..start)?, text.get(start..)?);
        let written = from.get(..length_of_moment(from.as_bytes())?)?;
        let after = from.get(written.len()..)?;
        let part = |c: char| c.is_alphanumeric() || c == '-' || c == ':';
        let alone = !before.ends_with(part) && !after.starts_with(part_of_word);
        let at: jiff::Timestamp = written.parse().ok().filter(|_| alone)?;
        Some((before, at.as_millisecond(), after))
    });
    found.next()
}

fn part_of_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// How long the moment is with which these bytes begin.
fn length_of_moment(bytes: &[u8]) -> Option<usize> {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let fits = |form: &[u8], bytes: &[u8]| {
        bytes.len() >= form.len()
            && form.iter().zip(bytes).all(|(form, byte)| match form {
                b'0' => byte.is_ascii_digit(),
                other => other == byte,
            })
    };
    if !fits(FORM, bytes) {
        return None;
    }
    let mut length = FORM.len();
    let rest = bytes.get(length..)?;
    if let Some(digits) = rest.strip_prefix(b".") {
        let digits = digits.iter().take_while(|b| b.is_ascii_digit()).count();
        length += if digits > 0 { 1 + digits } else { 0 };
    }
    let rest = bytes.get(length..)?;
    match rest.first()? {
        b'Z' => Some(length + 1),
        b'+' | b'-' if fits(b"00:00", rest.get(1..)?) => Some(length + 6),
        _ => None,
    }
}

/// A page without control characters: none may stand in HTML, and an attribute does not show them.
pub fn harmless(page: Markup) -> Markup {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if page.0.contains(odd) {
        PreEscaped(page.0.replace(odd, "\u{fffd}"))
    } else {
        page
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
    fn moments_of_a_sentence_are_times() {
        let shown = |text: &str| sentence(text).into_string();
        let time = "<time datetime=\"2026-01-02T03:04:05Z\" title=\"2026-01-02 03:04:05 UTC\">2026-01-02 03:04:05 UTC</time>";
        for (written, expected) in [
            (
                "failed at 2026-01-02T03:04:05Z: <b>",
                format!("<bdi>failed at {time}: &lt;b&gt;</bdi>"),
            ),
            (
                "(2026-01-02T05:04:05+02:00), 2026-01-02T03:04:05Z.",
                format!("<bdi>({time}), {time}.</bdi>"),
            ),
            ("é2 2026-01-02T03:04:05Z", format!("<bdi>é2 {time}</bdi>")),
        ] {
            assert_eq!(shown(written), expected);
        }
        assert!(
            shown("at 2026-01-02T03:04:05.25Z").contains("datetime=\"2026-01-02T03:04:05.25Z\"")
        );
        for none in [
            "2026-13-02T03:04:05Z",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04Z",
            "x2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05Zulu",
            "12026-01-02T03:04:05Z",
            "T",
            "é-01-02T03:04:05Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05+2",
            "2026-01-02 03:04:05 UTC",
        ] {
            assert_eq!(shown(none), format!("<bdi>{none}</bdi>"));
        }
    }

    #[test]
    fn no_control_character_stands_in_a_page() {
        let page = html! { input value="a\u{0}b\u{9b}"; pre { "c\n\td" } };
        let expected = "<input value=\"a\u{fffd}b\u{fffd}\"><pre>c\n\td</pre>";
        assert_eq!(harmless(page).into_string(), expected);
    }

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
