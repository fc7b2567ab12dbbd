//! Which pieces make blocks, and what an error leaves.

use super::{COUNTS, GRID, Role, identity, labels, read};
use crate::{
    domain::SampleSink,
    evidence::{Block, Condenser, EvidenceError, Grid, Kind},
};

fn fresh() -> Condenser {
    Condenser::new(Kind::Counts { proportion: true }, GRID, identity())
}

#[test]
fn pieces_that_make_no_blocks() {
    let condenser = fresh();
    let piece = |role, first, last| condenser.piece(role, None, first, last);
    let (events, trials) = (Role::Events, Role::Trials);
    let foreign = Condenser::new(
        Kind::Gauge,
        Grid {
            anchor: 1,
            length: 30_000,
        },
        identity(),
    );
    for (pieces, expected) in [
        (vec![], EvidenceError::MissingRole { role: events }),
        (
            vec![piece(events, 0, 1)],
            EvidenceError::MissingRole { role: trials },
        ),
        (
            vec![piece(events, 0, 1), piece(trials, 0, 2)],
            EvidenceError::Misaligned,
        ),
        (
            vec![piece(events, 1, 0), piece(trials, 1, 0)],
            EvidenceError::Misaligned,
        ),
        (
            vec![piece(events, 0, 0), foreign.piece(trials, None, 0, 0)],
            EvidenceError::Misaligned,
        ),
        (
            vec![
                piece(events, 0, 0),
                piece(trials, 0, 0),
                piece(Role::Sum, 0, 0),
            ],
            EvidenceError::UnexpectedRole { role: Role::Sum },
        ),
    ] {
        assert_eq!(condenser.clone().close(pieces), Err(expected));
    }
}

#[test]
fn an_error_changes_nothing() {
    let mut condenser = fresh();
    let rows = [(Role::Trials, "hash=c;pod=a", &[(-5, 1.), (20, 3.)][..])];
    read(&mut condenser, COUNTS, &rows, 0, 0);
    let mut again = condenser.piece(Role::Trials, None, 0, 0);
    again.series(labels("hash=c;pod=a"));
    again.sample(29_000, 100.0);
    let other = condenser.piece(Role::Events, None, 0, 0);
    assert_eq!(
        condenser.close(vec![again, other]),
        Err(EvidenceError::AlreadyClosed { first: 0, next: 1 })
    );
    assert_eq!(condenser.next_block(), Some(1));
    let later = [(Role::Trials, "hash=c;pod=a", &[(20, 3.), (40, 8.)][..])];
    let closed = read(&mut condenser, COUNTS, &later, 1, 1);
    let Block::Counts(block) = &closed.blocks[0].1 else {
        panic!()
    };
    assert_eq!(block.canary[0].trials, 5.0);
}

#[test]
fn blocks_without_samples_are_there_and_empty() {
    let closed = read(&mut fresh(), COUNTS, &[], -2, 1);
    let indices: Vec<i64> = closed.blocks.iter().map(|b| b.0).collect();
    assert_eq!(indices, [-2, -1, 0, 1]);
    assert!(
        closed
            .blocks
            .iter()
            .all(|(_, b)| *b == Block::Counts(crate::evidence::Counts::default()))
    );
}

#[test]
fn after_a_gap_the_read_begins_anew() {
    let mut condenser = fresh();
    let rows = [(Role::Trials, "hash=c;pod=a", &[(-5, 1.), (20, 3.)][..])];
    read(&mut condenser, COUNTS, &rows, 0, 0);
    let later = [
        (
            Role::Trials,
            "hash=c;pod=a",
            &[(20, 3.), (140, 50.), (160, 57.)][..],
        ),
        (
            Role::Trials,
            "hash=c;pod=b",
            &[(140, 900.), (160, 909.)][..],
        ),
        (Role::Trials, "hash=c;pod=n", &[(160, 4.)][..]),
    ];
    let closed = read(&mut condenser, COUNTS, &later, 5, 5);
    let Block::Counts(block) = &closed.blocks[0].1 else {
        panic!()
    };
    let trials: Vec<f64> = block.canary.iter().map(|p| p.trials).collect();
    assert_eq!(trials, [7.0, 9.0, 4.0]);
}
