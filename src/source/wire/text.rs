//! Strings with their escapes undone.

use super::cursor::{Cursor, Raw, Take};

/// The text of a string.
pub(super) fn unescape(raw: Raw<'_>) -> Take<String> {
    if let Some(i) = raw.bytes.iter().position(|b| *b < 0x20) {
        return Err(Cursor::bad(
            raw.at + i,
            "a control character inside a string",
        ));
    }
    let text = std::str::from_utf8(raw.bytes)
        .map_err(|e| Cursor::bad(raw.at + e.valid_up_to(), "bytes that are not UTF-8"))?;
    if !text.contains('\\') {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, tail)) = rest.split_once('\\') {
        out.push_str(plain);
        let at = raw.at + text.len() - tail.len() - 1;
        let (c, tail) =
            escape(tail).ok_or_else(|| Cursor::bad(at, "an escape that JSON does not know"))?;
        out.push(c);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// One escape, after its backslash.
fn escape(text: &str) -> Option<(char, &str)> {
    let (kind, tail) = text.split_at_checked(1)?;
    let c = match kind {
        "\"" | "\\" | "/" => kind.chars().next()?,
        "b" => '\u{8}',
        "f" => '\u{c}',
        "n" => '\n',
        "r" => '\r',
        "t" => '\t',
        "u" => return unicode(tail),
        _ => return None,
    };
    Some((c, tail))
}

/// Four hexadecimal digits, or eight of a surrogate pair.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (high, tail) = hex(text)?;
    if !(0xd800..0xdc00).contains(&high) {
        return Some((char::from_u32(high)?, tail));
    }
    let (low, tail) = hex(tail.strip_prefix("\\u")?)?;
    let low = low.checked_sub(0xdc00).filter(|l| *l < 0x400)?;
    Some((
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?,
        tail,
    ))
}

fn hex(text: &str) -> Option<(u32, &str)> {
    let (digits, tail) = text.split_at_checked(4)?;
    let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let value = u32::from_str_radix(digits, 16).ok().filter(|_| all)?;
    Some((value, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let bytes = text.as_bytes();
        unescape(Raw { bytes, at: 0 }).ok()
    }

    #[test]
    fn escapes() {
        for (text, value) in [
            (r"plain é", Some("plain é")),
            (r#"a\"b\\c\/d"#, Some("a\"b\\c/d")),
            (r"\b\f\n\r\t", Some("\u{8}\u{c}\n\r\t")),
            (r"\u003c\u00e9\u2028", Some("<é\u{2028}")),
            (r"\ud83d\ude00!", Some("😀!")),
            (r"\ud83d", None),
            (r"\ude00", None),
            (r"\ud83d\u0041", None),
            (r"\u12", None),
            (r"\u+123", None),
            (r"\x41", None),
            (r"\é", None),
            ("a\nb", None),
        ] {
            assert_eq!(read(text).as_deref(), value, "{text}");
        }
        assert!(
            unescape(Raw {
                bytes: b"a\xff",
                at: 0
            })
            .is_err()
        );
    }
}
