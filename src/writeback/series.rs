//! A kept verdict as samples: a bounded set of names, all at the moment of the question.

use super::Item;
use crate::domain::{Event, EventKind, Finding, Millis, Outcome, Record};
use std::collections::BTreeMap;

/// A series: its labels in order of name, `__name__` among them.
pub(super) type Labels = Vec<(String, String)>;

/// Samples by series, in order of time.
pub(super) type Batch = BTreeMap<Labels, BTreeMap<Millis, f64>>;

/// Only verdicts become samples.
pub(super) fn wanted(event: &Event) -> bool {
    event.kind == EventKind::Verdict
}

/// All samples of some verdicts.
pub(super) fn batch(items: &[Item], extra: &BTreeMap<String, String>) -> Batch {
    let mut batch = Batch::new();
    for record in items.iter().filter_map(|item| item.record.as_ref()) {
        let mut verdict = Writer {
            batch: &mut batch,
            record,
            extra,
        };
        verdict.all();
    }
    batch
}

/// How many samples.
pub(super) fn count(batch: &Batch) -> u64 {
    batch.values().map(|samples| samples.len() as u64).sum()
}

struct Writer<'a> {
    batch: &'a mut Batch,
    record: &'a Record,
    extra: &'a BTreeMap<String, String>,
}

impl Writer<'_> {
    fn all(&mut self) {
        let verdict = &self.record.verdict;
        self.put("", Some(word(verdict.outcome)), &[]);
        self.put("_score", Some(verdict.score), &[]);
        self.put("_weight", Some(verdict.weight), &[]);
        self.put("_next_weight", Some(verdict.next_weight), &[]);
        for finding in &verdict.findings {
            self.finding(finding);
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let name = ("objective", finding.name.as_str());
        self.put("_objective", Some(word(finding.outcome)), &[name]);
        for (track, arm) in [("canary", &finding.canary), ("stable", &finding.stable)] {
            let labels = [name, ("track", track)];
            self.put("_objective_value", arm.value, &labels);
        }
        let effect = &finding.effect;
        for (bound, value) in [
            ("estimate", effect.estimate),
            ("lower", effect.lower),
            ("upper", effect.upper),
            ("margin", finding.margin),
        ] {
            self.put("_effect", value, &[name, ("bound", bound)]);
        }
        let evidence = &finding.evidence;
        self.put("_evidence_log_e_fail", Some(evidence.log_e_fail), &[name]);
        self.put("_evidence_log_e_pass", Some(evidence.log_e_pass), &[name]);
    }

    /// Numbers that do not exist, or have no end, are left out.
    fn put(&mut self, name: &str, value: Option<f64>, more: &[(&str, &str)]) {
        let Some(value) = value.filter(|v| v.is_finite()) else {
            return;
        };
        let verdict = &self.record.verdict;
        let rollout = &verdict.rollout;
        let own = [
            ("namespace", rollout.namespace.as_str()),
            ("rollout", rollout.name.as_str()),
            ("policy", verdict.policy.as_str()),
            ("canary_hash", rollout.canary_hash.as_str()),
        ];
        let extra = self.extra.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let mut labels: Labels = own
            .into_iter()
            .chain(more.iter().copied())
            .chain(extra)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        labels.push((
            "__name__".to_owned(),
            format!("rollout_judge_verdict{name}"),
        ));
        labels.sort();
        let samples = self.batch.entry(labels).or_default();
        samples.insert(self.record.question.at, value);
    }
}

/// 1 pass, 0 inconclusive, -1 fail.
fn word(outcome: Outcome) -> f64 {
    match outcome {
        Outcome::Pass => 1.0,
        Outcome::Inconclusive => 0.0,
        Outcome::Fail => -1.0,
    }
}
