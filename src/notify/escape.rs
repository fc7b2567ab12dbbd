//! Text that strangers chose (names, labels, reasons) inside each format, and cutting to a service's limits.

use crate::domain::text::visible;

/// One line of printable text: no control characters, nothing that turns the direction of writing around.
pub fn line(text: &str) -> String {
    visible(text)
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// As it is: for formats that read no markup.
pub fn none(text: &str) -> String {
    text.to_owned()
}

/// Slack: `<!channel>` and links begin with `<`.
pub fn slack(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Discord's Markdown; `@everyone` is cut in two by a space of no width.
pub fn discord(text: &str) -> String {
    markdown(text).replace('<', "\\<").replace('@', "@\u{200b}")
}

/// The Markdown of adaptive cards.
pub fn teams(text: &str) -> String {
    markdown(&text.replace('&', "&amp;")).replace('<', "&lt;")
}

fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (i, c) in text.chars().enumerate() {
        let start = i == 0 && matches!(c, '-' | '+');
        if start || "\\*_~`|>[]()#".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Inside a code block no back-tick can end it.
pub fn code(text: &str) -> String {
    text.replace('`', "'")
}

/// At most `most` UTF-16 units, as the services count; an ellipsis shows the cut.
pub fn cut(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let mut out = String::new();
    for c in text.chars() {
        if c.len_utf16() > left {
            break;
        }
        left -= c.len_utf16();
        out.push(c);
    }
    // not in the middle of `&amp;`, nor after a lone backslash
    if let Some(at) = out.rfind('&')
        && out.len() - at < 6
        && !out.get(at..).is_some_and(|rest| rest.contains(';'))
    {
        out.truncate(at);
    }
    let slashes = out.chars().rev().take_while(|c| *c == '\\').count();
    if !slashes.is_multiple_of(2) {
        out.pop();
    }
    out.push('…');
    out
}

/// Services refuse empty texts.
pub fn filled(text: String) -> String {
    if text.trim().is_empty() {
        "–".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_loses_its_power() {
        assert_eq!(line(" a\r\nBcc: x\u{202e}\u{0}b "), "a Bcc: x b");
        assert_eq!(
            slack("<!channel> & <@U1>"),
            "&lt;!channel&gt; &amp; &lt;@U1&gt;"
        );
        assert_eq!(
            discord("@everyone **x** <@1>"),
            "@\u{200b}everyone \\*\\*x\\*\\* \\<@\u{200b}1\\>"
        );
        assert_eq!(
            teams("[a](http://b) <at>x</at> &amp;"),
            "\\[a\\]\\(http://b\\) &lt;at\\>x&lt;/at\\> &amp;amp;"
        );
        assert_eq!(discord("- list"), "\\- list");
    }

    #[test]
    fn cuts_are_clean() {
        for (text, most, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("ab&amp;cd", 5, "ab…"),
            ("ab\\*cd", 4, "ab…"),
            ("ab\\\\cd", 5, "ab\\\\…"),
            ("😀😀😀", 4, "😀…"),
        ] {
            assert_eq!(cut(text, most), expected, "{text}");
            assert!(cut(text, most).encode_utf16().count() <= most);
        }
    }
}
