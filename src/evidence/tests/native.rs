//! Native histograms.

use super::{GRID, Role, identity, labels, native};
use crate::{
    domain::{NativeHistogram, SampleSink},
    evidence::{Block, Condenser, Histograms, Kind},
};

const INF: f64 = f64::INFINITY;

fn native_blocks(rows: &[(&str, Vec<(i64, NativeHistogram)>)], last: i64) -> Vec<Histograms> {
    let mut condenser = Condenser::new(Kind::Histogram { warm_up: 0 }, GRID, identity());
    let mut piece = condenser.piece(Role::Histogram, None, 0, last);
    for (name, samples) in rows {
        piece.series(labels(name));
        for (at, value) in samples {
            piece.histogram(at * 1_000, value.clone());
        }
    }
    let closed = condenser.close(vec![piece]).unwrap();
    let blocks = closed.blocks.into_iter().map(|(_, b)| match b {
        Block::Histograms(h) => h,
        other => panic!("{other:?}"),
    });
    blocks.collect()
}

#[test]
fn buckets_are_counters_and_zero_lies_below() {
    let blocks = native_blocks(
        &[(
            "hash=c;pod=a",
            vec![
                (-5, native(3., &[(-1e-9, 1e-9, 1.), (1., 2., 2.)])),
                (
                    20,
                    native(
                        9.,
                        &[
                            (-2., -1., 1.),
                            (-1e-9, 1e-9, 2.),
                            (1., 2., 3.),
                            (4., 8., 3.),
                        ],
                    ),
                ),
            ],
        )],
        0,
    );
    assert_eq!(blocks[0].edges, [1., 2., 4., 8., INF]);
    assert_eq!(blocks[0].canary[0].cumulative, [2., 3., 3., 6., 6.]);
}

#[test]
fn a_fall_of_the_total_is_a_restart_and_the_pod_warms_up() {
    let blocks = native_blocks(
        &[(
            "hash=c;pod=a",
            vec![
                (-5, native(3., &[(1., 2., 3.)])),
                (10, native(5., &[(1., 2., 5.)])),
                (20, native(4., &[(1., 2., 1.), (2., 4., 3.)])),
                (40, native(6., &[(1., 2., 1.), (2., 4., 5.)])),
                (70, native(9., &[(1., 2., 3.), (2., 4., 6.)])),
                (95, native(1., &[(2., 4., 1.)])),
            ],
        )],
        3,
    );
    let present: Vec<usize> = blocks.iter().map(|b| b.canary.len()).collect();
    assert_eq!(present, [0, 1, 1, 0]);
    assert_eq!(blocks[1].canary[0].cumulative, [0., 0., 2., 2.]);
    assert_eq!(blocks[2].canary[0].cumulative, [0., 2., 3., 3.]);
}

#[test]
fn the_coarser_schema_serves_all() {
    let fine = 2_f64.sqrt();
    let blocks = native_blocks(
        &[
            (
                "hash=c;pod=a",
                vec![
                    (-5, native(0., &[])),
                    (
                        20,
                        native(6., &[(1., fine, 1.), (fine, 2., 2.), (2., 2. * fine, 3.)]),
                    ),
                    (
                        50,
                        native(7., &[(1., fine, 2.), (fine, 2., 2.), (2., 2. * fine, 3.)]),
                    ),
                ],
            ),
            (
                "hash=s;pod=b",
                vec![(-5, native(0., &[])), (20, native(5., &[(1., 2., 5.)]))],
            ),
        ],
        1,
    );
    assert_eq!(blocks[0].edges, [1., 2., 4., INF]);
    assert_eq!(blocks[0].canary[0].cumulative, [0., 3., 6., 6.]);
    assert_eq!(blocks[0].stable[0].cumulative, [0., 5., 5., 5.]);
    assert_eq!(blocks[1].edges, [1., 2., 4., INF], "it stays coarse");
    assert_eq!(blocks[1].canary[0].cumulative, [0., 1., 1., 1.]);
}

#[test]
fn a_series_may_lose_resolution_between_samples() {
    let edge = |i: i32| f64::from(i).mul_add(0.125, 0.0).exp2();
    let fine: Vec<_> = (1..=16).map(|i| (edge(i - 1), edge(i), 1.)).collect();
    let blocks = native_blocks(
        &[(
            "hash=c;pod=a",
            vec![
                (-5, native(16., &fine)),
                (20, native(20., &[(1., 2., 10.), (2., 4., 10.)])),
            ],
        )],
        0,
    );
    assert_eq!(blocks[0].edges, [1., 2., 4., INF]);
    assert_eq!(blocks[0].canary[0].cumulative, [0., 2., 4., 4.]);
}

#[test]
fn edges_of_their_own_are_kept() {
    let blocks = native_blocks(
        &[(
            "hash=c;pod=a",
            vec![
                (-5, native(0., &[])),
                (
                    20,
                    native(6., &[(0., 0.1, 1.), (0.1, 0.25, 2.), (0.25, INF, 3.)]),
                ),
            ],
        )],
        0,
    );
    assert_eq!(blocks[0].edges, [0., 0.1, 0.25, INF]);
    assert_eq!(blocks[0].canary[0].cumulative, [0., 1., 3., 6.]);
}

#[test]
fn nonsense_is_dropped() {
    let mut condenser = Condenser::new(Kind::Histogram { warm_up: 0 }, GRID, identity());
    let mut piece = condenser.piece(Role::Histogram, None, 0, 0);
    piece.series(labels("hash=c;pod=a"));
    for bad in [
        native(f64::NAN, &[]),
        native(-1., &[]),
        native(1., &[(2., 1., 1.)]),
        native(1., &[(f64::NAN, 1., 1.)]),
        native(1., &[(1., 2., INF)]),
    ] {
        piece.histogram(5_000, bad);
    }
    piece.sample(6_000, 1.0);
    piece.series(labels("hash=c;pod=a;le=1"));
    piece.histogram(5_000, native(1., &[]));
    let closed = condenser.close(vec![piece]).unwrap();
    assert_eq!(closed.blocks[0].1, Block::Histograms(Histograms::default()));
    assert_eq!((closed.notes.dropped, closed.notes.unusable_series), (6, 1));
}
