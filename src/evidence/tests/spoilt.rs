//! Samples that cannot be: what they hide is not zero.

use super::{COUNTS, GRID, Role, canary, counts, counts_free, identity, read};
use crate::evidence::{Block, Condenser, Kind};

const NAN: f64 = f64::NAN;
const TRIALS: &[(i64, f64)] = &[(-5, 0.), (20, 100.), (50, 200.), (80, 300.), (110, 400.)];
const EVENTS: &[(i64, f64)] = &[(-5, 0.), (20, 1.), (50, NAN), (80, -1.), (110, 9.)];

#[test]
fn a_pod_is_left_out_where_one_of_its_counters_is_not_known() {
    let rows = [
        (Role::Trials, "hash=c;pod=a", TRIALS),
        (Role::Trials, "hash=c;pod=b", TRIALS),
        (Role::Events, "hash=c;pod=a", EVENTS),
    ];
    let blocks = canary(&rows, 3);
    let other = (1, 0., 100.);
    // what it gained meanwhile belongs to no block
    let expected = [
        vec![(0, 1., 100.), other],
        vec![other],
        vec![other],
        vec![other],
    ];
    assert_eq!(blocks, expected);
    let (_, notes) = counts(&rows, 3);
    assert_eq!(
        (notes.canary_spoilt, notes.stable_spoilt, notes.dropped),
        (3, 0, 2)
    );
}

#[test]
fn an_arm_whose_counter_never_has_a_value_has_no_data() {
    let nothing: Vec<(i64, f64)> = EVENTS.iter().map(|(at, _)| (*at, NAN)).collect();
    let rows = [
        (Role::Trials, "hash=c", TRIALS),
        (Role::Trials, "hash=s;pod=a", TRIALS),
        (Role::Events, "hash=c", &nothing),
    ];
    let (blocks, notes) = counts(&rows, 3);
    assert!(
        blocks
            .iter()
            .all(|b| b.canary.is_empty() && !b.stable.is_empty())
    );
    assert_eq!((notes.canary_spoilt, notes.stable_spoilt), (4, 0));
}

#[test]
fn one_sample_of_use_is_enough_and_a_replica_stands_in() {
    let rows = [
        (Role::Trials, "hash=c;pod=a", TRIALS),
        (
            Role::Events,
            "hash=c;pod=a",
            &[(-5, 0.), (10, 1.), (20, NAN)][..],
        ),
        (Role::Trials, "hash=c;pod=b", TRIALS),
        (
            Role::Events,
            "hash=c;pod=b;replica=1",
            &[(-5, 0.), (20, NAN)][..],
        ),
        (
            Role::Events,
            "hash=c;pod=b;replica=2",
            &[(-5, 0.), (20, 2.)][..],
        ),
    ];
    assert_eq!(canary(&rows, 0), [[(0, 1., 100.), (1, 2., 100.)]]);
}

#[test]
fn no_counter_is_beyond_64_bits() {
    let huge = [
        (-5, 0.),
        (20, 1.),
        (50, 2e19),
        (80, 1e308),
        (110, 9.),
        (140, 10.),
    ];
    let rows = [
        (
            Role::Trials,
            "hash=c;pod=a",
            &[TRIALS, &[(140, 500.)]].concat()[..],
        ),
        (Role::Events, "hash=c;pod=a", &huge[..]),
    ];
    let (blocks, notes) = counts(&rows, 4);
    let there: Vec<usize> = blocks.iter().map(|b| b.canary.len()).collect();
    assert_eq!((there, notes.dropped), (vec![1, 0, 0, 0, 1], 2));
}

#[test]
fn far_more_errors_than_requests_are_not_cut() {
    let trials = [(-5, 0.), (20, 100.), (50, 200.), (80, 300.)];
    let events = [(-5, 0.), (20, 5010.), (50, 10_021.), (80, 10_100.)];
    let rows = [
        (Role::Trials, "hash=c;pod=a", &trials[..]),
        (Role::Events, "hash=c;pod=a", &events[..]),
    ];
    let expected = [vec![(0, 100., 100.)], vec![], vec![(0, 79., 100.)]];
    assert_eq!(canary(&rows, 2), expected);
    let (_, notes) = counts(&rows, 2);
    assert_eq!((notes.contradictory, notes.clamped), (1, 1));
    // what is no share has no such bound
    let (blocks, notes) = counts_free(&rows, 2);
    assert!(blocks.iter().all(|b| b.canary.len() == 1) && notes.contradictory == 0);
}

#[test]
fn it_does_not_depend_on_how_the_reading_is_cut() {
    let rows = [
        (Role::Trials, "hash=c;pod=a", TRIALS),
        (Role::Events, "hash=c;pod=a", EVENTS),
    ];
    let made = |cuts: &[(i64, i64)]| -> Vec<(i64, Block)> {
        let kind = Kind::Counts { proportion: true };
        let mut condenser = Condenser::new(kind, GRID, identity());
        let close = |&(first, last): &(i64, i64)| read(&mut condenser, COUNTS, &rows, first, last);
        cuts.iter().map(close).flat_map(|c| c.blocks).collect()
    };
    let whole = made(&[(0, 3)]);
    assert_eq!(whole.len(), 4);
    for cuts in [
        &[(0, 0), (1, 1), (2, 2), (3, 3)][..],
        &[(0, 1), (2, 3)],
        &[(0, 2), (3, 3)],
    ] {
        assert_eq!(made(cuts), whole, "{cuts:?}");
    }
}
