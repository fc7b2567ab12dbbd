//! A message in words: what templates, bodies and layouts are made of.

use super::escape::line;
use crate::domain::{Event, EventKind, Finding, Message, Outcome, figures, time::rfc3339};
use serde::Serialize;

/// Objectives that are told; the page has them all.
const MOST_OBJECTIVES: usize = 5;
/// Earlier events that layouts for people show; the data have them all.
const MOST_EARLIER: usize = 10;

/// Every variable of a template, and the data of webhook and `CloudEvents`. Each value is one line of printable text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The idempotency key.
    pub id: String,
    /// Kind of the event.
    pub event: &'static str,
    /// `info`, `warning`, `critical`.
    pub severity: &'static str,
    /// When it happened, RFC 3339.
    pub at: String,
    /// A title.
    pub headline: String,
    /// The one sentence.
    pub reason: String,
    /// Kubernetes namespace; empty for a source.
    pub namespace: String,
    /// Name of the rollout, or of the source.
    pub rollout: String,
    /// Name of the policy.
    pub policy: String,
    /// Pod-template hash of the canary.
    pub canary_hash: String,
    /// Traffic percent.
    pub weight: f64,
    /// `pass`, `fail`, `inconclusive` or empty.
    pub outcome: &'static str,
    /// Who did it, where a person did; else empty.
    pub author: String,
    /// Id of the verdict; empty where there is none.
    pub verdict: String,
    /// The page.
    pub url: String,
    /// How to override.
    pub how_to_override: String,
    /// The leading objectives: failed ones first, then by evidence of harm.
    pub objectives: Vec<ObjectiveFact>,
    /// Earlier events that are told with this one, oldest first.
    pub earlier: Vec<EarlierFact>,
}

/// One objective with both sides' numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveFact {
    /// Its name.
    pub name: String,
    /// Its outcome.
    pub outcome: &'static str,
    /// Why, a stable word.
    pub code: &'static str,
    /// May it abort the rollout?
    pub critical: bool,
    /// Why, a sentence.
    pub reason: String,
    /// Unit of the values.
    pub unit: String,
    /// The canary's value with its unit.
    pub canary: String,
    /// Stable's value with its unit.
    pub stable: String,
    /// The change of the canary against stable, `+12 %`; empty where it is unknown.
    pub change: String,
}

/// An earlier event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlierFact {
    /// Id of the event's verdict; empty where there is none.
    pub verdict: String,
    /// Pod-template hash of the canary.
    pub canary_hash: String,
    /// Kind of the event.
    pub event: &'static str,
    /// How urgent it was.
    pub severity: &'static str,
    /// When it happened, RFC 3339.
    pub at: String,
    /// The one sentence.
    pub reason: String,
    /// Traffic percent.
    pub weight: f64,
    /// `pass`, `fail`, `inconclusive` or empty.
    pub outcome: &'static str,
}

impl Facts {
    /// The words of a message.
    pub fn new(message: &Message) -> Self {
        let event = &message.event;
        let findings = message.verdict.as_ref().map_or(&[][..], |v| &v.findings);
        Self {
            id: message.id.to_string(),
            event: event.kind.as_str(),
            severity: event.kind.severity().as_str(),
            at: rfc3339(event.at),
            headline: headline(event),
            reason: line(&event.told()),
            namespace: line(&event.namespace),
            rollout: line(&event.rollout),
            policy: line(&event.policy),
            canary_hash: line(&event.canary_hash),
            weight: finite(event.weight),
            outcome: event.outcome.map_or("", Outcome::as_str),
            author: line(event.author.as_deref().unwrap_or_default()),
            verdict: event.verdict.map(|id| id.to_string()).unwrap_or_default(),
            url: line(&message.url),
            how_to_override: line(&message.how_to_override),
            objectives: leading(findings),
            earlier: message
                .earlier
                .iter()
                .map(|earlier| EarlierFact::beside(earlier, event))
                .collect(),
        }
    }

    /// The last few of the earlier events: as many as a person reads.
    pub fn recent(&self) -> &[EarlierFact] {
        let hidden = self.earlier.len().saturating_sub(MOST_EARLIER);
        self.earlier.get(hidden..).unwrap_or_default()
    }
}

impl EarlierFact {
    /// An earlier event of a message; the override in force that the newest names too is not said again.
    fn beside(event: &Event, newest: &Event) -> Self {
        let reason = if event.ruling == newest.ruling {
            line(&event.reason)
        } else {
            line(&event.told())
        };
        Self {
            verdict: event.verdict.map(|id| id.to_string()).unwrap_or_default(),
            canary_hash: line(&event.canary_hash),
            event: event.kind.as_str(),
            severity: event.kind.severity().as_str(),
            at: rfc3339(event.at),
            reason,
            weight: finite(event.weight),
            outcome: event.outcome.map_or("", Outcome::as_str),
        }
    }
}

impl From<&Finding> for ObjectiveFact {
    fn from(finding: &Finding) -> Self {
        let value = |v: Option<f64>| {
            v.filter(|v| v.is_finite()).map_or_else(
                || "no data".to_owned(),
                |v| figures::shown(v, &finding.unit),
            )
        };
        let change = finding.effect.relative.filter(|r| r.is_finite());
        Self {
            name: line(&finding.name),
            outcome: finding.outcome.as_str(),
            code: finding.code.as_str(),
            critical: finding.critical,
            reason: line(&finding.reason),
            unit: line(&finding.unit),
            canary: value(finding.canary.value),
            stable: value(finding.stable.value),
            change: change.map_or_else(String::new, |r| {
                let sign = if r > 0.0 { "+" } else { "" };
                format!("{sign}{} %", figures::digits(r * 100.0))
            }),
        }
    }
}

fn leading(findings: &[Finding]) -> Vec<ObjectiveFact> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by(|a, b| {
        let rank = |f: &Finding| (f.watch, f.outcome != Outcome::Fail, !f.critical);
        let evidence = |f: &Finding| f.evidence.log_e_fail;
        rank(a)
            .cmp(&rank(b))
            .then(evidence(b).total_cmp(&evidence(a)))
    });
    sorted
        .into_iter()
        .take(MOST_OBJECTIVES)
        .map(ObjectiveFact::from)
        .collect()
}

/// The title of an event.
pub(super) fn headline(event: &Event) -> String {
    let name = line(&event.rollout);
    if event.namespace.is_empty() {
        return match event.kind {
            EventKind::SourceDown => format!("metric source {name} is down"),
            EventKind::Recovered => format!("metric source {name} is back"),
            kind => format!("{name}: {}", kind.as_str()),
        };
    }
    let what = match event.kind {
        EventKind::Verdict => "was judged",
        EventKind::Started => "is judged from now on",
        EventKind::Weight => "has a new weight",
        EventKind::Changed => "has a new outcome",
        EventKind::Fail => "failed",
        EventKind::Pass => "passed",
        EventKind::Inconclusive => "is undecided for too long",
        EventKind::Recovered if event.is_unasked() && event.outcome == Some(Outcome::Fail) => {
            "is no longer asked about and stays failed"
        }
        EventKind::Recovered if event.is_unasked() => "is no longer asked about",
        EventKind::Recovered if event.outcome == Some(Outcome::Fail) => {
            "has its metric source again and stays failed"
        }
        EventKind::Recovered => "recovered",
        EventKind::Override => "was overridden",
        EventKind::OverrideEnded => "is judged again, its override has ended",
        EventKind::SourceDown => "has no metric source",
        EventKind::PromotionWithoutEvidence => "was promoted without evidence",
        EventKind::Vanished => "is no longer asked about",
        EventKind::Delivered => "was told",
        EventKind::DeadLetter => "could not be told",
    };
    let weight = finite(event.weight);
    let at = if weight > 0.0 {
        format!(" at {} %", figures::digits(weight))
    } else {
        String::new()
    };
    let hash = line(&event.canary_hash);
    let canary = if hash.is_empty() {
        String::new()
    } else {
        format!("canary {hash} ")
    };
    format!("{}/{name}: {canary}{what}{at}", line(&event.namespace))
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::template::sample;
    use serde_json::Value;

    /// A message whose every text is hostile.
    pub fn hostile() -> Message {
        let evil =
            "<!channel> @everyone **b** [x](http://e) `c` \"q\"\r\nBcc: all@example.org \u{202e}";
        let event = Event {
            seq: 1,
            id: uuid::Uuid::from_u128(7),
            at: 1_767_366_245_000,
            kind: EventKind::Fail,
            namespace: "shop".to_owned(),
            rollout: format!("web {evil}"),
            policy: evil.to_owned(),
            canary_hash: evil.to_owned(),
            weight: 5.0,
            outcome: Some(Outcome::Fail),
            verdict: None,
            author: Some(evil.to_owned()),
            ruling: None,
            still: Vec::new(),
            reason: format!("{evil} {}", "very long ".repeat(900)),
        };
        Message {
            id: uuid::Uuid::from_u128(0x1234),
            earlier: vec![event.clone(); 50],
            event,
            verdict: None,
            url: "https://judge.example.org/rollouts/shop/web".to_owned(),
            how_to_override: evil.to_owned(),
        }
    }

    fn keys(value: &Value) -> Vec<String> {
        let mut keys: Vec<String> = match value {
            Value::Object(map) => map.keys().cloned().collect(),
            _ => Vec::new(),
        };
        keys.sort();
        keys
    }

    #[test]
    fn a_recovery_for_want_of_questions_is_no_answer_of_a_source() {
        let mut event = hostile().event;
        event.rollout = "web".to_owned();
        event.kind = EventKind::Recovered;
        for (reason, outcome, expected) in [
            (
                "no longer source-down, nobody asks any more: x",
                Outcome::Fail,
                "is no longer asked about and stays failed",
            ),
            (
                "no longer inconclusive, nobody asks any more: x",
                Outcome::Inconclusive,
                "is no longer asked about",
            ),
            (
                "no longer source-down (since 1970-01-01T00:00:00Z): x, nobody asks any more: y",
                Outcome::Fail,
                "has its metric source again and stays failed",
            ),
            ("no longer fail: x", Outcome::Pass, "recovered"),
        ] {
            event.reason = reason.to_owned();
            event.outcome = Some(outcome);
            let title = headline(&event);
            assert!(title.contains(&format!(" {expected}")), "{title}");
            assert!(!title.contains("source again") || reason.contains("since"));
        }
    }

    #[test]
    fn templates_are_checked_against_what_there_is() {
        let mut message = hostile();
        message.verdict = None;
        let mut facts = Facts::new(&message);
        facts.objectives.push(ObjectiveFact {
            name: String::new(),
            outcome: "",
            code: "",
            critical: true,
            reason: String::new(),
            unit: String::new(),
            canary: String::new(),
            stable: String::new(),
            change: String::new(),
        });
        let (mine, sample) = (serde_json::to_value(&facts).unwrap(), sample());
        assert_eq!(keys(&mine), keys(&sample));
        for list in ["objectives", "earlier"] {
            assert_eq!(keys(&mine[list][0]), keys(&sample[list][0]), "{list}");
        }
        assert_eq!(facts.earlier.len(), message.earlier.len());
        assert_eq!(facts.recent().len(), MOST_EARLIER);
        assert!(!serde_json::to_string(&facts).unwrap().contains("\\r"));
    }
}
