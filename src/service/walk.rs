//! The walk of one canary as charts need it: a bounded number of kept verdicts, what happened, and the boundaries of decisions.

use super::kept_policy;
use crate::{
    domain::{
        Event, EventKind, Filter, Finding, Millis, Question, RolloutState, StoreError, Verdict,
        VerdictStore,
    },
    judge::{explain, objective},
    policy::Policy,
};
use std::collections::BTreeMap;

/// Points of a chart.
pub const POINTS: u32 = 400;
/// Lines of the log that are looked through for the canary's events.
const LOG: u32 = 500;
/// Such pages.
const PAGES: usize = 4;
/// Revisions of the policy whose boundaries are looked up.
const REVISIONS: usize = 16;

/// Which part of which walk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// Pod-template hash; the present canary where it is absent.
    pub canary: Option<String>,
    /// Name of a policy; that of the newest verdict where it is absent.
    pub policy: Option<String>,
    /// Questions at or after this moment.
    pub since: Option<Millis>,
    /// Questions before this moment.
    pub until: Option<Millis>,
}

/// A canary that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanarySeen {
    /// Pod-template hash.
    pub hash: String,
    /// First question about it.
    pub first: Millis,
}

/// Everything that is drawn.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    /// The canary.
    pub canary: String,
    /// The policy.
    pub policy: String,
    /// Verdicts, oldest first.
    pub looks: Vec<(Question, Verdict)>,
    /// More are kept than are drawn.
    pub thinned: bool,
    /// What happened to this canary, oldest first, without plain verdicts.
    pub events: Vec<Event>,
    /// Canaries that the log still knows, newest first.
    pub canaries: Vec<CanarySeen>,
    /// By revision of the policy: the log evidence at which an objective passes.
    pub pass_at: BTreeMap<String, f64>,
}

/// The log evidence at which an objective with this share of the false-abort rate fails.
pub fn fail_at(alpha: f64) -> f64 {
    objective::fail_boundary(alpha)
}

/// The log evidence at which an objective passes.
pub fn pass_at(policy: &Policy) -> f64 {
    objective::pass_boundary(policy)
}

/// What is missing until a decision is likely, in words; `None` once nothing is, or where nothing can be said.
pub fn missing(finding: &Finding) -> Option<String> {
    explain::missing(&finding.needs, explain::noun_of(&finding.kind))
}

/// The shortest time that can be a gap.
const SHORTEST_GAP: Millis = 2 * 60_000;
/// So many times the usual time between two verdicts is a gap.
const GAP_TIMES: Millis = 3;

/// Nothing is known of a longer time between two verdicts, and no line may be drawn over it: three times the median of the
/// times between these, at least two minutes. The moments are in order.
pub fn gap(moments: &[Millis]) -> Millis {
    let mut between: Vec<Millis> = moments
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] => Some(b - a),
            _ => None,
        })
        .collect();
    between.sort_unstable();
    let median = between.get(between.len().saturating_sub(1) / 2);
    median.map_or(SHORTEST_GAP, |median| {
        median.saturating_mul(GAP_TIMES).max(SHORTEST_GAP)
    })
}

/// The log of a rollout without plain verdicts, newest first, as far back as is looked.
pub async fn log(
    store: &dyn VerdictStore,
    namespace: &str,
    name: &str,
) -> Result<Vec<Event>, StoreError> {
    let mut all: Vec<Event> = Vec::new();
    for _ in 0..PAGES {
        let before = all.last().map(|event| event.seq);
        let page = store.timeline(namespace, name, before, true, LOG).await?;
        let whole = page.len() < LOG as usize;
        all.extend(page);
        if whole {
            break;
        }
    }
    Ok(all)
}

/// Canaries that were judged, newest first, from a log that is newest first.
pub fn canaries(state: &RolloutState, log: &[Event]) -> Vec<CanarySeen> {
    let mut found = vec![CanarySeen {
        hash: state.canary_hash.clone(),
        first: state.since,
    }];
    let started = log.iter().filter(|e| e.kind == EventKind::Started);
    for event in started {
        if !found.iter().any(|known| known.hash == event.canary_hash) {
            found.push(CanarySeen {
                hash: event.canary_hash.clone(),
                first: event.at,
            });
        }
    }
    found
}

/// Reads what is drawn.
pub async fn walk(
    store: &dyn VerdictStore,
    state: &RolloutState,
    ask: &Ask,
) -> Result<Walk, StoreError> {
    let log = log(store, &state.namespace, &state.name).await?;
    let canaries = canaries(state, &log);
    let canary = ask.canary.as_ref().unwrap_or(&state.canary_hash);
    let policy = ask.policy.as_ref().unwrap_or(&state.policy);
    let place = canaries.iter().position(|seen| seen.hash == *canary);
    // from its first question on: what was judged before need not be read
    let first = place
        .and_then(|place| canaries.get(place))
        .map(|seen| seen.first);
    let filter = Filter {
        namespace: Some(state.namespace.clone()),
        rollout: Some(state.name.clone()),
        policy: Some(policy.clone()),
        canary_hash: Some(canary.clone()),
        since: ask.since.max(first),
        until: ask.until,
        ..Filter::default()
    };
    let looks = store.looks(&filter, POINTS).await?;
    let mut pass_at = BTreeMap::new();
    for (_, verdict) in &looks {
        if pass_at.len() < REVISIONS && !pass_at.contains_key(&verdict.revision) {
            let kept = kept_policy::of_revision(store, &verdict.revision).await?;
            let at = kept.map_or(f64::NAN, |policy| self::pass_at(&policy));
            pass_at.insert(verdict.revision.clone(), at);
        }
    }
    let within = |event: &&Event| {
        event.canary_hash == *canary
            && ask.since.is_none_or(|since| event.at >= since)
            && ask.until.is_none_or(|until| event.at < until)
    };
    Ok(Walk {
        canary: canary.clone(),
        policy: policy.clone(),
        thinned: looks.len() >= POINTS as usize,
        events: log.iter().rev().filter(within).cloned().collect(),
        canaries,
        looks,
        pass_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_several_times_the_usual_time() {
        let check = |seconds: &[Millis], expected: Millis| {
            let moments: Vec<Millis> = seconds.iter().map(|s| s * 1000).collect();
            assert_eq!(gap(&moments), expected * 1000, "{seconds:?}");
        };
        check(&[], 120);
        check(&[5], 120);
        check(&[0, 10, 20, 3600], 120);
        check(&[0, 60, 120, 3600], 180);
        // of two times the shorter is the usual one
        check(&[0, 60, 3600], 180);
        check(&[0, 3600], 3 * 3600);
    }
}
