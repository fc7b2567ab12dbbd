//! The numbers of the charts: columns over a bounded number of verdicts, short.

use super::super::super::parts::figure;
use crate::{
    domain::{ArmSummary, Event, Finding, Millis, Outcome, Question, Scale, Verdict},
    service::walk::{self, Walk},
};
use serde::{Serialize, Serializer};

/// A number that may be absent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(Option<f64>);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.filter(|v| v.is_finite()) {
            None => serializer.serialize_none(),
            Some(value) => {
                let value = rounded(value);
                if value.fract() == 0.0 && value.abs() < 1e15 {
                    serializer.serialize_i64(value as i64)
                } else {
                    serializer.serialize_f64(value)
                }
            }
        }
    }
}

/// Five significant digits, short when compressed. Nine where a screen shows more than three (from 1000 on), or where the
/// five end in 5 or 50: rounded once more to what is shown, they may show another number than the pages do.
fn rounded(value: f64) -> f64 {
    let short = format!("{value:.4e}");
    let digits = short.split('e').next().unwrap_or_default();
    let between = digits.ends_with('5') || digits.ends_with("50");
    if between || value.abs() >= 1000.0 {
        return format!("{value:.8e}").parse().unwrap_or(value);
    }
    short.parse().unwrap_or(value)
}

/// Everything that is drawn.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chart {
    canary: String,
    policy: String,
    /// More verdicts are kept than are drawn.
    thinned: bool,
    /// No line is drawn over a longer time without a verdict, milliseconds.
    gap: Millis,
    looks: Looks,
    objectives: Vec<Objective>,
    events: Vec<Mark>,
}

/// One entry for each verdict, oldest first.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Looks {
    /// Moments, milliseconds.
    at: Vec<i64>,
    id: Vec<String>,
    outcome: Vec<&'static str>,
    score: Vec<Number>,
    /// Percent of traffic that was asked for.
    weight: Vec<Number>,
    /// Percent of requests that the canary got since the look before.
    share: Vec<Number>,
}

/// One objective over the same looks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Objective {
    name: String,
    kind: String,
    unit: String,
    /// `ratio`, `complements` or `difference`: what effect, interval and margin are.
    scale: &'static str,
    watch: bool,
    limit: Number,
    outcome: Vec<Option<&'static str>>,
    canary: Vec<Number>,
    stable: Vec<Number>,
    effect: Vec<Number>,
    lower: Vec<Number>,
    upper: Vec<Number>,
    margin: Vec<Number>,
    /// ln E of harm, largest so far, and the boundary at which the objective fails.
    fail: Vec<Number>,
    fail_at: Vec<Number>,
    /// ln E of the absence of harm, now, and the boundary at which it passes.
    pass: Vec<Number>,
    pass_at: Vec<Number>,
}

/// Something that happened.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    at: i64,
    kind: &'static str,
    severity: &'static str,
    policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
}

impl From<&Event> for Mark {
    fn from(event: &Event) -> Self {
        Self {
            at: event.at,
            kind: event.kind.as_str(),
            severity: event.kind.severity().as_str(),
            policy: event.policy.clone(),
            outcome: event.outcome.map(Outcome::as_str),
            reason: event.told(),
            author: event.author.clone(),
            verdict: event.verdict.map(|id| id.to_string()),
        }
    }
}

impl Chart {
    /// The columns of a walk.
    pub fn new(walk: &Walk) -> Self {
        let mut looks = Looks::default();
        let mut before: Option<(f64, f64)> = None;
        for (question, verdict) in &walk.looks {
            looks.at.push(question.at);
            looks.id.push(verdict.id.to_string());
            looks.outcome.push(verdict.outcome.as_str());
            looks.score.push(Number(Some(verdict.score)));
            looks.weight.push(asked(question, verdict));
            let total = exposures(verdict);
            looks.share.push(Number(share(before, total)));
            before = total.or(before);
        }
        let newest = walk.looks.last().map(|(_, verdict)| verdict);
        let findings = newest.map(|v| v.findings.as_slice()).unwrap_or_default();
        Self {
            canary: walk.canary.clone(),
            policy: walk.policy.clone(),
            thinned: walk.thinned,
            gap: walk::gap(&looks.at),
            looks,
            objectives: findings.iter().map(|f| objective(f, walk)).collect(),
            events: walk.events.iter().map(Mark::from).collect(),
        }
    }
}

fn asked(question: &Question, verdict: &Verdict) -> Number {
    Number(question.weight.or(Some(verdict.weight)))
}

/// Requests of canary and stable so far: of the objective that counts them best.
fn exposures(verdict: &Verdict) -> Option<(f64, f64)> {
    let of = |kind: &str| {
        let counted = verdict.findings.iter().filter(|f| f.kind == kind);
        counted.into_iter().find_map(|f| {
            let exposure = |arm: &ArmSummary| arm.exposure.filter(|n| n.is_finite());
            Some((exposure(&f.canary)?, exposure(&f.stable)?))
        })
    };
    ["errorRatio", "latencyQuantile", "ratio"]
        .into_iter()
        .find_map(of)
}

/// The canary's percent of what came since the look before; nothing where nothing came, or where counting began anew.
fn share(before: Option<(f64, f64)>, total: Option<(f64, f64)>) -> Option<f64> {
    let (canary, stable) = total?;
    let (old_canary, old_stable) = before.unwrap_or_default();
    let (canary, stable) = (canary - old_canary, stable - old_stable);
    (canary >= 0.0 && stable >= 0.0 && canary + stable > 0.0)
        .then(|| 100.0 * canary / (canary + stable))
}

/// What the newest verdict with an estimate compares in.
fn scale(name: &str, walk: &Walk) -> Scale {
    let found = walk.looks.iter().rev().find_map(|(_, verdict)| {
        let finding = verdict.findings.iter().find(|f| f.name == name)?;
        finding.effect.estimate.map(|_| figure::scale(finding))
    });
    found.unwrap_or(Scale::Ratio)
}

fn objective(newest: &Finding, walk: &Walk) -> Objective {
    let scale = scale(&newest.name, walk);
    let mut made = Objective {
        name: newest.name.clone(),
        kind: newest.kind.clone(),
        unit: newest.unit.clone(),
        scale: scale.as_str(),
        watch: newest.watch,
        limit: Number(newest.limit),
        outcome: Vec::new(),
        canary: Vec::new(),
        stable: Vec::new(),
        effect: Vec::new(),
        lower: Vec::new(),
        upper: Vec::new(),
        margin: Vec::new(),
        fail: Vec::new(),
        fail_at: Vec::new(),
        pass: Vec::new(),
        pass_at: Vec::new(),
    };
    for (_, verdict) in &walk.looks {
        let finding = verdict.findings.iter().find(|f| f.name == newest.name);
        let number = |read: &dyn Fn(&Finding) -> Option<f64>| Number(finding.and_then(read));
        made.outcome.push(finding.map(|f| f.outcome.as_str()));
        made.canary.push(number(&|f| f.canary.value));
        made.stable.push(number(&|f| f.stable.value));
        // a level that was never zero may have been compared in another scale than since
        let like = finding.filter(|f| figure::scale(f) == scale);
        let compared = |read: &dyn Fn(&Finding) -> Option<f64>| Number(like.and_then(read));
        made.effect.push(compared(&|f| f.effect.estimate));
        made.lower.push(compared(&|f| f.effect.lower));
        made.upper.push(compared(&|f| f.effect.upper));
        made.margin.push(compared(&|f| f.margin));
        made.fail.push(number(&|f| Some(f.evidence.log_e_fail)));
        made.fail_at
            .push(number(&|f| Some(walk::fail_at(f.evidence.alpha))));
        made.pass.push(number(&|f| Some(f.evidence.log_e_pass)));
        let pass_at = walk.pass_at.get(&verdict.revision).copied();
        made.pass_at
            .push(Number(pass_at.filter(|_| finding.is_some())));
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_odd() {
        let text = |v: f64| serde_json::to_string(&Number(Some(v))).unwrap();
        for (value, expected) in [
            (0.123_456_789, "0.12346"),
            (5.0, "5"),
            (123_456.0, "123456"),
            (1234.5678, "1234.5678"),
            // 557 ms: five digits would show 558
            (0.557_496, "0.557496"),
            (0.557_44, "0.55744"),
            (0.012_345_2, "0.0123452"),
            (-0.0, "0"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
            (1.234_567e-9, "1.2346e-9"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn the_share_is_of_what_came_since() {
        for (before, total, expected) in [
            (None, Some((5.0, 95.0)), Some(5.0)),
            (Some((5.0, 95.0)), Some((30.0, 170.0)), Some(25.0)),
            (Some((5.0, 95.0)), Some((5.0, 95.0)), None),
            (Some((5.0, 95.0)), Some((1.0, 200.0)), None),
            (Some((5.0, 95.0)), None, None),
        ] {
            assert_eq!(share(before, total), expected);
        }
    }
}
