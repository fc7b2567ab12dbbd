//! `le` and `vmrange` histograms, and the warm-up.

use super::{GRID, Role, identity, labels};
use crate::{
    domain::SampleSink,
    evidence::{Block, Condenser, Histograms, Kind, Notes},
};

pub(super) type Series<'a> = &'a [(&'a str, &'a [(i64, f64)])];

pub(super) fn histograms(warm_up: i64, rows: Series<'_>, last: i64) -> (Vec<Histograms>, Notes) {
    let warm_up = warm_up * 1_000;
    let mut condenser = Condenser::new(Kind::Histogram { warm_up }, GRID, identity());
    let mut piece = condenser.piece(Role::Histogram, None, 0, last);
    for (name, samples) in rows {
        piece.series(labels(name));
        for &(at, value) in *samples {
            piece.sample(at * 1_000, value);
        }
    }
    let closed = condenser.close(vec![piece]).unwrap();
    let blocks = closed.blocks.into_iter().map(|(_, b)| match b {
        Block::Histograms(h) => h,
        other => panic!("{other:?}"),
    });
    (blocks.collect(), closed.notes)
}

fn cumulative(pods: &[crate::evidence::PodHistogram]) -> Vec<&[f64]> {
    pods.iter().map(|p| &p.cumulative[..]).collect()
}

const INF: f64 = f64::INFINITY;

#[test]
fn families_of_a_pod_add_up_and_edges_are_numbers() {
    let (blocks, notes) = histograms(
        60,
        &[
            ("hash=c;pod=a;le=0.5", &[(-5, 1.), (20, 4.)]),
            ("hash=c;pod=a;le=1", &[(-5, 2.), (20, 7.)]),
            ("hash=c;pod=a;le=+Inf", &[(-5, 2.), (20, 8.)]),
            ("hash=c;pod=a;path=x;le=1.0", &[(-5, 0.), (20, 2.)]),
            ("hash=c;pod=a;path=x;le=5e-1", &[(-5, 0.), (20, 1.)]),
            ("hash=c;pod=a;path=x;le=Inf", &[(-5, 0.), (20, 3.)]),
            ("hash=c;pod=a;path=x;le=wide", &[(-5, 0.), (20, 3.)]),
        ],
        0,
    );
    assert_eq!(blocks[0].edges, [0.5, 1.0, INF]);
    assert_eq!(cumulative(&blocks[0].canary), [[4., 7., 9.]]);
    assert_eq!(notes.unusable_series, 1);
}

#[test]
fn edges_are_those_that_all_have() {
    let (blocks, notes) = histograms(
        0,
        &[
            ("hash=c;pod=a;le=0.5", &[(-5, 1.), (20, 4.)]),
            ("hash=c;pod=a;le=1", &[(-5, 2.), (20, 7.)]),
            ("hash=c;pod=a;le=+Inf", &[(-5, 2.), (20, 8.)]),
            ("hash=s;pod=b;le=1", &[(-5, 2.), (20, 3.)]),
            ("hash=s;pod=b;le=2", &[(-5, 2.), (20, 4.)]),
            ("hash=s;pod=b;le=+Inf", &[(-5, 2.), (20, 5.)]),
            ("hash=s;pod=z;le=7", &[(-5, 2.), (20, 5.)]),
        ],
        0,
    );
    assert_eq!(blocks[0].edges, [1.0, INF]);
    assert_eq!(cumulative(&blocks[0].canary), [[5., 6.]]);
    assert_eq!(cumulative(&blocks[0].stable), [[1., 3.]]);
    assert_eq!((notes.edges_dropped, notes.endless_missing), (2, 1));
}

#[test]
fn falls_between_neighbours_are_repaired() {
    let (blocks, _) = histograms(
        0,
        &[
            ("hash=c;pod=a;le=0.5", &[(-5, 1.), (20, 4.)]),
            ("hash=c;pod=a;le=1", &[(-5, 2.), (20, 4.)]),
            ("hash=c;pod=a;le=+Inf", &[(-5, 2.), (20, 8.)]),
        ],
        0,
    );
    assert_eq!(cumulative(&blocks[0].canary), [[3., 3., 6.]]);
}

#[test]
fn ranges_become_cumulative_over_the_union_of_edges() {
    let (blocks, notes) = histograms(
        0,
        &[
            (
                "hash=c;pod=a;vmrange=1.000e-01...1.136e-01",
                &[(-5, 1.), (20, 4.)],
            ),
            ("hash=c;pod=a;vmrange=1.292e-01...1.468e-01", &[(20, 2.)]),
            ("hash=s;pod=b;vmrange=0...1.000e-01", &[(-5, 2.), (20, 3.)]),
            (
                "hash=s;pod=b;vmrange=1.000e-01...1.136e-01",
                &[(-5, 2.), (20, 3.)],
            ),
            ("hash=s;pod=b;vmrange=backwards", &[(-5, 2.), (20, 3.)]),
        ],
        0,
    );
    assert_eq!(blocks[0].edges, [0.0, 0.1, 0.1136, 0.1292, 0.1468, INF]);
    assert_eq!(cumulative(&blocks[0].canary), [[0., 0., 3., 3., 5., 5.]]);
    assert_eq!(cumulative(&blocks[0].stable), [[0., 1., 2., 2., 2., 2.]]);
    assert_eq!((notes.unusable_series, notes.edges_dropped), (1, 0));
}

#[test]
fn a_reference_case_of_ranges() {
    // vmrange_histogram-001, its first rows
    let ranges = [
        ("3.594e-03...4.084e-03", 1.),
        ("5.995e-03...6.813e-03", 2.),
        ("6.813e-03...7.743e-03", 1.),
        ("7.743e-03...8.799e-03", 4.),
        ("8.799e-03...1.000e-02", 6.),
    ];
    let rows: Vec<_> = ranges
        .iter()
        .map(|(r, n)| (format!("hash=c;pod=a;vmrange={r}"), [(-5, 0.), (20, *n)]))
        .collect();
    let rows: Vec<_> = rows.iter().map(|(n, s)| (&n[..], &s[..])).collect();
    let (blocks, _) = histograms(0, &rows, 0);
    assert_eq!(
        blocks[0].edges,
        [
            3.594e-3, 4.084e-3, 5.995e-3, 6.813e-3, 7.743e-3, 8.799e-3, 0.01, INF
        ]
    );
    assert_eq!(
        cumulative(&blocks[0].canary),
        [[0., 1., 1., 3., 4., 8., 14., 14.]]
    );
}

#[test]
fn new_and_restarted_pods_warm_up_old_ones_do_not() {
    let every = |from: i64, reset: i64| -> Vec<(i64, f64)> {
        (from..240)
            .step_by(10)
            .map(|t| (t, (if t >= reset { t - reset } else { 500 + t }) as f64))
            .collect()
    };
    let (old, restarted, new) = (every(-50, 999), every(-50, 41), every(5, 999));
    let rows: Series<'_> = &[
        ("hash=s;pod=old;le=+Inf", &old),
        ("hash=s;pod=restarted;le=+Inf", &restarted),
        ("hash=c;pod=new;le=+Inf", &new),
    ];
    let (blocks, notes) = histograms(60, rows, 6);
    let present: Vec<_> = blocks
        .iter()
        .map(|b| (b.stable.len(), b.canary.len()))
        .collect();
    // new: 5 + 60 + 10 = 75, so from block 3 (90); restarted, seen at 50: 120, so from block 4
    assert_eq!(
        present,
        [(2, 0), (1, 0), (1, 0), (1, 1), (2, 1), (2, 1), (2, 1)]
    );
    assert_eq!((notes.warming_up, notes.resets), (6, 1));
}

#[test]
fn a_canary_without_pod_names_warms_up_as_a_whole_stable_does_not() {
    let samples: &[(i64, f64)] = &[(5, 1.), (25, 2.), (55, 3.), (85, 4.), (115, 5.), (145, 6.)];
    let (blocks, _) = histograms(
        60,
        &[
            ("hash=c;le=+Inf", samples),
            ("hash=s;pod=b;le=+Inf", &[(-5, 1.), (115, 2.)]),
            ("hash=s;le=+Inf", samples),
        ],
        4,
    );
    let arms: Vec<(usize, usize)> = blocks
        .iter()
        .map(|b| (b.canary.len(), b.stable.len()))
        .collect();
    assert_eq!(arms, [(0, 1), (0, 1), (0, 1), (0, 2), (1, 1)]);
}
