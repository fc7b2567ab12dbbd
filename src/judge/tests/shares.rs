//! Rows for the traffic split in the first blocks of a step: what closed before it says nothing of it.

use super::{ERRORS, Row, counts_of};
use crate::{
    domain::{Code, Verdict},
    evidence::Block,
};

/// The block with which the step begins.
const SINCE: i64 = 20;

/// Requests of the canary by block, of 3000.
fn shares(of: impl Fn(i64) -> f64) -> impl Fn(i64) -> Block {
    move |index| {
        let canary = 30.0 * of(index);
        let Block::Counts(mut block) = counts_of(|_| (0.01, 0.01), canary)(index) else {
            unreachable!()
        };
        for pod in &mut block.stable {
            pod.trials = (3000.0 - canary) / 19.0;
            pod.events = pod.events.min(pod.trials);
        }
        Block::Counts(block)
    }
}

/// The verdict when so many blocks of the step have closed.
fn after(weight: f64, closed: i64, of: impl Fn(i64) -> f64) -> Verdict {
    let mut row = Row::new(ERRORS, "");
    (row.weight, row.blocks, row.step_told) = (weight, SINCE + closed, true);
    // asked as soon as the last one has closed
    row.step_lasted = Some(closed * 30_000 + 30_000);
    row.judge(shares(of))
}

fn told(verdict: &Verdict) -> (bool, bool) {
    let share = |w: &String| w.contains("of the traffic, the weight asks for");
    (
        verdict.findings[0].code == Code::TrafficSplit,
        verdict.warnings.iter().any(share),
    )
}

#[test]
fn a_step_without_closed_blocks_says_nothing_of_its_traffic() {
    let step = |from: f64, to: f64| move |index| if index < SINCE { from } else { to };
    for (from, to) in [
        (5.0, 100.0),
        (1.0, 25.0),
        (0.0, 5.0),
        (100.0, 5.0),
        (25.0, 5.0),
    ] {
        for closed in 0..8 {
            let verdict = after(to, closed, step(from, to));
            assert_eq!(
                told(&verdict),
                (false, false),
                "{from} {to} {closed}: {verdict:?}"
            );
        }
    }
}

#[test]
fn traffic_that_follows_late_is_let_pass_and_a_wrong_split_is_told() {
    // (before, asked for, seen in the step, code in the fourth block, in the sixth)
    for (from, weight, seen, fourth, sixth) in [
        // any lower step of the policy, or what was before
        (5.0, 100.0, 5.0, false, true),
        (50.0, 100.0, 5.0, false, true),
        (1.0, 25.0, 1.0, false, true),
        (90.0, 5.0, 90.0, false, true),
        (5.0, 5.0, 60.0, true, true),
        // no requests: at once
        (5.0, 25.0, 0.0, true, true),
        (0.0, 5.0, 0.0, true, true),
    ] {
        let of = |index| if index < SINCE { from } else { seen };
        for closed in 0..3 {
            let verdict = after(weight, closed, of);
            assert!(!told(&verdict).0, "{from} {weight} {seen}: {verdict:?}");
        }
        for (closed, code) in [(3, fourth), (6, sixth)] {
            let verdict = after(weight, closed, of);
            let expected = (code, true);
            assert_eq!(
                told(&verdict),
                expected,
                "{from} {weight} {seen} {closed}: {verdict:?}"
            );
        }
    }
    // a canary that has lost its requests before the step has not got them back
    let of = |index| if index < SINCE - 4 { 5.0 } else { 0.0 };
    assert!((0..8).all(|closed| told(&after(25.0, closed, of)).0));
}

#[test]
fn a_step_that_may_have_begun_before_the_first_question_is_looked_at() {
    let mut row = Row::new(ERRORS, "");
    (row.weight, row.blocks, row.step_lasted) = (50.0, 60, Some(0));
    // near to no step of the policy
    let verdict = row.judge(shares(|_| 1.0));
    assert_eq!(told(&verdict), (true, true), "{verdict:?}");
}
