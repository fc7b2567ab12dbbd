//! What stands above the evidence: a fail that stays, and a person's override.

use super::{
    advice::{Advice, follow},
    explain,
};
use crate::{
    domain::{Latch, Millis, Outcome, Override, time::rfc3339},
    policy::Policy,
};

/// What is in force beside the evidence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Force<'a> {
    /// A fail of this canary under this revision.
    pub latch: Option<&'a Latch>,
    /// The newest override of this canary.
    pub ruling: Option<&'a Override>,
}

/// Advice and sentence after override and latch, and what a person should know of them. An override outranks a latch.
pub fn apply(
    policy: &Policy,
    (at, weight): (Millis, f64),
    force: Force<'_>,
    judged: (Advice, String),
) -> ((Advice, String), Option<String>) {
    let (advice, reason) = judged;
    if let Some(ruling) = force.ruling.filter(|ruling| ruling.in_force(at)) {
        let said = sentence(ruling);
        let warning = format!(
            "{said}; without it the verdict would be {}: {reason}",
            advice.outcome.as_str()
        );
        let ruled = follow(policy, weight, ruling.outcome);
        return ((ruled, explain::clean(&said)), Some(warning));
    }
    let latched = force.latch.filter(|latch| latch.at <= at);
    if let Some(latch) = latched.filter(|_| advice.outcome != Outcome::Fail) {
        let said = format!("failed at {}: {}", rfc3339(latch.at), latch.reason);
        let warning = format!(
            "verdict {} failed this canary and stays until a person overrides it; the evidence of now would be {}: {reason}",
            latch.verdict,
            advice.outcome.as_str()
        );
        let ruled = follow(policy, weight, Outcome::Fail);
        return ((ruled, explain::clean(&said)), Some(warning));
    }
    ((advice, reason), None)
}

/// What every answer says while an override is in force.
pub fn sentence(ruling: &Override) -> String {
    format!(
        "{} by override of {} until {}: {}",
        ruling.outcome.as_str(),
        ruling.author,
        rfc3339(ruling.expires),
        ruling.reason
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Action;

    const POLICY: &str = "apiVersion: rollout-judge/v1\nkind: JudgePolicy\nmetadata: { name: p }\nspec:\n  objectives:\n    - { name: e, errorRatio: { errors: errors, total: requests } }\n";

    fn check(
        at: Millis,
        latch: Option<Millis>,
        ruling: Option<(Outcome, Millis, Millis)>,
        judged: Outcome,
        expected: (Outcome, Action, f64, &str),
    ) {
        let policy = &crate::policy::load("p.yaml", POLICY, None).unwrap()[0].policy;
        let latch = latch.map(|at| Latch {
            at,
            verdict: uuid::Uuid::nil(),
            reason: "too many errors".into(),
        });
        let ruling = ruling.map(|(outcome, from, until)| Override {
            id: uuid::Uuid::nil(),
            namespace: "n".into(),
            name: "r".into(),
            canary_hash: "c".into(),
            outcome,
            reason: "known".into(),
            author: "ann".into(),
            at: from,
            expires: until,
            revoked: None,
        });
        let force = Force {
            latch: latch.as_ref(),
            ruling: ruling.as_ref(),
        };
        let own = (follow(policy, 25.0, judged), "own".to_owned());
        let ((advice, reason), _) = apply(policy, (at, 25.0), force, own);
        let seen = (
            advice.outcome,
            advice.action,
            advice.next_weight,
            reason.as_str(),
        );
        assert_eq!(seen, expected, "at {at}, {latch:?}, {ruling:?}");
    }

    #[test]
    fn a_fail_stays_and_a_person_outranks_it_for_a_time() {
        use Outcome::{Fail, Inconclusive, Pass};
        let own = |outcome, action, next| (outcome, action, next, "own");
        let failed = (
            Fail,
            Action::Abort,
            0.0,
            "failed at 1970-01-01T00:00:10Z: too many errors",
        );
        let ruled = (
            Pass,
            Action::Advance,
            50.0,
            "pass by override of ann until 1970-01-01T00:00:30Z: known",
        );
        let until = Some((Pass, 20_000, 30_000));
        check(
            9_999,
            Some(10_000),
            None,
            Pass,
            own(Pass, Action::Advance, 50.0),
        );
        check(10_000, Some(10_000), None, Pass, failed);
        check(99_000, Some(10_000), None, Inconclusive, failed);
        check(
            10_000,
            Some(10_000),
            None,
            Fail,
            own(Fail, Action::Abort, 0.0),
        );
        check(19_999, Some(10_000), until, Pass, failed);
        check(20_000, Some(10_000), until, Inconclusive, ruled);
        check(29_999, None, until, Fail, ruled);
        check(30_000, None, until, Fail, own(Fail, Action::Abort, 0.0));
    }
}
