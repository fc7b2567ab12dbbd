//! Rows for `critical: false` beside `onTimeout`: its fail holds, and it never aborts.

use super::{ERRORS, Row, counts, counts_of, pods};
use crate::{
    domain::{Action, Code, Outcome, Verdict},
    evidence::{Block, Counts},
};

/// `e` is critical, `u` is not; the step's time is up after 15 minutes.
fn row(more: &str, uncritical: &str, timeout: &str) -> Row {
    let objectives = format!(
        "{ERRORS}    - {{ name: u, errorRatio: {{ errors: c, total: d }}, critical: false{uncritical} }}\n"
    );
    let spec = format!(
        "{more}  steps: [{{ weight: 5, maxDuration: 15m, onTimeout: {timeout} }}, {{ weight: 100 }}]\n"
    );
    let mut row = Row::new(&objectives, &spec);
    row.step_lasted = Some(900_000);
    row
}

fn holds(verdict: &Verdict, codes: [Code; 2], said: &str) {
    let found = [verdict.findings[0].code, verdict.findings[1].code];
    assert_eq!(
        (verdict.outcome, verdict.action, verdict.next_weight, found),
        (Outcome::Inconclusive, Action::Hold, 5.0, codes),
        "{verdict:#?}"
    );
    assert!(verdict.reason.starts_with(said), "{}", verdict.reason);
}

#[test]
fn no_timeout_passes_over_a_fail_that_holds() {
    for timeout in ["advance", "hold"] {
        let verdict = row("", ", limit: 0.1%", timeout).judge(counts(0.01, 0.01));
        let said = "the step's time is up, but a fail with critical: false holds; u: canary ";
        holds(&verdict, [Code::NoHarm, Code::LimitExceeded], said);
        assert_eq!(verdict.score, 0.0);
    }
}

#[test]
fn a_timeout_aborts_for_a_critical_objective_only() {
    // twice as many errors: far within the margin of the one, undecided for the other
    let open = "    - { name: e, errorRatio: { errors: a, total: b }, margin: { relative: 500% }, passMargin: { relative: 600% } }\n    - { name: u, errorRatio: { errors: c, total: d }, critical: false, margin: { relative: 90% }, passMargin: { relative: 150% } }\n";
    let undecided = |timeout: &str| {
        let mut row = row("", "", timeout);
        row.policy.objectives = Row::new(open, "").policy.objectives;
        row.judge(counts(0.022, 0.01))
    };
    let verdict = undecided("abort");
    let said = "the step's time is up, but critical: false never aborts; u: ";
    holds(&verdict, [Code::NoHarm, Code::NeedsMoreData], said);
    let verdict = row("", ", limit: 0.1%", "abort").judge(counts(0.01, 0.01));
    holds(&verdict, [Code::NoHarm, Code::LimitExceeded], said);
    // undecided over the critical one, whatever the other lacks
    let mut both = row("", ", limit: 0.1%", "abort");
    both.blocks = 12;
    let verdict = both.judge(counts(0.0135, 0.01));
    assert_eq!(verdict.findings[0].code, Code::NeedsMoreData);
    assert_eq!(
        (verdict.outcome, verdict.action),
        (Outcome::Fail, Action::Abort)
    );
    // what is merely undecided is still passed over
    let verdict = undecided("advance");
    assert_eq!(verdict.outcome, Outcome::Pass, "{}", verdict.reason);
}

#[test]
fn no_timeout_passes_over_missing_data_that_fails() {
    let objectives = format!("{ERRORS}    - {{ name: u, gauge: nothing_here, critical: false }}\n");
    for (data, outcome) in [
        ("fail", Outcome::Inconclusive),
        ("inconclusive", Outcome::Inconclusive),
    ] {
        let spec = format!(
            "  onNoData: {data}\n  noDataPatience: 1m\n  steps: [{{ weight: 5, maxDuration: 15m, onTimeout: advance }}, {{ weight: 100 }}]\n"
        );
        let mut row = Row::new(&objectives, &spec);
        row.step_lasted = Some(900_000);
        // blocks of another kind leave the gauge without any
        let verdict = row.judge(counts(0.01, 0.01));
        assert_eq!(verdict.findings[1].code, Code::NoCanaryData);
        assert_eq!(
            (verdict.outcome, verdict.action),
            (outcome, Action::Hold),
            "{}",
            verdict.reason
        );
    }
}

#[test]
fn a_hold_without_any_weight_or_traffic_does_not_lower_the_traffic() {
    let none = |_: i64| Block::Counts(Counts::default());
    let mut row = Row::new(ERRORS, "");
    (row.told, row.blocks, row.started) = (false, 0, Err(false));
    let verdict = row.judge(none);
    assert_eq!(
        (verdict.action, verdict.weight, verdict.next_weight),
        (Action::Hold, 5.0, 5.0)
    );
    assert!(
        verdict.warnings[0].starts_with("no weight in the question and no traffic seen: 5 %"),
        "{verdict:?}"
    );
    // both arms went quiet at half of the traffic
    let mut row = Row::new(ERRORS, "");
    row.told = false;
    let quiet = |index: i64| match index {
        ..50 => counts_of(|_| (0.01, 0.01), 2850.0)(index),
        _ => Block::Counts(Counts {
            canary: pods(1, 99, 0.0, 0.0, index),
            stable: pods(19, 0, 0.0, 0.0, index),
        }),
    };
    let verdict = row.judge(quiet);
    assert_eq!(verdict.weight, 50.0, "{verdict:?}");
}
