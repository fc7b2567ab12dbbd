//! Labels that change in mid-rollout: the past of a counter is no increase.

use super::{Role, Rows, absent::each_by_itself, absent::steady, counts};
use crate::evidence::{Block, Notes};

const TRIALS: Role = Role::Trials;
const EVENTS: Role = Role::Events;

type Samples = Vec<(i64, f64)>;

/// The samples before and from this moment on.
fn cut(samples: &[(i64, f64)], at: i64) -> (Samples, Samples) {
    samples.iter().partition(|s| s.0 < at)
}

/// Events and trials of the canary's first pod in each block, `None` where it is left out; the same however it is read.
fn canary(rows: Rows<'_>, last: i64) -> (Vec<Option<(f64, f64)>>, Notes) {
    let (blocks, notes) = counts(rows, last);
    let whole: Vec<_> = (0..)
        .zip(blocks.iter().cloned().map(Block::Counts))
        .collect();
    let (single, again) = each_by_itself(rows, last);
    assert_eq!((single, again), (whole, notes));
    let first = |c: &crate::evidence::Counts| c.canary.first().map(|p| (p.events, p.trials));
    (blocks.iter().map(first).collect(), notes)
}

const WHOLE: Option<(f64, f64)> = Some((2., 40.));

#[test]
fn a_label_more_on_all_series_costs_one_block() {
    let (ok, errors) = (steady(19., 300, 0..0), steady(1., 300, 0..0));
    for pod in [";pod=a", ""] {
        // at the border of a block, in its midst, and after a pause
        for (until, from) in [(90, 90), (108, 108), (85, 128)] {
            let name = |more: &str| format!("hash=c{pod}{more}");
            let (old, new) = (cut(&ok, until).0, cut(&ok, from).1);
            let (old_errors, new_errors) = (cut(&errors, until).0, cut(&errors, from).1);
            let names = [";code=200", ";code=500", ";code=200;x=1", ";code=500;x=1"].map(name);
            let rows = [
                (TRIALS, &*names[0], &old[..]),
                (TRIALS, &*names[1], &old_errors[..]),
                (EVENTS, &*names[1], &old_errors[..]),
                (TRIALS, &*names[2], &new[..]),
                (TRIALS, &*names[3], &new_errors[..]),
                (EVENTS, &*names[3], &new_errors[..]),
            ];
            let (blocks, notes) = canary(&rows, 8);
            let change = from as usize / 30;
            let others = [&blocks[..2], &blocks[change + 1..]].concat();
            assert!(
                others.iter().all(|b| *b == WHOLE),
                "{pod} {from}: {blocks:?}"
            );
            assert_eq!(blocks[change], None, "{pod} {from}");
            assert_eq!(
                (notes.renamed, notes.renamed_pods, notes.missing),
                (1, 1, 0)
            );
            assert_eq!(
                notes.warnings(),
                ["1 blocks of 1 pods left out: the labels of their series changed"]
            );
        }
    }
}

#[test]
fn labels_that_change_back_and_replicas_that_change_one_after_the_other() {
    let ok = steady(20., 300, 0..0);
    let (old, rest) = cut(&ok, 90);
    let (new, back) = cut(&rest, 150);
    let both = [old.clone(), back].concat();
    let rows = [
        (TRIALS, "hash=c;pod=a", &both[..]),
        (TRIALS, "hash=c;pod=a;x=1", &new[..]),
    ];
    let (blocks, notes) = canary(&rows, 8);
    let left: Vec<usize> = (0..9).filter(|k| blocks[*k].is_none()).collect();
    assert_eq!(
        (left, notes.renamed, notes.renamed_pods),
        (vec![3, 5], 2, 1)
    );
    // nothing of the past is counted: at most both replicas for a while
    let (first, second) = (cut(&ok, 90), cut(&ok, 180));
    let rows = [
        (TRIALS, "hash=c;pod=a;replica=0", &first.0[..]),
        (TRIALS, "hash=c;pod=a;replica=1", &second.0[..]),
        (TRIALS, "hash=c;pod=a;x=1;replica=0", &first.1[..]),
        (TRIALS, "hash=c;pod=a;x=1;replica=1", &second.1[..]),
    ];
    let (blocks, _) = canary(&rows, 8);
    assert!(blocks.iter().flatten().all(|b| b.1 <= 80.), "{blocks:?}");
    assert_eq!((blocks[3], blocks[8]), (None, Some((0., 40.))));
}

#[test]
fn a_restart_with_other_labels_costs_one_block_and_first_errors_none() {
    let (old, _) = cut(&steady(20., 300, 0..0), 90);
    let new: Vec<(i64, f64)> = (6..20)
        .map(|i| (15 * i + 5, 20. * (i - 5) as f64))
        .collect();
    let rows = [
        (TRIALS, "hash=c;pod=a;version=1", &old[..]),
        (TRIALS, "hash=c;pod=a;version=2", &new[..]),
        (
            EVENTS,
            "hash=c;pod=a;version=2",
            &[(155, 1.), (170, 3.)][..],
        ),
    ];
    let (blocks, _) = canary(&rows, 5);
    let quiet = Some((0., 40.));
    let expected = [quiet, quiet, quiet, None, quiet, Some((3., 40.))];
    assert_eq!(blocks, expected);
    // another code after a restart: the old one ended with the process
    let trials: Vec<(i64, f64)> = steady(20., 300, 0..0)
        .into_iter()
        .map(|(at, v)| (at, if at > 90 { v - 1_510. } else { v }))
        .collect();
    let (errors, _) = cut(&steady(1., 300, 0..0), 90);
    let rows = [
        (TRIALS, "hash=c;pod=a", &trials[..]),
        (EVENTS, "hash=c;pod=a;code=500", &errors[..]),
        (
            EVENTS,
            "hash=c;pod=a;code=503",
            &[(95, 1.), (110, 2.), (125, 2.)][..],
        ),
    ];
    let (blocks, notes) = canary(&rows, 3);
    assert_eq!(blocks[3].map(|b| b.0), Some(2.));
    assert_eq!((notes.renamed, notes.missing), (0, 0));
}

#[test]
fn labels_that_change_all_the_time_count_nothing_twice() {
    let ok = steady(20., 300, 0..0);
    let names: Vec<String> = (0..20).map(|i| format!("hash=c;pod=a;x={i}")).collect();
    let parts: Vec<Samples> = (0..20)
        .map(|i| cut(&cut(&ok, 45 * i - 250).1, 45 * i - 205).0)
        .collect();
    let rows: Vec<_> = names
        .iter()
        .zip(&parts)
        .map(|(n, p)| (TRIALS, &**n, &p[..]))
        .collect();
    let (blocks, _) = canary(&rows, 8);
    assert!(blocks.iter().flatten().all(|b| b.1 <= 60.), "{blocks:?}");
}
