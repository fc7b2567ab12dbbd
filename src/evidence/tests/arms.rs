//! To whom a series belongs, and labels that try to confuse.

use super::{COUNTS, GRID, Role, counts, identity, labels, read};
use crate::{
    domain::{SampleSink, Track},
    evidence::{Block, Condenser, Kind, Notes},
};

const TRIALS: Role = Role::Trials;

#[test]
fn hashes_tell_the_arms_apart() {
    let samples = &[(-5, 1.), (20, 3.)][..];
    let rows = [
        (TRIALS, "hash=c;pod=a", samples),
        (TRIALS, "hash=s;pod=b", samples),
        (TRIALS, "hash=x;pod=c", samples),
        (TRIALS, "hash=;pod=c", samples),
        (TRIALS, "pod=d", samples),
    ];
    let (blocks, notes) = counts(&rows, 0);
    assert_eq!((blocks[0].canary.len(), blocks[0].stable.len()), (1, 1));
    assert_eq!(
        (
            notes.ignored_series,
            notes.canary_series,
            notes.stable_series
        ),
        (3, 1, 1)
    );
}

#[test]
fn an_arm_may_be_given() {
    let mut condenser = Condenser::new(Kind::Counts { proportion: true }, GRID, identity());
    let mut pieces = Vec::new();
    for role in COUNTS {
        for track in [Track::Stable, Track::Canary] {
            let mut piece = condenser.piece(*role, Some(track), 0, 0);
            piece.series(labels("pod=a;hash=whatever"));
            piece.sample(-5_000, 1.0);
            piece.sample(5_000, if track == Track::Canary { 3.0 } else { 8.0 });
            pieces.push(piece);
        }
    }
    let closed = condenser.close(pieces).unwrap();
    let Block::Counts(block) = &closed.blocks[0].1 else {
        panic!()
    };
    assert_eq!((block.canary[0].trials, block.stable[0].trials), (2.0, 7.0));
    assert_ne!(block.canary[0].pod, block.stable[0].pod);
}

#[test]
fn hostile_labels_stay_apart() {
    let names = [
        "hash=c;pod=a;path=x",
        "hash=c;pod=a;path=X",
        "hash=c;pod=a;path=x\0",
        "hash=c;pod=a;path=x\",q=\"",
        "hash=c;pod=a;path=",
        "hash=c;pod=a;pat=hx",
        "hash=c;pod=a;path=\u{202e}x",
        "hash=c;pod=a;le=0.5",
        "hash=c;pod=a;vmrange=bad",
        "hash=c;pod=a;path=x;replica2=1",
        "hash=c;pod=a",
        "hash=c;pod=a;__name__=x",
    ];
    let samples = &[(-5, 1.), (20, 2.)][..];
    let rows: Vec<_> = names.iter().map(|n| (TRIALS, *n, samples)).collect();
    let (blocks, notes) = counts(&rows, 0);
    assert_eq!(blocks[0].canary.len(), 1);
    assert_eq!(blocks[0].canary[0].trials, names.len() as f64);
    assert_eq!(notes.duplicate_series, 0);
}

#[test]
fn replica_values_cannot_be_joined_into_one_another() {
    let mut who = identity();
    who.replica_labels = vec!["r".into(), "q".into()];
    let mut condenser = Condenser::new(Kind::Counts { proportion: true }, GRID, who);
    let rows = [
        (TRIALS, "hash=c;pod=a;r=a\0;q=b", &[(-5, 1.), (20, 2.)][..]),
        (
            TRIALS,
            "hash=c;pod=a;r=a;q=\0b",
            &[(-4, 1.), (10, 2.), (21, 3.)][..],
        ),
    ];
    let closed = read(&mut condenser, COUNTS, &rows, 0, 0);
    let Block::Counts(block) = &closed.blocks[0].1 else {
        panic!()
    };
    assert_eq!(block.canary[0].trials, 2.0);
    assert_eq!(closed.notes.duplicate_series, 0);
}

#[test]
fn of_a_series_that_comes_twice_the_first_counts() {
    let rows = [
        (TRIALS, "hash=c;pod=a", &[(-5, 1.), (10, 2.)][..]),
        (TRIALS, "hash=c;pod=a", &[(10, 2.), (20, 5.)][..]),
    ];
    let (blocks, notes) = counts(&rows, 0);
    assert_eq!(blocks[0].canary[0].trials, 1.0);
    assert_eq!(notes.duplicate_series, 1);
}

#[test]
fn a_restart_forgets_everything() {
    let mut condenser = Condenser::new(Kind::Counts { proportion: true }, GRID, identity());
    let events = condenser.piece(Role::Events, None, 0, 0);
    let mut trials = condenser.piece(TRIALS, None, 0, 0);
    trials.series(labels("hash=c;pod=a"));
    trials.sample(-5_000, f64::NAN);
    trials.sample(5_000, 7.0);
    trials.restart();
    trials.sample(6_000, 8.0);
    trials.series(labels("hash=s;pod=a"));
    trials.sample(-5_000, 1.0);
    trials.sample(5_000, 2.0);
    let closed = condenser.close(vec![events, trials]).unwrap();
    let Block::Counts(block) = &closed.blocks[0].1 else {
        panic!()
    };
    assert_eq!((block.canary.len(), block.stable[0].trials), (0, 1.0));
    assert_eq!(closed.notes.dropped, 0);
}

#[test]
fn notes_add_up() {
    let mut sum = Notes {
        resets: 2,
        canary_series: 5,
        scrape_interval: Some(15),
        ..Notes::default()
    };
    sum += Notes {
        resets: 3,
        canary_series: 4,
        ..Notes::default()
    };
    assert_eq!(
        (sum.resets, sum.canary_series, sum.scrape_interval),
        (5, 9, Some(15))
    );
}
