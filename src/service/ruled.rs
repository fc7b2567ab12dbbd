//! What an override means for an answer that is kept already: the record stays as it is, what is said beside it does not.

use super::identity::event_id;
use crate::{
    domain::{
        Event, EventKind, Millis, Override, RolloutState, Verdict, text::unmarked, time::rfc3339,
    },
    judge::{explain::clean, ruling::sentence},
};

/// The entry of `open` of an override that is in force.
pub const KEY: &str = "override";

/// What a person should know of the canary's newest override beside a kept verdict.
pub fn beside(verdict: &Verdict, ruling: Option<&Override>, now: Millis) -> Option<String> {
    let ruling = ruling?;
    let said = sentence(ruling);
    let by_it = repeats(verdict, ruling);
    match (by_it, ruling.in_force(now)) {
        (false, true) => Some(clean(&format!(
            "{said}; this answer is about a moment before that, every later question is answered so"
        ))),
        (true, false) => Some(clean(&ended(ruling))),
        _ => None,
    }
}

/// Does the verdict's sentence only repeat the override?
pub fn repeats(verdict: &Verdict, ruling: &Override) -> bool {
    verdict.reason == clean(&sentence(ruling))
}

/// The verdict's warnings without the words of the override that a page shows beside them.
pub fn warnings(verdict: &Verdict, shown: Option<&Override>) -> Vec<String> {
    let said = shown.map(|ruling| unmarked(&sentence(ruling)));
    let alone = |warning: &String| {
        let rest = warning.strip_prefix(said.as_deref()?)?;
        let rest = rest.strip_prefix("; without it ")?;
        Some(format!("without the override {rest}"))
    };
    let told = |warning| alone(warning).unwrap_or_else(|| warning.clone());
    verdict.warnings.iter().map(told).collect()
}

/// The verdict with that among its warnings.
pub fn told(verdict: &mut Verdict, ruling: Option<&Override>, now: Millis) {
    if let Some(text) = beside(verdict, ruling, now).filter(|t| !verdict.warnings.contains(t)) {
        verdict.warnings.push(text);
    }
}

/// How an override that is no longer in force ended.
pub fn ended(ruling: &Override) -> String {
    let (outcome, author) = (ruling.outcome.as_str(), &ruling.author);
    let how = match &ruling.revoked {
        Some((at, who)) => format!("was taken back by {who} at {}", rfc3339(*at)),
        None => format!("expired at {}", rfc3339(ruling.expires)),
    };
    format!("the override of {author} to {outcome} {how}: the evidence decides again")
}

/// The event of an override that expired: the same, whoever notices it first.
pub fn expired(ruling: &Override, state: &RolloutState) -> Event {
    let present = state.canary_hash == ruling.canary_hash;
    Event {
        seq: 0,
        id: event_id(
            EventKind::OverrideEnded,
            ruling.expires,
            &format!("{} expired", ruling.id),
        ),
        at: ruling.expires,
        kind: EventKind::OverrideEnded,
        namespace: ruling.namespace.clone(),
        rollout: ruling.name.clone(),
        policy: state.policy.clone(),
        canary_hash: ruling.canary_hash.clone(),
        weight: state.weight,
        outcome: Some(ruling.outcome),
        verdict: present.then_some(state.verdict),
        author: Some(ruling.author.clone()),
        reason: clean(&ended(ruling)),
        ruling: None,
        still: Vec::new(),
    }
}

/// The state after an override ended: it no longer says that the override decides. The next question is judged again.
pub fn over(state: &mut RolloutState, ruling: &Override) {
    if state.canary_hash != ruling.canary_hash {
        return;
    }
    state.open.remove(KEY);
    let (said, ended) = (clean(&sentence(ruling)), ended(ruling));
    let own = (state.outcome, &mut state.reason);
    let presents = state.presents.values_mut();
    for (outcome, reason) in presents
        .map(|one| (one.outcome, &mut one.reason))
        .chain([own])
        .filter(|(_, reason)| **reason == said)
    {
        let outcome = outcome.as_str();
        *reason = clean(&format!(
            "{outcome} was by override; {ended} at the next question"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Outcome, RolloutRef, Window};
    use uuid::Uuid;

    fn verdict(reason: &str) -> Verdict {
        Verdict {
            id: Uuid::nil(),
            outcome: Outcome::Pass,
            score: 50.0,
            reason: reason.to_owned(),
            action: crate::domain::Action::Advance,
            weight: 5.0,
            next_weight: 25.0,
            policy: "p".into(),
            revision: "rev".into(),
            rollout: RolloutRef {
                namespace: "n".into(),
                name: "r".into(),
                canary_hash: "c".into(),
                stable_hash: "s".into(),
            },
            window: Window { start: 0, end: 1 },
            findings: Vec::new(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn a_page_that_shows_the_override_says_its_words_once() {
        let ruling = Override {
            id: Uuid::nil(),
            namespace: "n".into(),
            name: "r".into(),
            canary_hash: "c".into(),
            outcome: Outcome::Pass,
            reason: "<b>x</b> & y".into(),
            author: "ann".into(),
            at: 0,
            expires: 20_000,
            revoked: None,
        };
        let said = "pass by override of ann until 1970-01-01T00:00:20Z: \u{2039}b\u{203a}x\u{2039}/b\u{203a} and y";
        let mut verdict = verdict(said);
        assert!(repeats(&verdict, &ruling));
        let more = "; without it the verdict would be fail: errors";
        verdict.warnings = vec![format!("{said}{more}"), "other".to_owned()];
        let without = "without the override the verdict would be fail: errors";
        assert_eq!(warnings(&verdict, Some(&ruling)), [without, "other"]);
        assert_eq!(warnings(&verdict, None), verdict.warnings);
        verdict.reason = "own".to_owned();
        assert!(!repeats(&verdict, &ruling));
    }

    #[test]
    fn a_kept_answer_names_what_was_decided_since() {
        let ruling = |revoked: Option<Millis>| Override {
            id: Uuid::nil(),
            namespace: "n".into(),
            name: "r".into(),
            canary_hash: "c".into(),
            outcome: Outcome::Pass,
            reason: "known".into(),
            author: "ann".into(),
            at: 10_000,
            expires: 20_000,
            revoked: revoked.map(|at| (at, "bob".to_owned())),
        };
        let by_it = "pass by override of ann until 1970-01-01T00:00:20Z: known";
        for (reason, revoked, now, expected) in [
            ("all is well", None, 9_999, None),
            (
                "all is well",
                None,
                10_000,
                Some("this answer is about a moment before"),
            ),
            ("all is well", None, 20_000, None),
            ("all is well", Some(12_000), 12_000, None),
            (by_it, None, 19_999, None),
            (by_it, None, 20_000, Some("expired at 1970-01-01T00:00:20Z")),
            (
                by_it,
                Some(12_000),
                12_000,
                Some("taken back by bob at 1970-01-01T00:00:12Z"),
            ),
        ] {
            let ruling = ruling(revoked);
            let mut kept = verdict(reason);
            told(&mut kept, Some(&ruling), now);
            told(&mut kept, Some(&ruling), now);
            let found: Vec<&str> = kept.warnings.iter().map(String::as_str).collect();
            match (expected, found.as_slice()) {
                (None, []) => {}
                (Some(part), [one]) => assert!(one.contains(part), "{one}"),
                _ => panic!("{reason} at {now}: {found:?}"),
            }
        }
        assert_eq!(beside(&verdict(by_it), None, 0), None);
    }
}
