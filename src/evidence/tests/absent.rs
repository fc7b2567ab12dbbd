//! Series that their pod goes on without: what they gain meanwhile is not zero.

use super::{COUNTS, GRID, Role, Rows, canary, counts, identity, labels, read};
use crate::{
    domain::{SampleSink, Track},
    evidence::{Block, Condenser, Kind, Notes},
};

const TRIALS: Role = Role::Trials;
const EVENTS: Role = Role::Events;

/// Every 15 s from -295 s on: so much in each scrape; without the samples in `gap`.
pub(super) fn steady(gain: f64, until: i64, gap: std::ops::Range<i64>) -> Vec<(i64, f64)> {
    (-295..until)
        .step_by(15)
        .zip(0..)
        .map(|(at, i): (i64, i32)| (at, 1_000. + gain * f64::from(i)))
        .filter(|(at, _)| !gap.contains(at))
        .collect()
}

fn all(gain: f64) -> Vec<(i64, f64)> {
    steady(gain, 300, 0..0)
}

/// The blocks do not depend on how they are read.
pub(super) fn each_by_itself(rows: Rows<'_>, last: i64) -> (Vec<(i64, Block)>, Notes) {
    let mut condenser = Condenser::new(Kind::Counts { proportion: true }, GRID, identity());
    let mut notes = Notes::default();
    let mut blocks = Vec::new();
    for block in 0..=last {
        let from = if block == 0 { -300 } else { 30 * block };
        let inside = |s: &&(i64, f64)| s.0 > from && s.0 <= 30 * block + 30;
        let own: Vec<Vec<(i64, f64)>> = rows
            .iter()
            .map(|row| row.2.iter().filter(inside).copied().collect())
            .collect();
        let own: Vec<_> = rows
            .iter()
            .zip(&own)
            .map(|(row, own)| (row.0, row.1, &own[..]))
            .collect();
        let closed = read(&mut condenser, COUNTS, &own, block, block);
        blocks.extend(closed.blocks);
        notes += closed.notes;
    }
    (blocks, notes)
}

/// In which blocks is the canary's pod of this number, and its events in each of them.
fn check(rows: Rows<'_>, last: i64, pod: u32, expected: &[(usize, f64)]) -> Notes {
    let (blocks, notes) = counts(rows, last);
    let (single, again) = each_by_itself(rows, last);
    let whole: Vec<_> = (0..)
        .zip(blocks.iter().cloned().map(Block::Counts))
        .collect();
    assert_eq!(single, whole);
    assert_eq!(again, notes);
    let of_pod = |(k, block): (usize, &crate::evidence::Counts)| {
        let found = block.canary.iter().find(|p| p.pod == pod);
        found.map(|p| (k, p.events))
    };
    let got: Vec<(usize, f64)> = blocks.iter().enumerate().filter_map(of_pod).collect();
    assert_eq!(got, expected);
    notes
}

#[test]
fn a_pod_is_left_out_while_one_of_its_series_is_missing() {
    let (trials, gap) = (all(20.), steady(1., 300, 60..150));
    let rows = [
        (TRIALS, "hash=c;pod=a", &trials[..]),
        (TRIALS, "hash=c;pod=b", &trials[..]),
        (EVENTS, "hash=c;pod=a", &gap[..]),
    ];
    // gone in blocks 2 to 4; what it gained since is of block 5 no more than of those
    let expected = [0, 1, 6, 7, 8].map(|k| (k, 2.));
    let notes = check(&rows, 8, 0, &expected);
    assert_eq!((notes.missing, notes.missing_pods), (4, 1));
    assert!(notes.warnings()[0].starts_with("4 blocks of 1 pods left out"));
    let whole: Vec<_> = (0..9).map(|k| (k, 0.)).collect();
    check(&rows, 8, 1, &whole);
    // the same with the denominator
    let (gap, events) = (steady(20., 300, 60..150), all(1.));
    let rows = [
        (TRIALS, "hash=c;pod=a", &gap[..]),
        (EVENTS, "hash=c;pod=a", &events[..]),
    ];
    let left: Vec<usize> = canary(&rows, 8).iter().map(Vec::len).collect();
    assert_eq!(left, [1, 1, 0, 0, 0, 0, 1, 1, 1]);
}

#[test]
fn it_stays_left_out_until_the_series_is_forgotten() {
    let trials = steady(20., 4_000, 0..0);
    let events = steady(1., 60, 0..0);
    let rows = [
        (TRIALS, "hash=c;pod=a", &trials[..]),
        (EVENTS, "hash=c;pod=a", &events[..]),
    ];
    // last seen at 50: forgotten in the first block that begins an hour later, or as soon after
    let expected: Vec<_> = (0..133)
        .filter(|k| !(2..122).contains(k))
        .map(|k| (k, if k < 2 { 2. } else { 0. }))
        .collect();
    check(&rows, 132, 0, &expected);
}

#[test]
fn an_idle_series_may_expire() {
    let trials = all(20.);
    let mut events = steady(1., 60, 0..0);
    let (_, value) = *events.last().unwrap();
    events.extend([65, 80, 95, 110, 125].map(|at| (at, value)));
    // and is back with its next error, at its old height
    events.extend([215, 230, 245, 260].map(|at| (at, value + 1.)));
    let rows = [
        (TRIALS, "hash=c;pod=a", &trials[..]),
        (EVENTS, "hash=c;pod=a", &events[..]),
    ];
    let expected = [2., 2., 0., 0., 0., 0., 0., 1., 0.];
    let expected: Vec<_> = expected.into_iter().enumerate().collect();
    let notes = check(&rows, 8, 0, &expected);
    assert_eq!(notes.missing, 0);
}

#[test]
fn a_target_whose_next_scrape_is_not_due_has_no_successor() {
    let later = |samples: Vec<(i64, f64)>| -> Vec<(i64, f64)> {
        samples.into_iter().map(|(at, v)| (at + 3, v)).collect()
    };
    let (trials, beside) = (all(20.), later(all(20.)));
    let events = all(1.);
    let first = [53, 68, 83, 98, 113].iter().zip(1..);
    let first: Vec<(i64, f64)> = first.map(|(at, n)| (*at, f64::from(n))).collect();
    let rows = [
        (TRIALS, "hash=c;pod=a;target=x", &trials[..]),
        (TRIALS, "hash=c;pod=a;target=y", &beside[..]),
        (EVENTS, "hash=c;pod=a;target=x", &events[..]),
        (EVENTS, "hash=c;pod=a;target=y", &first[..]),
    ];
    let notes = check(&rows, 2, 0, &[(0, 2.), (1, 3.), (2, 4.)]);
    assert_eq!(notes.renamed, 0);
}

#[test]
fn late_samples_and_a_slower_rhythm_are_no_gap() {
    let trials = all(20.);
    let late = [
        (-20, 1.),
        (-5, 2.),
        (10, 3.),
        (25, 4.),
        (41, 5.),
        (55, 6.),
        (91, 7.),
        (105, 8.),
    ];
    let slow: Vec<(i64, f64)> = (-4..5)
        .map(|i| (60 * i + 10, f64::from(i as i32 + 9)))
        .collect();
    for (name, events) in [("slow", &slow[..]), ("one is late", &late[..6])] {
        let rows = [
            (TRIALS, "hash=c;pod=a", &trials[..]),
            (EVENTS, "hash=c;pod=a", events),
        ];
        let blocks = canary(&rows, if name == "slow" { 7 } else { 1 });
        assert!(blocks.iter().all(|b| b.len() == 1), "{name}: {blocks:?}");
    }
}

#[test]
fn a_restarted_pod_has_no_errors_to_show() {
    let restarted: Vec<(i64, f64)> = all(20.)
        .into_iter()
        .map(|(at, v)| (at, if at > 60 { v - 1_470. } else { v }))
        .collect();
    let mut events = steady(1., 60, 0..0);
    events.extend([(155, 1.), (170, 2.), (185, 2.)]);
    let rows = [
        (TRIALS, "hash=c;pod=a", &restarted[..]),
        (EVENTS, "hash=c;pod=a", &events[..]),
    ];
    let expected = [2., 2., 0., 0., 0., 2.];
    let expected: Vec<_> = expected.into_iter().enumerate().collect();
    let notes = check(&rows, 5, 0, &expected);
    assert_eq!((notes.missing, notes.resets), (0, 2));
}

#[test]
fn another_replica_stands_in_and_pods_without_a_name_may_end() {
    let (trials, gap) = (all(20.), steady(1., 300, 60..150));
    let rows = [
        (TRIALS, "hash=c;pod=a;replica=0", &trials[..]),
        (EVENTS, "hash=c;pod=a;replica=0", &gap[..]),
        (EVENTS, "hash=c;pod=a;replica=1", &all(1.)[..]),
    ];
    assert!(canary(&rows, 8).iter().all(|b| b.len() == 1));
    let rows = [
        (TRIALS, "hash=c;server=x", &trials[..]),
        (TRIALS, "hash=c;server=y", &gap[..]),
        (EVENTS, "hash=c;server=x", &gap[..]),
    ];
    assert!(canary(&rows, 8).iter().all(|b| b.len() == 1));
}

#[test]
fn an_arm_of_nothing_but_left_out_pods_is_told() {
    let (trials, gap) = (all(20.), steady(1., 300, 60..150));
    let rows = [
        (TRIALS, "hash=c;pod=a", &trials[..]),
        (TRIALS, "hash=s;pod=b", &trials[..]),
        (EVENTS, "hash=c;pod=a", &gap[..]),
    ];
    let mut condenser = Condenser::new(Kind::Counts { proportion: true }, GRID, identity());
    let blind: Vec<u32> = (0..8)
        .map(|block| {
            read(&mut condenser, COUNTS, &rows, block, block);
            condenser.blind(Track::Canary)
        })
        .collect();
    assert_eq!(blind, [0, 0, 1, 2, 3, 4, 0, 0]);
    assert_eq!(condenser.blind(Track::Stable), 0);
}

#[test]
fn a_bucket_or_a_sum_that_is_missing_leaves_the_pod_out() {
    let (whole, gap) = (all(20.), steady(10., 300, 60..150));
    for (kind, rows) in [
        (
            Kind::Histogram { warm_up: 0 },
            [
                (Role::Histogram, "le=+Inf", &whole),
                (Role::Histogram, "le=0.5", &gap),
            ],
        ),
        (
            Kind::Histogram { warm_up: 0 },
            [
                (Role::Histogram, "le=+Inf", &gap),
                (Role::Histogram, "le=0.5", &gap),
            ],
        ),
        (
            Kind::Means,
            [(Role::Count, "", &whole), (Role::Sum, "", &gap)],
        ),
        (
            Kind::Means,
            [(Role::Sum, "", &whole), (Role::Count, "", &gap)],
        ),
    ] {
        let mut condenser = Condenser::new(kind, GRID, identity());
        let pieces = kind.needs().iter().map(|&role| {
            let mut piece = condenser.piece(role, None, 0, 8);
            for (_, more, samples) in rows.iter().filter(|r| r.0 == role) {
                piece.series(labels(&format!("hash=c;pod=a;{more}")));
                for &(at, value) in *samples {
                    piece.sample(at * 1_000, value);
                }
            }
            piece
        });
        let pieces = pieces.collect();
        let closed = condenser.close(pieces).unwrap();
        let there = closed.blocks.iter().map(|(_, block)| match block {
            Block::Histograms(h) => h.canary.first().map(|p| p.cumulative.last().copied()),
            Block::Means(m) => m.canary.map(|m| Some(m.sum.max(m.count))),
            _ => None,
        });
        let there: Vec<Option<Option<f64>>> = there.collect();
        if rows[0].2.len() == rows[1].2.len() {
            // the whole pod was away: what it gained meanwhile comes in one block
            assert_eq!(there[5], Some(Some(80.)));
            assert_eq!(closed.notes.missing, 0);
        } else {
            let expected = [1, 1, 0, 0, 0, 0, 1, 1, 1].map(|n| (n > 0).then_some(Some(40.)));
            assert_eq!(there, expected, "{kind:?}");
        }
    }
}
