//! A canary alone: a healthy one is left in peace, a broken one is noticed. The figures are in `ARCHITECTURE.md`.

use super::alone::{World, broken, errors, healthy, slow};

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
                let first = healthy(past, 240, 4).first(world, seed);
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
