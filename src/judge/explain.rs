//! The words of sentences: numbers with units, what is missing, what fits into 200 characters.

use crate::{
    domain::{Needs, Outcome, figures, text::unmarked},
    policy::{Objective, Unit},
};

/// Longest sentence of a verdict.
pub const MAX_REASON: usize = 200;

pub use crate::domain::figures::digits;

/// A value with its unit and three sensible digits.
pub fn value(v: f64, unit: Unit) -> String {
    figures::shown(v, unit.as_str())
}

/// Seconds as a person says them.
pub fn span(seconds: f64) -> String {
    if seconds < 90.0 {
        format!("{} s", digits(seconds.ceil()))
    } else if seconds < 5400.0 {
        format!("{} min", digits((seconds / 60.0).ceil()))
    } else {
        format!("{} h", digits((seconds / 360.0).ceil() / 10.0))
    }
}

/// What is missing, in words; nothing once nothing is missing.
pub fn missing(needs: &Needs, noun: &str) -> Option<String> {
    let some = |number: Option<f64>| number.filter(|n| *n > 0.0);
    match (some(needs.requests), some(needs.seconds)) {
        (Some(requests), Some(seconds)) => Some(format!(
            "needs about {} more canary {noun}, {} at this rate",
            digits(requests),
            span(seconds)
        )),
        (Some(requests), None) => Some(format!(
            "needs about {} more canary {noun}",
            digits(requests)
        )),
        (None, Some(seconds)) => Some(format!("needs about {} more", span(seconds))),
        (None, None) => None,
    }
}

/// What an objective counts on the canary.
pub fn noun(objective: &Objective) -> &'static str {
    noun_of(objective.indicator.kind())
}

/// The same noun, from the word of the kind.
pub fn noun_of(kind: &str) -> &'static str {
    match kind {
        "ratio" => "events of the denominator",
        "mean" => "items",
        "gauge" | "query" => "minutes",
        _ => "requests",
    }
}

/// The verdict's sentence from those of its objectives: the worst first, cut at 200 characters.
pub fn summary(outcome: Outcome, lead: &str, passed: usize, judged: usize) -> String {
    let text = match outcome {
        Outcome::Inconclusive if judged > 1 => {
            format!("{passed} of {judged} objectives pass; {lead}")
        }
        _ => lead.to_owned(),
    };
    clean(&text)
}

/// Free of the characters that Argo's pages escape, and at most 200 characters long. `a & b` is told as "a and b", `a&b` as `a+b`.
pub fn clean(text: &str) -> String {
    let safe = unmarked(text);
    if safe.chars().count() <= MAX_REASON {
        return safe;
    }
    let cut: String = safe.chars().take(MAX_REASON - 1).collect();
    let cut = cut
        .rfind(' ')
        .and_then(|at| cut.get(..at))
        .filter(|head| head.len() > MAX_REASON / 2)
        .map_or(cut.clone(), str::to_owned);
    format!("{}\u{2026}", cut.trim_end_matches([',', ';', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_a_person_writes_them() {
        let rows = [
            (value(0.0112, Unit::Share), "1.12 %"),
            (value(0.2, Unit::Share), "20 %"),
            (value(0.3124, Unit::Seconds), "312 ms"),
            (value(1.5, Unit::Seconds), "1.5 s"),
            (value(0.000_25, Unit::Seconds), "250 us"),
            (value(268_435_456.0, Unit::Bytes), "256 MiB"),
            (digits(2300.0), "2300"),
            (digits(12_345.6), "12 346"),
            (digits(0.0), "0"),
            (digits(-0.05), "-0.05"),
            (span(30.0), "30 s"),
            (span(480.0), "8 min"),
            (span(9000.0), "2.5 h"),
        ];
        for (got, expected) in rows {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn an_ampersand_becomes_what_it_means() {
        for (text, told) in [
            ("retries & timeouts & R&D", "retries and timeouts and R+D"),
            ("a && b", "a ++ b"),
            ("a & & b", "a and + b"),
            ("&", "+"),
            ("a + b", "a + b"),
        ] {
            assert_eq!(clean(text), told);
        }
    }

    #[test]
    fn a_sentence_is_short_and_free_of_markup() {
        let long = clean(&"a<b & c>d ".repeat(60));
        assert!(
            long.chars().count() <= MAX_REASON && !long.contains(['<', '>', '&']),
            "{long}"
        );
    }
}
