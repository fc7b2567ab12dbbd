//! What counts from zero and what only from its first sample.

use super::{Role, Rows, canary, counts};

const TRIALS: Role = Role::Trials;
const EVENTS: Role = Role::Events;

#[test]
fn first_samples() {
    let check = |name: &str, rows: Rows<'_>, expected: &[&[(u32, f64, f64)]]| {
        assert_eq!(canary(rows, expected.len() as i64 - 1), expected, "{name}");
    };
    check(
        "an old pod: seen in the five minutes before",
        &[(TRIALS, "hash=c;pod=a", &[(-100, 500.), (10, 507.)])],
        &[&[(0, 0., 7.)]],
    );
    check(
        "a new pod: first seen later",
        &[(TRIALS, "hash=c;pod=a", &[(40, 7.), (55, 9.)])],
        &[&[], &[(0, 0., 9.)]],
    );
    check(
        "an error series appears with the first error",
        &[
            (
                TRIALS,
                "hash=c;pod=a",
                &[(-100, 500.), (10, 507.), (40, 520.)],
            ),
            (EVENTS, "hash=c;pod=a;code=500", &[(40, 3.)]),
        ],
        &[&[(0, 0., 7.)], &[(0, 3., 13.)]],
    );
    check(
        "an old error series",
        &[
            (TRIALS, "hash=c;pod=a", &[(-100, 500.), (10, 507.)]),
            (EVENTS, "hash=c;pod=a;code=500", &[(-100, 30.), (10, 31.)]),
        ],
        &[&[(0, 1., 7.)]],
    );
    check(
        "no pod label: an arm never seen starts with a baseline",
        &[
            (TRIALS, "hash=c", &[(10, 500.), (20, 507.)]),
            (EVENTS, "hash=c", &[(10, 30.), (20, 31.)]),
        ],
        &[&[(0, 1., 7.)]],
    );
    check(
        "no pod label: an arm seen before counts from zero",
        &[
            (TRIALS, "hash=c", &[(10, 500.), (20, 507.)]),
            (EVENTS, "hash=c", &[(20, 3.)]),
        ],
        &[&[(0, 3., 7.)]],
    );
    check(
        "the instance serves where there is no pod",
        &[(TRIALS, "hash=c;instance=h:1", &[(40, 7.)])],
        &[&[], &[(0, 0., 7.)]],
    );
    check(
        "events without trials leave the pod out",
        &[(EVENTS, "hash=c;pod=a", &[(10, 7.)])],
        &[&[]],
    );
    check(
        "trials without a sample leave the pod out until the block after they came back, others stay",
        &[
            (TRIALS, "hash=c;pod=a", &[(-5, 1.), (40, 4.)]),
            (EVENTS, "hash=c;pod=a", &[(-5, 1.), (10, 1.)]),
            (TRIALS, "hash=c;pod=b", &[(-5, 1.), (10, 3.), (40, 4.)]),
        ],
        &[&[(1, 0., 2.)], &[(1, 0., 1.)]],
    );
    check(
        "pods are numbered by first block, then name, and sorted by name",
        &[
            (TRIALS, "hash=c;pod=b", &[(10, 1.), (40, 2.)]),
            (TRIALS, "hash=c;pod=c", &[(5, 1.), (40, 2.)]),
            (TRIALS, "hash=c;pod=a", &[(40, 2.)]),
        ],
        &[
            &[(0, 0., 1.), (1, 0., 1.)],
            &[(2, 0., 2.), (0, 0., 1.), (1, 0., 1.)],
        ],
    );
}

#[test]
fn a_series_that_comes_back_late_starts_with_a_baseline() {
    let other: Vec<(i64, f64)> = (0..50).map(|i| (15 * i, 0.0)).collect();
    for (back, next) in [
        ((601, 30.), (631, 34.)),
        ((601, 3.), (631, 7.)),
        ((300, 30.), (331, 34.)),
    ] {
        let rows = [
            (EVENTS, "hash=c;pod=a", &[(-5, 10.), back, next][..]),
            (TRIALS, "hash=c;pod=a", &other[..]),
        ];
        let (blocks, _) = super::counts_free(&rows, 21);
        let events: f64 = blocks
            .iter()
            .flat_map(|b| &b.canary)
            .map(|p| p.events)
            .sum();
        assert_eq!(events, 4.0, "{back:?}");
    }
}

#[test]
fn after_silence_of_everything_unknown_pods_are_not_news() {
    let rows = [
        (TRIALS, "hash=c;pod=a", &[(-5, 10.), (20, 11.)][..]),
        (
            TRIALS,
            "hash=c;pod=b",
            &[(605, 1_000.), (615, 1_002.), (645, 1_003.)][..],
        ),
    ];
    let (blocks, _) = counts(&rows, 21);
    assert_eq!(blocks[20].canary[0].trials, 2.0);
    assert_eq!(blocks[21].canary[0].trials, 1.0);
}

#[test]
fn what_was_not_seen_for_an_hour_is_forgotten() {
    let alive: Vec<(i64, f64)> = (-1..300).map(|i| (15 * i, 1.0)).collect();
    for (back, events) in [(3_500, 0.0), (3_700, 20.0)] {
        let rows = [
            (EVENTS, "hash=c;pod=a", &[(10, 5.), (back, 20.)][..]),
            (TRIALS, "hash=c;pod=a", &alive[..]),
        ];
        let (blocks, _) = super::counts_free(&rows, 140);
        let late: f64 = blocks[1..]
            .iter()
            .flat_map(|b| &b.canary)
            .map(|p| p.events)
            .sum();
        assert_eq!(late, events, "{back}");
    }
}
