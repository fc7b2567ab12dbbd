//! Copies of the same series.

use super::{Role::Trials, Rows, canary};

#[test]
fn equal_series_count_once() {
    let check = |name: &str, rows: Rows<'_>, expected: &[&[(u32, f64, f64)]]| {
        assert_eq!(canary(rows, expected.len() as i64 - 1), expected, "{name}");
        let mut turned = rows.to_vec();
        turned.reverse();
        assert_eq!(
            canary(&turned, expected.len() as i64 - 1),
            expected,
            "{name}, turned"
        );
    };
    check(
        "the replica with most samples",
        &[
            (Trials, "hash=c;pod=a;replica=0", &[(-5, 1.), (20, 9.)]),
            (
                Trials,
                "hash=c;pod=a;replica=1",
                &[(-3, 2.), (12, 5.), (27, 11.)],
            ),
        ],
        &[&[(0, 0., 9.)]],
    );
    check(
        "a tie: the smallest label value",
        &[
            (Trials, "hash=c;pod=a;replica=1", &[(-3, 2.), (27, 11.)]),
            (Trials, "hash=c;pod=a;replica=0", &[(-5, 1.), (20, 9.)]),
        ],
        &[&[(0, 0., 8.)]],
    );
    check(
        "another choice in each block",
        &[
            (
                Trials,
                "hash=c;pod=a;replica=0",
                &[(-5, 1.), (10, 4.), (20, 9.)],
            ),
            (
                Trials,
                "hash=c;pod=a;replica=1",
                &[(-3, 2.), (27, 11.), (42, 14.)],
            ),
        ],
        &[&[(0, 0., 8.)], &[(0, 0., 3.)]],
    );
    check(
        "a replica that joins counts from where the series was",
        &[
            (Trials, "hash=c;pod=a;replica=0", &[(-5, 100.), (29, 109.)]),
            (Trials, "hash=c;pod=a;replica=1", &[(31, 110.), (46, 114.)]),
        ],
        &[&[(0, 0., 9.)], &[(0, 0., 5.)]],
    );
    check(
        "a new pod is new for both",
        &[
            (Trials, "hash=c;pod=a;replica=0", &[(40, 7.)]),
            (Trials, "hash=c;pod=a;replica=1", &[(42, 8.), (57, 9.)]),
        ],
        &[&[], &[(0, 0., 9.)]],
    );
    check(
        "without the label it is one more replica",
        &[
            (Trials, "hash=c;pod=a", &[(-5, 1.), (20, 9.)]),
            (Trials, "hash=c;pod=a;replica=", &[(-5, 1.), (20, 9.)]),
        ],
        &[&[(0, 0., 8.)]],
    );
}
