//! Sums, counts and squares, per arm.

use super::{Means, Role, SumCount, gain::Gain, strand::Fall};
use crate::domain::Track;

/// `gains`: the chosen series of one block, pod by pod.
pub(super) fn means(gains: &[Gain<'_>]) -> Means {
    let mut block = Means::default();
    for gains in gains.chunk_by(|a, b| a.key.pod == b.key.pod) {
        let Some((first, pod)) = gains.first().zip(of_pod(gains)) else {
            continue;
        };
        let arm = match first.track {
            Track::Canary => &mut block.canary,
            Track::Stable => &mut block.stable,
        };
        *arm = Some(match *arm {
            None => pod,
            Some(sofar) => SumCount {
                sum: sofar.sum + pod.sum,
                count: sofar.count + pod.count,
                squares: sofar.squares.zip(pod.squares).map(|(a, b)| a + b),
            },
        });
    }
    block
}

/// `None` unless both the sum and the count of the pod have samples.
fn of_pod(gains: &[Gain<'_>]) -> Option<SumCount> {
    let restarts: Vec<Fall> = gains
        .iter()
        .filter(|g| g.is(Role::Count))
        .flat_map(Gain::all_falls)
        .copied()
        .collect();
    let total = |role| {
        gains
            .iter()
            .filter(|g| g.is(role))
            .map(|g| match role {
                Role::Sum => g.change(&restarts),
                _ => g.increase(),
            })
            .reduce(|a, b| a + b)
    };
    Some(SumCount {
        sum: total(Role::Sum)?,
        count: total(Role::Count)?,
        squares: total(Role::Squares),
    })
}
