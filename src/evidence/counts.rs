//! Events out of trials, per pod.

use super::{Counts, Notes, PodCount, Role, gain::Gain, memory::Pod};
use crate::domain::Track;

/// More errors than this for each request, and this many more, are no race of two counters, and no tries that are counted
/// where requests are meant.
const FAR: (f64, f64) = (50.0, 10.0);

/// Events and trials of one pod; nothing without trials.
fn totals(gains: &[Gain<'_>]) -> Option<(f64, f64)> {
    if !gains.iter().any(|g| g.is(Role::Trials)) {
        return None;
    }
    let total = |role| -> f64 {
        let of_role = gains.iter().filter(|g| g.is(role));
        of_role.map(Gain::increase).fold(0.0, |a, b| a + b)
    };
    Some((total(Role::Events), total(Role::Trials)))
}

/// Places of the pods that have far more errors than requests: one of the two is not what it says.
pub(super) fn contradictory(gains: &[Gain<'_>]) -> Vec<usize> {
    let pods = gains.chunk_by(|a, b| a.key.pod == b.key.pod);
    let far = |gains: &&[Gain<'_>]| {
        totals(gains).is_some_and(|(events, trials)| events > FAR.0 * trials + FAR.1)
    };
    let place = |gains: &[Gain<'_>]| gains.first().map(|g| g.key.pod);
    pods.filter(far).filter_map(place).collect()
}

/// `gains`: the chosen series of one block, pod by pod.
pub(super) fn counts<'a>(
    gains: &[Gain<'_>],
    pod_of: impl Fn(usize) -> Option<&'a Pod>,
    proportion: bool,
    notes: &mut Notes,
) -> Counts {
    let mut block = Counts::default();
    let mut clamped = false;
    for gains in gains.chunk_by(|a, b| a.key.pod == b.key.pod) {
        let Some((first, pod)) = gains.first().and_then(|g| Some((g, pod_of(g.key.pod)?))) else {
            continue;
        };
        let Some((mut events, trials)) = totals(gains) else {
            notes.orphaned_events += 1;
            continue;
        };
        if proportion && events > trials {
            events = trials;
            clamped = true;
        }
        let arm = match first.track {
            Track::Canary => &mut block.canary,
            Track::Stable => &mut block.stable,
        };
        arm.push(PodCount {
            pod: pod.number,
            events,
            trials,
        });
    }
    notes.clamped += u64::from(clamped);
    block
}
