//! Events out of trials, per pod.

use super::{Counts, Notes, PodCount, Role, gain::Gain, memory::Pod};
use crate::domain::Track;

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
        if !gains.iter().any(|g| g.is(Role::Trials)) {
            notes.orphaned_events += 1;
            continue;
        }
        let total = |role| -> f64 {
            let of_role = gains.iter().filter(|g| g.is(role));
            of_role.map(Gain::increase).fold(0.0, |a, b| a + b)
        };
        let (mut events, trials) = (total(Role::Events), total(Role::Trials));
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
