//! One stable pod, or none named: nothing tells over-dispersion but the blocks themselves, and errors come in clusters.

use super::{BLOCK, alone::Draws, policy};
use crate::{
    evidence::{Block, Counts, Histograms, PodCount, PodHistogram},
    judge::ObjectiveState,
};

const HORIZON: i64 = 7_200_000;
/// Blocks of the past.
const LOOK_BACK: i64 = 20;
/// ln E at which the default rate of false aborts fails.
const FAILS_AT: f64 = 4.605_170_185_988_092;

/// Arms of one pod each: requests per second and the mean size of clusters of errors (1, 2, 5: phi 1, 3, 9).
#[derive(Clone, Copy)]
struct World {
    rps: f64,
    cluster: f64,
    slow: bool,
}

impl World {
    /// Events and trials of an arm in a block.
    fn arm(self, draws: &mut Draws, rps: f64, rate: f64) -> (f64, f64) {
        let trials = draws.poisson(rps * 30.0);
        (
            draws.clustered(trials * rate, self.cluster).min(trials),
            trials,
        )
    }

    fn block(self, draws: &mut Draws, index: i64, rate: f64) -> (Block, f64) {
        let stable = self.arm(draws, 9.0 * self.rps, 0.01);
        let canary = (index >= 0).then(|| self.arm(draws, self.rps, rate));
        let events = canary.map_or(0.0, |arm| arm.0);
        let block = if self.slow {
            let pod = |(slow, all): (f64, f64)| PodHistogram {
                pod: 0,
                cumulative: vec![0.5 * all, all - slow, all - 0.3 * slow, all],
            };
            Block::Histograms(Histograms {
                edges: vec![0.1, 0.5, 1.0, f64::INFINITY],
                sparse: false,
                canary: canary.map(pod).into_iter().collect(),
                stable: vec![pod(stable)],
            })
        } else {
            let pod = |(events, trials)| PodCount {
                pod: 0,
                events,
                trials,
            };
            Block::Counts(Counts {
                canary: canary.map(pod).into_iter().collect(),
                stable: vec![pod(stable)],
            })
        };
        (block, events)
    }

    /// The block in which a canary of this rate fails.
    fn fails(self, rate: f64, blocks: i64, seed: u64) -> Option<i64> {
        let objective = if self.slow {
            "    - { name: q, latencyQuantile: { histogram: a_bucket, quantile: 0.985 } }\n"
        } else {
            super::ERRORS
        };
        let policy = policy(objective, "");
        let objective = policy.objectives.first().unwrap();
        let mut state = ObjectiveState::new(objective, BLOCK, HORIZON);
        let mut draws = Draws(seed.wrapping_mul(0x1234_5678_9ABC_DEF1));
        let (mut with_events, mut most) = (0, 0.0_f64);
        for index in -LOOK_BACK..blocks {
            let (block, events) = self.block(&mut draws, index, rate);
            state.fold(index, &block);
            with_events += u32::from(events > 0.0);
            most = most.max(state.trail().last().map_or(0.0, |p| p.log_e_fail));
            if most >= FAILS_AT && with_events >= 3 {
                return Some(index);
            }
        }
        None
    }
}

fn worlds() -> impl Iterator<Item = World> {
    let worlds = [1.0, 2.0, 5.0].into_iter().flat_map(|cluster| {
        [2.0, 20.0, 200.0].map(|rps| World {
            rps,
            cluster,
            slow: false,
        })
    });
    let slow = [2.0, 5.0].map(|cluster| World {
        rps: 20.0,
        cluster,
        slow: true,
    });
    worlds.chain(slow)
}

/// Beside one pod a cluster of errors in the first minutes aborted one healthy canary in ten.
#[test]
fn identical_arms_beside_one_pod_are_not_aborted() {
    for World { rps, cluster, slow } in worlds() {
        let world = World { rps, cluster, slow };
        let runs = 200;
        let failed = (1..=runs).filter(|seed| world.fails(0.01, 16, *seed).is_some());
        let failed = failed.count() as u64;
        assert!(
            100 * failed <= runs,
            "{failed} of {runs} at {rps} rps, clusters of {cluster}, slow: {slow}"
        );
    }
}

#[test]
fn what_is_broken_beside_one_pod_is_found() {
    for (cluster, rate, blocks) in [
        (1.0, 0.05, 8),
        (5.0, 0.05, 20),
        (1.0, 0.02, 30),
        (2.0, 0.02, 60),
    ] {
        let world = World {
            rps: 20.0,
            cluster,
            slow: false,
        };
        let found = (1..=40).filter(|seed| world.fails(rate, blocks, *seed).is_some());
        let found = found.count();
        assert!(
            found >= 36,
            "{found} of 40 at {rate}, clusters of {cluster}"
        );
    }
}
