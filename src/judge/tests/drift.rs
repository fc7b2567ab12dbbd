//! A canary alone: a healthy one is left in peace, a broken one is noticed. The figures are in `ARCHITECTURE.md`.

use super::alone::{Run, World, broken, errors, healthy, slow};
use crate::{
    judge::{
        drift::{Rates, of_counts},
        harm::Harm,
    },
    policy::Margin,
};

#[test]
fn a_healthy_canary_is_seldom_called_moved() {
    let worlds = [
        errors(0.01, 2.0, 1.0, 0.0, 0.0),
        errors(0.01, 100.0, 1.0, 0.0, 0.0),
        errors(0.01, 100.0, 2.0, 0.5, 0.1),
        errors(0.01, 1000.0, 5.0, 0.5, 0.2),
        errors(0.001, 1000.0, 5.0, 0.5, 0.2),
        slow(100.0, 2.0, 0.2, 0.05),
        World::Means { items: 5.0 },
        World::Levels { memory: 0.0 },
        World::Levels { memory: 0.6 },
        World::Levels { memory: 0.8 },
    ];
    let mut calls = Vec::new();
    for (number, world) in worlds.into_iter().enumerate() {
        for seed in 1..=6 {
            for past in [20, 60] {
                let first = healthy(past, 240, 12).first(world, seed);
                calls.extend(first.map(|first| (number, seed, past, first)));
            }
        }
    }
    // of 120 runs of two hours each
    assert!(calls.len() <= 2, "{calls:?}");
}

#[test]
fn a_broken_canary_is_called_moved_within_minutes() {
    let rows = [
        (errors(0.01, 2.0, 1.0, 0.0, 0.0), 50.0, 6),
        (errors(0.01, 100.0, 1.0, 0.0, 0.0), 5.0, 4),
        (errors(0.01, 100.0, 2.0, 0.5, 0.1), 50.0, 4),
        (errors(0.01, 1000.0, 5.0, 0.5, 0.2), 50.0, 4),
        (slow(100.0, 1.0, 0.0, 0.0), 12.0, 6),
        (World::Means { items: 25.0 }, 0.5, 6),
        (World::Levels { memory: 0.3 }, 3.0, 16),
    ];
    for (number, (world, factor, within)) in rows.into_iter().enumerate() {
        for since in [20, 60, 200] {
            let run = broken(40, since, factor);
            let mut times: Vec<Option<usize>> = (1..=5)
                .map(|seed| run.first(world, seed).map(|first| first - since))
                .collect();
            times.sort_by_key(|time| time.unwrap_or(usize::MAX));
            let median = times[2];
            assert!(
                median.is_some_and(|median| median <= within),
                "{number} {since}: {times:?}"
            );
        }
    }
}

#[test]
fn a_trickle_of_stable_changes_neither() {
    let mut calls = Vec::new();
    for left in [0.02, 0.2, 1.0] {
        let worlds = [
            errors(0.01, 100.0, 1.0, 0.0, 0.0),
            errors(0.01, 1000.0, 5.0, 0.5, 0.2),
            slow(100.0, 2.0, 0.2, 0.05),
        ];
        for (number, world) in worlds.into_iter().enumerate() {
            for seed in 1..=6 {
                let run = Run {
                    left,
                    ..healthy(40, 240, 12)
                };
                let first = run.first(world, seed);
                calls.extend(first.map(|first| (left, number, seed, first)));
            }
        }
        for (factor, within) in [(5.0, 6), (20.0, 4), (90.0, 4)] {
            let run = Run {
                left,
                ..broken(40, 60, factor)
            };
            let world = errors(0.01, 100.0, 1.0, 0.0, 0.0);
            let mut times: Vec<usize> = (1..=5)
                .map(|seed| {
                    run.first(world, seed)
                        .map_or(usize::MAX, |first| first - 60)
                })
                .collect();
            times.sort_unstable();
            assert!(times[2] <= within, "{left} {factor}: {times:?}");
        }
    }
    // of 54 runs of two hours each
    assert!(calls.len() <= 1, "{calls:?}");
}

#[test]
fn what_has_shown_stays_while_it_lasts() {
    // a level five times as high: every window that holds old and new blocks knows only that the rate wanders
    let healthy = |n: f64| (n * 0.01, n);
    let broken = |n: f64| (n * 0.05, n);
    let past = vec![healthy(150.0); 50];
    let harm = Harm::upwards(Margin {
        relative: 0.5,
        absolute: 0.001,
    });
    let rates = Rates {
        block: 30_000,
        dispersion: 1.0,
        errors: true,
        fixed_ratio: false,
    };
    let after = |broke: usize, back: usize| {
        let mut since = vec![healthy(3000.0); 20];
        since.extend(vec![broken(3000.0); broke]);
        since.extend(vec![healthy(3000.0); back]);
        of_counts(&past, &since, harm, rates)
    };
    assert_eq!(after(2, 0), None);
    for broke in 4..200 {
        let change = after(broke, 0).unwrap_or_else(|| panic!("{broke}"));
        assert!(
            (change.now - 0.05).abs() < 1e-9 || change.blocks > broke,
            "{change:?}"
        );
        assert!(change.before < 0.03, "{change:?}");
    }
    // and it is over when it is over
    assert!(after(40, 3).is_some());
    assert_eq!(after(40, 20), None);
}
