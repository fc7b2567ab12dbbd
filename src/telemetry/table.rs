//! The gauges of judged rollouts: bounded, and forgotten when a rollout is idle.
//! The recorder's gauges can neither be counted nor removed, so these are written by hand.

use super::metrics::help;
use crate::domain::{Finding, Millis, Verdict};
use std::{collections::BTreeMap, fmt::Write};

/// A rollout that has not been judged for this long is no longer shown.
const IDLE: Millis = 3_600_000;

type Key = (String, String);
/// Both sides of one gauge.
type Sides = fn(&Numbers) -> [(&'static str, Option<f64>); 2];

/// The last numbers of each judged rollout.
pub struct RolloutTable {
    most: usize,
    rows: BTreeMap<Key, Row>,
}

struct Row {
    seen: Millis,
    findings: Vec<Numbers>,
}

struct Numbers {
    objective: String,
    canary: Option<f64>,
    stable: Option<f64>,
    log_e_fail: f64,
    log_e_pass: f64,
}

impl RolloutTable {
    /// Holds at most `most` rollouts.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            rows: BTreeMap::new(),
        }
    }

    /// Keeps a verdict's numbers; `false` where there is no room.
    pub fn keep(&mut self, verdict: &Verdict, now: Millis) -> bool {
        let key = (
            verdict.rollout.namespace.clone(),
            verdict.rollout.name.clone(),
        );
        if !self.rows.contains_key(&key) && self.rows.len() >= self.most {
            self.forget(now);
            if self.rows.len() >= self.most {
                return false;
            }
        }
        let findings = verdict.findings.iter().map(Numbers::from).collect();
        self.rows.insert(
            key,
            Row {
                seen: now,
                findings,
            },
        );
        true
    }

    /// Appends both gauges to a metrics page.
    pub fn render(&mut self, now: Millis, out: &mut String) {
        self.forget(now);
        self.gauge("rollout_judge_objective_value", "track", out, |numbers| {
            [("canary", numbers.canary), ("stable", numbers.stable)]
        });
        self.gauge("rollout_judge_objective_log_e", "side", out, |numbers| {
            [
                ("fail", Some(numbers.log_e_fail)),
                ("pass", Some(numbers.log_e_pass)),
            ]
        });
    }

    fn forget(&mut self, now: Millis) {
        self.rows
            .retain(|_, row| now.saturating_sub(row.seen) < IDLE);
    }

    fn gauge(&self, name: &str, label: &str, out: &mut String, sides: Sides) {
        if self.rows.is_empty() {
            return;
        }
        let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} gauge", help(name));
        for ((namespace, rollout), row) in &self.rows {
            for numbers in &row.findings {
                for (side, value) in sides(numbers) {
                    let Some(value) = value.filter(|v| v.is_finite()) else {
                        continue;
                    };
                    let _ = writeln!(
                        out,
                        "{name}{{namespace=\"{}\",rollout=\"{}\",objective=\"{}\",{label}=\"{side}\"}} {value}",
                        escaped(namespace),
                        escaped(rollout),
                        escaped(&numbers.objective),
                    );
                }
            }
        }
        out.push('\n');
    }
}

impl From<&Finding> for Numbers {
    fn from(finding: &Finding) -> Self {
        Self {
            objective: finding.name.clone(),
            canary: finding.canary.value,
            stable: finding.stable.value,
            log_e_fail: finding.evidence.log_e_fail,
            log_e_pass: finding.evidence.log_e_pass,
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
