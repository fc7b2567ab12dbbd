//! Sentences. Prints what `evaluate` recorded and decides nothing.

use super::reading::{Gate, Reading};
use crate::{
    domain::{Code, Needs, Outcome, figures, text::visible},
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
    match (needs.requests > 0.0, needs.seconds > 0.0) {
        (true, true) => Some(format!(
            "needs about {} more canary {noun}, {} at this rate",
            digits(needs.requests),
            span(needs.seconds)
        )),
        (true, false) => Some(format!(
            "needs about {} more canary {noun}",
            digits(needs.requests)
        )),
        (false, true) => Some(format!("needs about {} more", span(needs.seconds))),
        (false, false) => None,
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

/// The sentence of one objective.
pub fn sentence(
    objective: &Objective,
    reading: &Reading,
    code: Code,
    needs: &Needs,
    limit_edge: Option<f64>,
) -> String {
    let name = &objective.name;
    let both = both(objective, reading);
    let interval = interval(reading, limit_edge);
    let limit = objective
        .limit
        .map(|limit| value(limit, objective.unit))
        .unwrap_or_default();
    let text = match code {
        Code::WorseThanStable => format!(
            "{name}: {both}{interval} is beyond the margin {}",
            boundary(reading)
        ),
        Code::LimitExceeded => {
            format!("{name}: {both}; the canary is shown to be beyond the limit {limit}")
        }
        Code::OverLimit => {
            format!("{name}: {both}; the canary is beyond the limit {limit}, not yet for certain")
        }
        Code::NoHarm => {
            format!("{name}: {both}{interval}; harm beyond the pass margin is ruled out")
        }
        Code::AdequatePower => format!(
            "{name}: {both}{interval}; no harm found, and harm of the design size would have shown"
        ),
        Code::NeedsMoreData => {
            let need = missing(needs, noun(objective))
                .unwrap_or_else(|| "the evidence is between the margins".to_owned());
            format!(
                "{name}: {both}{interval}, margin {}; {need}",
                boundary(reading)
            )
        }
        Code::TooEarly => {
            let need =
                missing(needs, noun(objective)).unwrap_or_else(|| "needs more blocks".to_owned());
            format!("{name}: too early to tell, {need}")
        }
        Code::Waiting => {
            format!("{name}: waiting for the first closed block of the canary (warm-up left out)")
        }
        Code::NoCanaryData => {
            format!("{name}: no canary data, the selectors find no series of the canary")
        }
        Code::NoStableData => format!("{name}: no stable data to compare with"),
        Code::CanaryVanished => {
            format!("{name}: the canary's samples stopped; the evidence is frozen")
        }
        Code::TrafficSplit => {
            format!("{name}: the traffic split is far from the weight, the comparison is doubtful")
        }
        Code::AboveLargestBucket => {
            format!("{name}: the quantile is above the largest bucket, where nothing can be seen")
        }
        Code::NoComparison => format!("{name}: no stable traffic is left to compare with"),
        Code::MinDuration => {
            format!("{name}: harmless so far, the step has not lasted its minDuration")
        }
        Code::StepTimeout => format!("{name}: undecided at the step's maxDuration"),
        Code::SourceDown | Code::SourceMalformed | Code::SourceLimit | Code::PartialData => {
            format!("{name}: {}", code.meaning())
        }
    };
    clean(&text)
}

/// The sentence of an objective whose fail only waits for more blocks.
pub fn held(objective: &Objective, gate: &Gate) -> String {
    let name = &objective.name;
    clean(&format!("{name}: harm shows, but {}", gate.words()))
}

fn both(objective: &Objective, reading: &Reading) -> String {
    let shown =
        |v: Option<f64>| v.map_or_else(|| "no value".to_owned(), |v| value(v, objective.unit));
    match (reading.canary.value, reading.stable.value) {
        (canary, Some(_)) => format!(
            "canary {} against {} on stable",
            shown(canary),
            shown(reading.stable.value)
        ),
        (canary, None) => format!("canary {}, stable without data", shown(canary)),
    }
}

fn interval(reading: &Reading, edge: Option<f64>) -> String {
    let effect = &reading.effect;
    let Some(estimate) = effect.estimate else {
        return String::new();
    };
    let what = edge.map_or_else(
        || "ratio".to_owned(),
        |edge| format!("ratio of requests above {}", value(edge, Unit::Seconds)),
    );
    let lower = digits(effect.lower.unwrap_or(0.0));
    let range = effect.upper.map_or_else(
        || format!("at least {lower}"),
        |upper| format!("{lower} to {}", digits(upper)),
    );
    format!(", {what} {} ({range})", digits(estimate))
}

fn boundary(reading: &Reading) -> String {
    reading
        .boundary
        .map_or_else(|| "unknown".to_owned(), digits)
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
    let safe: String = visible(text)
        .replace(" & ", " and ")
        .chars()
        .map(|c| match c {
            '<' => '\u{2039}',
            '>' => '\u{203a}',
            '&' => '+',
            c => c,
        })
        .collect();
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
