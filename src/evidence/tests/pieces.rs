//! Blocks do not depend on how the reading was cut.

use super::{Grid, Role, identity, labels, native};
use crate::{
    domain::{Millis, NativeHistogram, SampleSink},
    evidence::{Block, Condenser, Kind, LOOKBACK},
};
use proptest::prelude::*;

const BLOCKS: i64 = 30;

/// One series: role, labels, samples in ascending time; a native histogram stands in `.2` where the series has no `le`.
type Line = (Role, String, Vec<(Millis, f64, Option<NativeHistogram>)>);

/// Feeds `lines` cut before each block of `cuts`; each later piece answers the samples after `overlap` before it.
fn run(kind: Kind, grid: Grid, lines: &[Line], cuts: &[i64], overlap: Millis) -> Vec<(i64, Block)> {
    let mut condenser = Condenser::new(kind, grid, identity());
    let mut starts: Vec<i64> = std::iter::once(0).chain(cuts.iter().copied()).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut blocks = Vec::new();
    for (i, &first) in starts.iter().enumerate() {
        let last = starts.get(i + 1).map_or(BLOCKS - 1, |next| next - 1);
        let back = if i == 0 { LOOKBACK } else { overlap };
        let from = grid.start_of(first) - back;
        let pieces = kind.needs().iter().map(|&role| {
            let mut piece = condenser.piece(role, None, first, last);
            for (_, name, samples) in lines.iter().filter(|l| l.0 == role) {
                piece.series(labels(name));
                let inside = |at: Millis| at > from && at <= grid.end_of(last);
                for (at, value, native) in samples.iter().filter(|s| inside(s.0)) {
                    match native {
                        Some(native) => piece.histogram(*at, native.clone()),
                        None => piece.sample(*at, *value),
                    }
                }
            }
            piece
        });
        let pieces = pieces.collect();
        blocks.extend(condenser.close(pieces).unwrap().blocks);
    }
    blocks
}

/// Samples between two moments with resets, NaN and holes.
fn samples(length: Millis) -> impl Strategy<Value = Vec<(Millis, f64)>> {
    let end = BLOCKS * length;
    let step = (1_i64..=20, 0_u8..20, 0.0_f64..3.0);
    (-LOOKBACK..end, prop::collection::vec(step, 0..120)).prop_map(move |(from, steps)| {
        let (mut at, mut value) = (from, 0.37);
        let mut all = Vec::new();
        for (gap, what, gain) in steps {
            at += gap * length / 30;
            value = match what {
                0 => gain,
                1 => {
                    at += 8 * length;
                    value + gain
                }
                3 => {
                    at += 2 * length;
                    value + gain
                }
                2 => {
                    all.push((at - 1, f64::NAN));
                    value
                }
                _ => value + gain,
            };
            all.push((at, value));
        }
        all
    })
}

fn lines(kind: Kind, length: Millis) -> impl Strategy<Value = Vec<Line>> {
    let roles = kind.needs().to_vec();
    let role = prop::sample::select(roles);
    let name = (
        prop::sample::select(vec!["hash=c", "hash=s"]),
        prop::sample::select(vec!["", ";pod=a", ";pod=b", ";pod=z"]),
        prop::sample::select(vec!["", ";replica=0", ";replica=1"]),
        prop::sample::select(vec!["", ";x=1", ";x=2"]),
        prop::sample::select(vec![
            "",
            ";le=0.1",
            ";le=+Inf",
            ";le=+Inf",
            ";vmrange=1e-1...2e-1",
        ]),
    );
    let line = (role, name, samples(length), 0_i32..4);
    prop::collection::vec(line, 1..20).prop_map(move |all| {
        let mut lines: Vec<Line> = Vec::new();
        for (role, (hash, pod, replica, more, bucket), samples, schema) in all {
            let name = format!("{hash}{pod}{replica}{more}{bucket}");
            let bare = role == Role::Histogram && bucket.is_empty();
            if lines.iter().any(|l| l.0 == role && l.1 == name) {
                continue;
            }
            let samples = samples.into_iter().enumerate().map(|(i, (at, value))| {
                let schema = if i > 40 { 0 } else { schema };
                let wide = f64::from(-schema).exp2().exp2();
                let shape = native(
                    value,
                    &[
                        (-1e-9, 1e-9, value / 4.),
                        (1., wide, value / 4.),
                        (wide, wide * wide, value / 2.),
                    ],
                );
                (at, value, bare.then_some(shape))
            });
            lines.push((role, name, samples.collect()));
        }
        lines
    })
}

/// Bits, so that -0 and 0 differ.
fn check(kind: Kind, length: Millis, lines: &[Line], cuts: &[i64], overlap: Millis) {
    let grid = Grid {
        anchor: 1_000_007,
        length,
    };
    let shifted: Vec<Line> = lines
        .iter()
        .map(|(r, n, s)| {
            (
                *r,
                n.clone(),
                s.iter()
                    .map(|(t, v, h)| (t + grid.anchor, *v, h.clone()))
                    .collect(),
            )
        })
        .collect();
    let one = run(kind, grid, &shifted, &[], 0);
    let many = run(kind, grid, &shifted, cuts, overlap);
    assert_eq!(format!("{one:?}"), format!("{many:?}"));
    let mut turned = shifted;
    turned.reverse();
    assert_eq!(
        format!("{one:?}"),
        format!("{:?}", run(kind, grid, &turned, cuts, overlap))
    );
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::Counts { proportion: true },
        Kind::Counts { proportion: false },
        Kind::Histogram { warm_up: 60_000 },
        Kind::Means,
        Kind::Gauge,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]
    #[test]
    fn one_piece_or_many(
        (kind, length, lines) in (kinds(), prop::sample::select(vec![30_000_i64, 240_000]))
            .prop_flat_map(|(kind, length)| (Just(kind), Just(length), lines(kind, length))),
        cuts in prop::collection::vec(1..BLOCKS, 0..30),
        overlap in prop::sample::select(vec![0_i64, 30_000, LOOKBACK]),
    ) {
        check(kind, length, &lines, &cuts, overlap);
    }
}
