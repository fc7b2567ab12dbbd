//! How often a healthy canary alone is called moved, and how soon a broken one is: the table of `ARCHITECTURE.md`.
//!
//! `ALONE_RUNS=50 cargo bench --bench alone` for a shorter run.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench prints figures, may fail, and is told its size by the environment"
)]

#[path = "../../src/judge/tests/alone.rs"]
mod simulation;

// the simulation names them as it does inside the crate
use rollout_judge::{judge, policy, stats};
use simulation::{Run, World, broken, errors, healthy, slow};

/// Blocks of the past and blocks alone before the break.
const BREAKS: [(usize, usize); 7] = [
    (20, 20),
    (20, 60),
    (60, 20),
    (60, 60),
    (60, 240),
    (120, 20),
    (120, 60),
];

/// A name, a world, how it breaks, and the requests per second that stay on stable.
type Row = (String, World, Vec<f64>, f64);

fn worlds() -> Vec<Row> {
    let mut worlds: Vec<Row> = Vec::new();
    for (name, cluster, waves, pods) in [
        ("independent", 1.0, 0.0, 0.0),
        ("phi 3", 2.0, 0.5, 0.1),
        ("phi 9", 5.0, 0.5, 0.2),
    ] {
        for rate in [0.01, 0.001] {
            for rps in [2.0, 100.0, 1000.0] {
                let world = errors(rate, rps, cluster, waves, pods);
                let name = format!("errors {name}, {} %, {rps} rps", rate * 100.0);
                worlds.push((name, world, vec![50.0, 5.0], 0.0));
            }
        }
        for left in [0.02, 0.2, 1.0] {
            let world = errors(0.01, 100.0, cluster, waves, pods);
            let name = format!("errors {name}, 1 %, 100 rps, {left} left");
            worlds.push((name, world, vec![90.0, 20.0, 5.0], left));
        }
    }
    for rps in [20.0, 100.0, 1000.0] {
        let plain = slow(rps, 1.0, 0.0, 0.0);
        worlds.push((format!("slow, {rps} rps"), plain, vec![12.0], 0.0));
        let bursty = slow(rps, 2.0, 0.2, 0.05);
        worlds.push((
            format!("slow in bursts, {rps} rps"),
            bursty,
            vec![12.0],
            0.0,
        ));
    }
    for items in [1.0, 5.0, 25.0] {
        let world = World::Means { items };
        worlds.push((format!("mean of {items} items"), world, vec![0.5, 2.0], 0.0));
    }
    for memory in [0.0, 0.3, 0.6, 0.8] {
        let world = World::Levels { memory };
        worlds.push((format!("level, memory {memory}"), world, vec![3.0], 0.0));
    }
    worlds
}

fn main() {
    let runs = std::env::var("ALONE_RUNS").map_or(400, |runs| runs.parse().unwrap());
    println!(
        "called moved in four hours after 10, 30, 60 min | the same with a wave of 20 % in an hour | median minutes"
    );
    for (name, world, factors, left) in worlds() {
        print!("{name:40}");
        for daily in [0.0, 0.2] {
            for past in [20, 60, 120] {
                let run = Run {
                    daily,
                    left,
                    ..healthy(past, 480, 1)
                };
                let called = (1..=runs).filter(|seed| run.first(world, *seed).is_some());
                print!(" {:4.1} %", 100.0 * called.count() as f64 / runs as f64);
            }
            print!(" |");
        }
        for factor in factors {
            print!(" x{factor}:");
            for (past, since) in BREAKS {
                let run = Run {
                    left,
                    ..broken(past, since, factor)
                };
                let mut times: Vec<f64> = (1..=runs / 4)
                    .filter_map(|seed| run.first(world, seed))
                    .map(|first| (first - since) as f64 / 2.0)
                    .collect();
                times.sort_by(f64::total_cmp);
                let median = times.get((runs / 8) as usize);
                print!(" {}", median.map_or("-".to_owned(), f64::to_string));
            }
        }
        println!();
    }
}
