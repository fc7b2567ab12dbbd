//! Increases of one series in one block: the semantics of the reference vectors.

use super::{Role, canary, counts, read};
use crate::evidence::{Block, Condenser, Grid, Kind};

/// Window `(start, end]` as block 0; pod known long before if `old`. Answers the trials of the pod.
fn increase(samples: &[(i64, f64)], start: i64, end: i64, old: bool) -> Option<f64> {
    let grid = Grid {
        anchor: start * 1_000,
        length: (end - start) * 1_000,
    };
    let mut condenser = Condenser::new(Kind::Counts { proportion: true }, grid, super::identity());
    let mut rows = vec![(Role::Trials, "hash=c;pod=a", samples)];
    let known = [(start - 200, 1.0), (end, 1.0)];
    if old {
        rows.push((Role::Events, "hash=c;pod=a", &known));
    }
    let closed = read(&mut condenser, super::COUNTS, &rows, 0, 0);
    match &closed.blocks[0].1 {
        Block::Counts(c) => c.canary.first().map(|p| p.trials),
        other => panic!("{other:?}"),
    }
}

#[test]
fn increases_are_exact() {
    let every = |from: i64, values: &[f64]| -> Vec<(i64, f64)> {
        (0..)
            .zip(values)
            .map(|(i, v)| (from + 15 * i, *v))
            .collect()
    };
    for (name, samples, (start, end), expected) in [
        (
            "baseline before the window",
            every(
                150,
                &[55., 63., 71., 75., 79., 82., 89., 92., 98., 102., 107.],
            ),
            (187, 307),
            Some(36.),
        ),
        (
            "a reset inside",
            every(180, &[51., 54., 59., 64., 69., 75., 82., 86., 3., 6., 10.]),
            (187, 307),
            Some(38.),
        ),
        (
            "two resets",
            vec![(180, 5.), (190, 7.), (200, 2.), (210, 4.), (220, 1.)],
            (187, 307),
            Some(7.),
        ),
        (
            "a reset at the border",
            vec![(180, 50.), (190, 7.), (200, 9.)],
            (187, 307),
            Some(9.),
        ),
        (
            "new from zero (015)",
            vec![(300, 7.), (315, 13.)],
            (187, 307),
            Some(7.),
        ),
        (
            "nothing inside (017)",
            vec![(420, 5.), (435, 11.)],
            (187, 307),
            None,
        ),
        (
            "new, three samples (018)",
            vec![(420, 5.), (435, 11.), (450, 21.)],
            (307, 607),
            Some(21.),
        ),
        ("one sample (020)", vec![(450, 9.)], (307, 607), Some(9.)),
        (
            "gone before (022)",
            vec![(0, 7.), (195, 57.)],
            (307, 607),
            None,
        ),
        (
            "baseline exactly 300 s old",
            vec![(0, 4.), (310, 9.)],
            (300, 330),
            Some(5.),
        ),
        (
            "baseline 301 s old",
            vec![(0, 4.), (310, 9.), (320, 11.)],
            (301, 331),
            Some(2.),
        ),
        (
            "too old, yet lower",
            vec![(0, 40.), (310, 9.), (320, 11.)],
            (301, 331),
            Some(11.),
        ),
        (
            "start belongs to the past",
            vec![(100, 4.), (130, 9.)],
            (100, 130),
            Some(5.),
        ),
        (
            "end belongs to the block",
            vec![(90, 4.), (130, 9.), (131, 50.)],
            (100, 130),
            Some(5.),
        ),
    ] {
        for old in [false, true] {
            assert_eq!(increase(&samples, start, end, old), expected, "{name}");
        }
    }
}

#[test]
fn an_increment_belongs_to_the_block_of_its_later_sample() {
    let rows = [(
        Role::Trials,
        "hash=c;pod=a",
        &[(-5, 10.), (25, 14.), (35, 15.), (60, 21.), (95, 30.)][..],
    )];
    assert_eq!(
        canary(&rows, 3),
        [
            vec![(0, 0., 4.)],
            vec![(0, 0., 7.)],
            vec![],
            vec![(0, 0., 9.)]
        ]
    );
}

#[test]
fn bad_samples_are_dropped_and_counted() {
    let samples = [
        (-5, 10.),
        (5, f64::NAN),
        (10, f64::INFINITY),
        (15, -1.),
        (20, 12.),
        (25, f64::NEG_INFINITY),
    ];
    let rows = [(Role::Trials, "hash=c;pod=a", &samples[..])];
    let (blocks, notes) = counts(&rows, 0);
    assert_eq!(blocks[0].canary[0].trials, 2.0);
    assert_eq!(notes.dropped, 4);
}

#[test]
fn duplicates_and_disorder_are_ignored() {
    let samples = [
        (-5, 10.),
        (5, 12.),
        (5, 99.),
        (3, 0.),
        (20, 13.),
        (5, 12.),
        (25, 14.),
    ];
    assert_eq!(
        canary(&[(Role::Trials, "hash=c;pod=a", &samples)], 0),
        [vec![(0, 0., 4.)]]
    );
}

#[test]
fn resets_are_counted() {
    let samples = [(-5, 10.), (5, 2.), (10, 1.), (40, 0.), (50, 3.)];
    let (_, notes) = counts(&[(Role::Trials, "hash=c;pod=a", &samples)], 1);
    assert_eq!((notes.resets, notes.scrape_interval), (3, Some(5_000)));
}

#[test]
fn events_are_cut_to_trials_only_in_a_proportion() {
    let rows = [
        (Role::Trials, "hash=c;pod=a", &[(-5, 10.), (20, 12.)][..]),
        (Role::Events, "hash=c;pod=a", &[(-5, 10.), (20, 15.)][..]),
    ];
    for (proportion, events, clamped) in [(true, 2.0, 1), (false, 5.0, 0)] {
        let mut condenser =
            Condenser::new(Kind::Counts { proportion }, super::GRID, super::identity());
        let closed = read(&mut condenser, super::COUNTS, &rows, 0, 0);
        let Block::Counts(block) = &closed.blocks[0].1 else {
            panic!()
        };
        assert_eq!(
            (block.canary[0].events, closed.notes.clamped),
            (events, clamped)
        );
    }
}
