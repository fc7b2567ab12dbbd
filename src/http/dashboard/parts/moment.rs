//! Moments and spans. The server writes UTC; live.js turns it into the viewer's zone and keeps UTC in the title.

use crate::domain::{Millis, time::rfc3339};
use maud::{Markup, html};

/// `2026-01-02 15:04:05 UTC`
pub fn utc(moment: Millis) -> String {
    match jiff::Timestamp::from_millisecond(moment) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => moment.to_string(),
    }
}

/// A moment.
pub fn at(moment: Millis) -> Markup {
    html! { time datetime=(rfc3339(moment)) title=(utc(moment)) { (utc(moment)) } }
}

/// A moment as the span from it to `now`, which goes on in the browser: `3 min 20 s ago`.
pub fn ago(moment: Millis, now: Millis) -> Markup {
    html! { time datetime=(rfc3339(moment)) title=(utc(moment)) data-form="ago" { (ago_text(moment, now)) } }
}

/// The span since a moment, which goes on in the browser: `3 min 20 s`.
pub fn since(moment: Millis, now: Millis) -> Markup {
    html! { time datetime=(rfc3339(moment)) title=(utc(moment)) data-form="since" { (whole(now.saturating_sub(moment))) } }
}

/// The span from a moment to the end of what it began; it goes on in the browser where that has not ended.
pub fn lasted(moment: Millis, end: Option<Millis>, now: Millis) -> Markup {
    match end {
        Some(end) => html! {
            span title={ "to " (utc(end)) } { (whole(end.saturating_sub(moment))) }
        },
        None => since(moment, now),
    }
}

fn ago_text(moment: Millis, now: Millis) -> String {
    let past = now.saturating_sub(moment);
    if past >= 0 {
        format!("{} ago", whole(past))
    } else {
        format!("in {}", whole(-past))
    }
}

/// A span that goes on: in whole seconds, as in the browser.
fn whole(past: Millis) -> String {
    match past / 1000 {
        ..=0 => "0\u{202f}s".to_owned(),
        seconds => span(seconds * 1000),
    }
}

/// A span with its two largest units: `2 d 3 h`, `3 min 20 s`, `250 ms`. `words.js` writes the same.
pub fn span(span: Millis) -> String {
    let span = span.max(0);
    if span == 0 {
        return "0\u{202f}s".to_owned();
    }
    if span < 1000 {
        return format!("{span}\u{202f}ms");
    }
    let seconds = span / 1000;
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut parts = Vec::new();
    let mut rest = seconds;
    for (length, unit) in units {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            parts.push(format!("{count}\u{202f}{unit}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        for (millis, expected) in [
            (-5, "0 s"),
            (0, "0 s"),
            (999, "999 ms"),
            (1000, "1 s"),
            (61_000, "1 min 1 s"),
            (3_600_000, "1 h"),
            (3_601_000, "1 h"),
            (90_061_000, "1 d 1 h"),
        ] {
            assert_eq!(span(millis).replace('\u{202f}', " "), expected);
        }
        for (past, expected) in [
            (-5, "0 s"),
            (999, "0 s"),
            (1999, "1 s"),
            (61_000, "1 min 1 s"),
        ] {
            assert_eq!(whole(past).replace('\u{202f}', " "), expected);
        }
    }
}
