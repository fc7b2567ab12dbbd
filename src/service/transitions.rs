//! What a verdict changes: the rollout's next state, and what happened with it. Pure.

use super::{identity::event_id, ruled, shift, standing};
use crate::{
    domain::{
        Event, EventKind, Latch, Look, Millis, Outcome, Override, Present, Question, RolloutState,
        Standing, Verdict, time::rfc3339,
    },
    judge::{
        explain::{clean, digits, span},
        ruling,
    },
    policy::Policy,
};
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

/// After how long people are told, where the policy does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Undecided for so long.
    pub inconclusive: Millis,
    /// Not asked about for so long.
    pub vanished: Millis,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            inconclusive: 15 * 60_000,
            vanished: 15 * 60_000,
        }
    }
}

/// What a verdict changes.
#[derive(Debug, Clone, Default)]
pub struct Aftermath {
    /// The state from now on; `None` for a question about an earlier moment.
    pub state: Option<RolloutState>,
    /// A fail that stays.
    pub latch: Option<Latch>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Everything that decides it.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What was known before.
    pub standing: &'a Standing,
    /// The question.
    pub question: &'a Question,
    /// Its answer.
    pub verdict: &'a Verdict,
    /// The policy.
    pub policy: &'a Policy,
    /// When people are told.
    pub patience: Patience,
    /// How long the source has been silent.
    pub silent: Millis,
    /// By our clock.
    pub now: Millis,
}

impl Given<'_> {
    fn event(&self, kind: EventKind, reason: &str) -> Event {
        let verdict = self.verdict;
        Event {
            seq: 0,
            id: event_id(kind, self.question.at, &verdict.id.to_string()),
            at: self.question.at,
            kind,
            namespace: verdict.rollout.namespace.clone(),
            rollout: verdict.rollout.name.clone(),
            policy: verdict.policy.clone(),
            canary_hash: verdict.rollout.canary_hash.clone(),
            weight: verdict.weight,
            outcome: Some(verdict.outcome),
            verdict: Some(verdict.id),
            author: None,
            reason: clean(reason),
            ruling: self.in_force().map(ruling::sentence),
            still: Vec::new(),
        }
    }

    fn in_force(&self) -> Option<&Override> {
        let ruling = self.standing.ruling.as_ref();
        ruling.filter(|ruling| ruling.in_force(self.question.at))
    }

    fn ruled(&self) -> bool {
        self.in_force().is_some()
    }
}

/// What a verdict changes. A question about an earlier moment than the newest is history only.
pub fn after(given: &Given<'_>) -> Aftermath {
    let Given {
        standing,
        question,
        verdict,
        ..
    } = *given;
    let latch = latch(given);
    let plain = given.event(EventKind::Verdict, &verdict.reason);
    if standing.state.as_ref().is_some_and(|s| s.at > question.at) {
        return Aftermath {
            state: None,
            latch,
            events: vec![plain],
        };
    }
    let mut events = vec![plain];
    let before = standing.state.as_ref();
    let same = before.filter(|s| s.canary_hash == verdict.rollout.canary_hash);
    let mut open = same.map_or_else(BTreeMap::new, |s| s.open.clone());
    open.remove(EventKind::Vanished.as_str()); // it is back
    match given.in_force() {
        Some(ruling) => open.insert(ruled::KEY.to_owned(), ruling.at),
        None => open.remove(ruled::KEY),
    };
    if same.is_none() {
        if let Some(former) = before.filter(|s| s.open.keys().any(|key| told(key))) {
            let mut over = given.event(
                EventKind::Recovered,
                &format!(
                    "over: {} is judged instead of {}",
                    verdict.rollout.canary_hash, former.canary_hash
                ),
            );
            over.canary_hash.clone_from(&former.canary_hash);
            over.ruling = None; // that is about the new one
            events.push(over);
        }
        events.push(given.event(
            EventKind::Started,
            &format!(
                "canary {} is judged against {}",
                verdict.rollout.canary_hash, verdict.rollout.stable_hash
            ),
        ));
    }
    walk(given, same, &mut events);
    events.extend(override_ended(given, same));
    let key = verdict.policy.clone();
    let known = same.and_then(|s| s.outcomes.get(&key)).copied();
    let since = known
        .filter(|(outcome, _)| *outcome == verdict.outcome)
        .map_or(question.at, |(_, since)| since);
    if let Some((former, _)) = known.filter(|(outcome, _)| *outcome != verdict.outcome) {
        events.push(given.event(
            EventKind::Changed,
            &format!(
                "{} after {}: {}",
                verdict.outcome.as_str(),
                former.as_str(),
                verdict.reason
            ),
        ));
    }
    let presents = presents_after(same, given, since);
    let whole = presents.values().all(|one| one.outcome == Outcome::Pass);
    tell(given, (since, whole), &mut open, &mut events);
    let mut outcomes = same.map_or_else(BTreeMap::new, |s| s.outcomes.clone());
    outcomes.insert(key, (verdict.outcome, since));
    let mut labels = question.params.clone();
    labels.extend(question.labels.clone());
    let passed = verdict.outcome == Outcome::Pass;
    let mut state = RolloutState {
        namespace: verdict.rollout.namespace.clone(),
        name: verdict.rollout.name.clone(),
        policy: verdict.policy.clone(),
        revision: verdict.revision.clone(),
        canary_hash: verdict.rollout.canary_hash.clone(),
        stable_hash: verdict.rollout.stable_hash.clone(),
        weight: verdict.weight,
        next_weight: verdict.next_weight,
        step: question.step,
        verdict: verdict.id,
        outcome: verdict.outcome,
        action: verdict.action,
        score: verdict.score,
        reason: verdict.reason.clone(),
        at: question.at,
        kept_at: given.now,
        outcome_since: since,
        outcomes,
        presents,
        looks: looks_after(same, given),
        since: same.map_or(question.at, |s| s.since),
        steps: standing::steps_after(same, question, verdict.weight, passed, given.policy.horizon),
        open,
        labels,
    };
    state.lead();
    Aftermath {
        state: Some(state),
        latch,
        events,
    }
}

/// The first answer about a rollout whose source was told to be down.
pub fn answers_again(given: &Given<'_>, down: &Event) -> Event {
    let over = format!(
        "no longer {} (since {})",
        down.kind.as_str(),
        rfc3339(down.at)
    );
    given.event(
        EventKind::Recovered,
        &format!("{over}: {}", given.verdict.reason),
    )
}

/// A policy that was not asked for so long says nothing of the present any more.
const PRESENT: Millis = 3_600_000;

/// What each policy says of this canary with the present answer. What was said before an override came or went is over.
fn presents_after(
    same: Option<&RolloutState>,
    given: &Given<'_>,
    since: Millis,
) -> BTreeMap<String, Present> {
    let (verdict, at) = (given.verdict, given.question.at);
    let decided = given.standing.ruling.as_ref().map(|ruling| {
        let taken_back = ruling.revoked.as_ref().map(|(at, _)| *at);
        let ended = taken_back.map_or(ruling.expires, |back| back.min(ruling.expires));
        if ended <= at { ended } else { ruling.at }
    });
    let mut presents = same.map(RolloutState::answers).unwrap_or_default();
    presents.retain(|_, one| {
        at - one.at <= PRESENT && decided.is_none_or(|decided| decided > at || one.at >= decided)
    });
    let present = Present {
        verdict: verdict.id,
        revision: verdict.revision.clone(),
        outcome: verdict.outcome,
        since,
        action: verdict.action,
        next_weight: verdict.next_weight,
        score: verdict.score,
        reason: verdict.reason.clone(),
        block_by_block: shift::in_sentence(verdict),
        at,
        kept_at: given.now,
    };
    presents.insert(verdict.policy.clone(), present);
    presents
}

/// Looks that are kept of each policy.
const LOOKS: usize = 24;

/// The looks of this canary with the present one.
fn looks_after(same: Option<&RolloutState>, given: &Given<'_>) -> BTreeMap<String, Vec<Look>> {
    let (verdict, policy) = (given.verdict, given.policy);
    let share = |evidence: f64, needed: f64| {
        let share = (evidence / needed).clamp(0.0, 1.0);
        if share.is_finite() {
            (share * 100.0).round() / 100.0
        } else {
            0.0
        }
    };
    let deciding = || verdict.findings.iter().filter(|f| !f.watch);
    let harm = deciding().map(|f| share(f.evidence.log_e_fail, -f.evidence.alpha.ln()));
    let safe = deciding().map(|f| share(f.evidence.log_e_pass, -policy.false_pass_rate.ln()));
    let look = Look {
        at: given.question.at,
        harm: harm.fold(0.0, f64::max),
        safe: safe.reduce(f64::min).unwrap_or(0.0),
    };
    let mut looks = same.map_or_else(BTreeMap::new, |s| s.looks.clone());
    let own = looks.entry(verdict.policy.clone()).or_default();
    own.push(look);
    let over = own.len().saturating_sub(LOOKS);
    own.drain(..over);
    looks
}

/// A fail of the evidence stays; a fail by override ends with the override.
fn latch(given: &Given<'_>) -> Option<Latch> {
    let Given {
        standing, verdict, ..
    } = *given;
    let earlier = standing
        .latch
        .as_ref()
        .is_some_and(|l| l.at <= given.question.at);
    let fails = verdict.outcome == Outcome::Fail && !given.ruled() && !earlier;
    fails.then(|| Latch {
        at: given.question.at,
        verdict: verdict.id,
        reason: verdict.reason.clone(),
    })
}

/// The override that decided the answer before this one has expired since. One that was taken back was told then.
fn override_ended(given: &Given<'_>, same: Option<&RolloutState>) -> Option<Event> {
    let (ruling, before) = (given.standing.ruling.as_ref()?, same?);
    let expired = before.at < ruling.expires && ruling.expires <= given.question.at;
    // told by the watch already? then it is the same event
    (expired && ruling.revoked.is_none()).then(|| ruled::expired(ruling, before))
}

/// The weight went up: noted, and told where there was no pass before.
fn walk(given: &Given<'_>, same: Option<&RolloutState>, events: &mut Vec<Event>) {
    let weight = given.verdict.weight;
    let Some(before) = same.filter(|s| s.weight != weight) else {
        return;
    };
    let from = digits(before.weight);
    events.push(given.event(
        EventKind::Weight,
        &format!("weight {} % after {from} %", digits(weight)),
    ));
    // the last word of each policy counts: an earlier pass of the step is no evidence once it failed
    let mut last = before.outcomes.values().map(|(outcome, _)| *outcome);
    let passed = last.any(|o| o == Outcome::Pass)
        && !before.outcomes.values().any(|(o, _)| *o == Outcome::Fail);
    if weight > before.weight && !passed {
        let what = format!("the weight went from {from} to {} %", digits(weight));
        let why = match before.outcomes.len() {
            ..=1 => format!("although no pass was given at {from} %"),
            // the fail of one outweighs the pass of another: each says what it said last
            _ => format!("although its policies do not pass it: {}", said_by(before)),
        };
        events.push(given.event(
            EventKind::PromotionWithoutEvidence,
            &format!("{what} {why}"),
        ));
    }
}

/// The last word of each policy, those first that did not pass: `http says fail, slo says pass`.
fn said_by(state: &RolloutState) -> String {
    let mut said: Vec<_> = state.outcomes.iter().collect();
    said.sort_by_key(|(_, (outcome, _))| outcome.rank());
    let said = said
        .into_iter()
        .map(|(policy, (outcome, _))| format!("{policy} says {}", outcome.as_str()));
    said.collect::<Vec<_>>().join(", ")
}

/// Does this entry of `open` wait for the end of something bad?
pub fn told(key: &str) -> bool {
    trouble(key).is_some()
}

/// The bad thing whose end this entry of `open` waits for.
pub fn trouble(key: &str) -> Option<EventKind> {
    let kind = key.split(' ').next().and_then(EventKind::parse)?;
    kind.is_trouble().then_some(kind)
}

/// The bad things that wait for their end, each once.
pub fn troubles(open: &BTreeMap<String, Millis>) -> Vec<EventKind> {
    let kinds: BTreeSet<EventKind> = open.keys().filter_map(|key| trouble(key)).collect();
    kinds.into_iter().collect()
}

/// What people are told once, and that it is over.
fn tell(
    given: &Given<'_>,
    (since, whole): (Millis, bool),
    open: &mut BTreeMap<String, Millis>,
    events: &mut Vec<Event>,
) {
    let Given {
        question,
        verdict,
        policy,
        patience,
        ..
    } = *given;
    let key = |kind: EventKind| format!("{} {}", kind.as_str(), verdict.policy);
    let mut say = |open: &mut BTreeMap<String, Millis>, kind: EventKind, reason: String| {
        // since when it lasts: the first question that said so
        if let Entry::Vacant(new) = open.entry(key(kind)) {
            new.insert(question.at);
            events.push(given.event(kind, &reason));
        }
    };
    let lasted = question.at - since;
    match verdict.outcome {
        Outcome::Fail if !given.ruled() => {
            say(open, EventKind::Fail, verdict.reason.clone());
        }
        // the rollout passes when all its policies do
        Outcome::Pass if verdict.weight >= 100.0 && whole => {
            say(open, EventKind::Pass, verdict.reason.clone());
        }
        Outcome::Inconclusive if lasted >= patience.inconclusive => {
            let reason = format!(
                "inconclusive for {}: {}",
                span(lasted as f64 / 1000.0),
                verdict.reason
            );
            say(open, EventKind::Inconclusive, reason);
        }
        _ => {}
    }
    let down = given.silent > 0 && given.silent >= policy.source_patience;
    if down {
        let reason = format!(
            "metric source `{}` has given no answer for {}",
            policy.source,
            span(given.silent as f64 / 1000.0)
        );
        say(open, EventKind::SourceDown, reason);
    }
    let over = |kind: EventKind, is_over: bool, open: &mut BTreeMap<String, Millis>| {
        let begun = open.get(&key(kind)).copied().filter(|_| is_over);
        if begun.is_some() {
            open.remove(&key(kind));
        }
        begun.map(|begun| match kind {
            EventKind::PromotionWithoutEvidence => {
                format!("evidence for the promotion of {} is there", rfc3339(begun))
            }
            _ => format!("no longer {} (since {})", kind.as_str(), rfc3339(begun)),
        })
    };
    let promoted = EventKind::PromotionWithoutEvidence;
    let now = events.iter().any(|event| event.kind == promoted);
    let answers = over(EventKind::SourceDown, given.silent == 0, open);
    let back = answers.is_some();
    let ended: Vec<String> = [
        over(EventKind::Fail, verdict.outcome != Outcome::Fail, open),
        over(
            EventKind::Inconclusive,
            verdict.outcome != Outcome::Inconclusive,
            open,
        ),
        answers,
        over(promoted, verdict.outcome == Outcome::Pass && !now, open),
    ]
    .into_iter()
    .flatten()
    .collect();
    if now {
        open.entry(key(promoted)).or_insert(question.at);
    }
    // a fail says enough itself, but not that the source answers
    if back || (!ended.is_empty() && verdict.outcome != Outcome::Fail) {
        events.push(given.event(
            EventKind::Recovered,
            &format!("{}: {}", ended.join(", "), verdict.reason),
        ));
    }
    for event in events.iter_mut().filter(|event| {
        // about this canary: what lasted of the one before is over
        let ends = [EventKind::Recovered, EventKind::Pass].contains(&event.kind);
        ends && event.canary_hash == verdict.rollout.canary_hash
    }) {
        event.still = troubles(open);
    }
}

#[cfg(test)]
#[path = "transitions/tests.rs"]
mod tests;
