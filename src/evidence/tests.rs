//! Rows for each rule. Times are in seconds, blocks last 30 s and start at 0 unless a test says otherwise.

mod absent;
mod arms;
mod blocks;
mod classic;
mod counter;
mod levels;
mod native;
mod newness;
mod pieces;
mod renamed;
mod replicas;
mod spoilt;

use super::{Block, Closed, Condenser, Counts, Grid, Identity, Kind, Role};
use crate::domain::{Labels, NativeHistogram, SampleSink};

/// A role, labels as `a=b;c=d`, and samples at seconds.
pub(super) type Rows<'a> = &'a [(Role, &'a str, &'a [(i64, f64)])];

pub(super) const GRID: Grid = Grid {
    anchor: 0,
    length: 30_000,
};

pub(super) fn identity() -> Identity {
    Identity {
        track_label: Some("hash".into()),
        canary_hash: "c".into(),
        stable_hash: "s".into(),
        pod_label: "pod".into(),
        replica_labels: vec!["replica".into()],
    }
}

pub(super) fn labels(text: &str) -> Labels {
    Labels::new(text.split(';').filter_map(|pair| pair.split_once('=')))
}

pub(super) fn read(
    condenser: &mut Condenser,
    roles: &[Role],
    rows: Rows<'_>,
    first: i64,
    last: i64,
) -> Closed {
    let pieces = roles
        .iter()
        .map(|&role| {
            let mut piece = condenser.piece(role, None, first, last);
            for (_, name, samples) in rows.iter().filter(|r| r.0 == role) {
                let labels = labels(name);
                if piece.recall(labels.digest()).is_none() {
                    piece.series(labels);
                }
                for &(at, value) in *samples {
                    piece.sample(at * 1_000, value);
                }
            }
            piece
        })
        .collect();
    condenser.close(pieces).unwrap()
}

pub(super) const COUNTS: &[Role] = &[Role::Events, Role::Trials];

pub(super) fn counts(rows: Rows<'_>, last: i64) -> (Vec<Counts>, super::Notes) {
    counts_of(Kind::Counts { proportion: true }, rows, last)
}

/// Events may exceed trials.
pub(super) fn counts_free(rows: Rows<'_>, last: i64) -> (Vec<Counts>, super::Notes) {
    counts_of(Kind::Counts { proportion: false }, rows, last)
}

fn counts_of(kind: Kind, rows: Rows<'_>, last: i64) -> (Vec<Counts>, super::Notes) {
    let mut condenser = Condenser::new(kind, GRID, identity());
    let closed = read(&mut condenser, COUNTS, rows, 0, last);
    let blocks = closed.blocks.into_iter().map(|(_, b)| match b {
        Block::Counts(c) => c,
        other => panic!("{other:?}"),
    });
    (blocks.collect(), closed.notes)
}

/// Canary pods of each block as `(pod, events, trials)`.
pub(super) fn canary(rows: Rows<'_>, last: i64) -> Vec<Vec<(u32, f64, f64)>> {
    let triple = |c: Counts| {
        c.canary
            .iter()
            .map(|p| (p.pod, p.events, p.trials))
            .collect()
    };
    counts(rows, last).0.into_iter().map(triple).collect()
}

pub(super) fn native(count: f64, buckets: &[(f64, f64, f64)]) -> NativeHistogram {
    NativeHistogram {
        count,
        sum: count,
        buckets: buckets.to_vec(),
    }
}
