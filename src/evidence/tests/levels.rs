//! Means and gauges.

use super::{GRID, Role, Rows, identity, read};
use crate::evidence::{Block, Condenser, Gauges, Kind, Means, SumCount};

fn means(roles: &[Role], rows: Rows<'_>) -> Means {
    let mut condenser = Condenser::new(Kind::Means, GRID, identity());
    match read(&mut condenser, roles, rows, 0, 0).blocks.remove(0).1 {
        Block::Means(m) => m,
        other => panic!("{other:?}"),
    }
}

const BOTH: &[Role] = &[Role::Sum, Role::Count];
const ALL: &[Role] = &[Role::Sum, Role::Count, Role::Squares];

#[test]
fn sums_and_counts() {
    use Role::{Count, Squares, Sum};
    let total = |sum, count, squares| {
        Some(SumCount {
            sum,
            count,
            squares,
        })
    };
    let check = |name: &str, roles: &[Role], rows: Rows<'_>, canary, stable| {
        assert_eq!(means(roles, rows), Means { canary, stable }, "{name}");
    };
    check("nothing", BOTH, &[], None, None);
    check(
        "two pods of one arm",
        BOTH,
        &[
            (Sum, "hash=c;pod=a", &[(-5, 1.), (20, 3.5)]),
            (Count, "hash=c;pod=a", &[(-5, 1.), (20, 3.)]),
            (Sum, "hash=c;pod=b", &[(20, 3.5)]),
            (Count, "hash=c;pod=b", &[(20, 3.)]),
        ],
        total(6.0, 5.0, None),
        None,
    );
    check(
        "squares where every pod has them",
        ALL,
        &[
            (Sum, "hash=s;pod=a", &[(-5, 1.), (20, 3.)]),
            (Count, "hash=s;pod=a", &[(-5, 1.), (20, 3.)]),
            (Squares, "hash=s;pod=a", &[(-5, 1.), (20, 9.)]),
        ],
        None,
        total(2.0, 2.0, Some(8.0)),
    );
    check(
        "a sum without a count is nothing",
        BOTH,
        &[(Sum, "hash=c;pod=a", &[(-5, 1.), (20, 3.)])],
        None,
        None,
    );
    check(
        "negative observations, a negative sum",
        BOTH,
        &[
            (
                Sum,
                "hash=c;pod=a",
                &[(-5, 1.), (10, -3.), (20, -7.), (25, -6.)],
            ),
            (
                Count,
                "hash=c;pod=a",
                &[(-5, 1.), (10, 2.), (20, 3.), (25, 4.)],
            ),
        ],
        total(-7.0, 3.0, None),
        None,
    );
    check(
        "a restart: the count falls in the same interval",
        BOTH,
        &[
            (
                Sum,
                "hash=c;pod=a",
                &[(-5, 10.), (10, 4.), (20, 9.), (25, 2.)],
            ),
            (
                Count,
                "hash=c;pod=a",
                &[(-5, 5.), (10, 6.), (20, 7.), (25, 1.)],
            ),
        ],
        total(1.0, 3.0, None),
        None,
    );
    check(
        "a restart at the border",
        BOTH,
        &[
            (Sum, "hash=c;pod=a", &[(-5, 10.), (10, 4.), (20, 3.)]),
            (Count, "hash=c;pod=a", &[(-5, 5.), (10, 2.), (20, 3.)]),
        ],
        total(3.0, 3.0, None),
        None,
    );
}

#[test]
fn gauges_are_averaged_over_time_then_over_series() {
    let rows: Rows<'_> = &[
        (
            Role::Level,
            "hash=c;pod=a",
            &[(-5, 100.), (10, 1.), (20, 3.)],
        ),
        (Role::Level, "hash=c;pod=b", &[(10, -4.), (15, f64::NAN)]),
        (Role::Level, "hash=s;pod=a", &[(40, 8.)]),
    ];
    let mut condenser = Condenser::new(Kind::Gauge, GRID, identity());
    let closed = read(&mut condenser, &[Role::Level], rows, 0, 1);
    let gauges = |canary, stable| Block::Gauges(Gauges { canary, stable });
    assert_eq!(
        closed.blocks,
        [(0, gauges(Some(-1.0), None)), (1, gauges(None, Some(8.0)))]
    );
    assert_eq!((closed.notes.dropped, closed.notes.resets), (1, 0));
}
