//! Series that their pod goes on without, and those that come back: what they gain meanwhile is not zero, it is not known.

use super::{
    Role,
    identity::Replica,
    memory::{Gone, Memory, Pod, Series, remembered},
    strand::Cell,
    walk::Seen,
};
use crate::domain::Millis;
use std::collections::BTreeMap;

/// Why a pod is left out of a block. Of several reasons the first is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// A counter had only samples that cannot be.
    Spoilt,
    /// Others took the place of its series.
    Renamed,
    /// A series had no sample.
    Missing,
    /// Far more errors than requests.
    Contradictory,
}

/// A series that has gained nothing for so long, and then ends, has expired where it came from: exporters drop idle series.
const IDLE: Millis = 60_000;

/// From when to when a series has samples.
struct Life {
    place: usize,
    /// `Millis::MIN`: it was there before this block.
    from: Millis,
    to: Millis,
    /// Its first value in the block, and its last.
    values: (f64, f64),
    /// Is its next sample overdue at the end of the block?
    overdue: bool,
}

/// A sample that comes within one and a half times the usual time after the last is on time: scrapes come early or late.
fn patience(group: &[Series], pod: &Pod, length: Millis) -> Millis {
    let own = group.iter().filter_map(|s| s.spacing).max();
    let usual = own
        .map(Millis::from)
        .or_else(|| pod.interval())
        .unwrap_or(length);
    usual.saturating_add(usual / 2)
}

/// The series of each pod with a name that have no sample in this block, though the pod has some: of each the first
/// replica's place.
pub(super) fn missing(
    memory: &Memory,
    seen: &[Seen<'_>],
    (start, end): (Millis, Millis),
) -> Vec<usize> {
    let mut missing = Vec::new();
    for of_pod in seen.chunk_by(|a, b| a.pod == b.pod) {
        let place = of_pod.first().and_then(|s| memory.pods.get(s.pod));
        // where nobody knows which pod a series is of, it may have ended with its pod
        let Some(place) = place.filter(|place| !place.name.is_empty()) else {
            continue;
        };
        let Some((pod, first)) = place.pod.as_ref().zip(of_pod.first()) else {
            continue;
        };
        let series = memory.series.get(memory.of_pod(first.pod));
        let mut present = of_pod.iter().map(|s| s.place).peekable();
        for group in series
            .unwrap_or_default()
            .chunk_by(|a, b| a.group == b.group)
        {
            let Some(at) = group.first().map(|s| s.group) else {
                continue;
            };
            let mut there = false;
            while present.next_if(|p| *p < at + group.len()).is_some() {
                there = true;
            }
            if !there && is_missing(group, pod, (start, end)) {
                missing.push(at);
            }
        }
    }
    missing
}

fn is_missing(group: &[Series], pod: &Pod, (start, end): (Millis, Millis)) -> bool {
    if group.first().is_none_or(|s| s.key.role == Role::Level) {
        return false;
    }
    let awaited = group.iter().filter(|s| s.gone != Gone::Replaced);
    let last = awaited.filter_map(|s| s.last.as_ref()).map(|p| p.at).max();
    let Some(last) = last.filter(|at| remembered(*at, start)) else {
        return false;
    };
    let gained = group.iter().filter_map(|s| s.gained).max();
    if gained.is_none_or(|gained| last - gained >= IDLE) {
        return false;
    }
    // a process that restarted has no errors to show until its first
    let restarted = pod.start.is_some_and(|s| s > last);
    !restarted && end.saturating_sub(last) > patience(group, pod, end - start)
}

/// Pods with series that come back in this block, after blocks in which their value was not known: what such a series
/// gains now is of all these blocks.
pub(super) fn returned(memory: &Memory, seen: &[Seen<'_>], start: Millis) -> Vec<(usize, Why)> {
    let group_of = |s: &Seen<'_>| memory.series.get(s.place).map(|s| s.group);
    let mut pods = Vec::new();
    for copies in seen.chunk_by(|a, b| group_of(a) == group_of(b)) {
        let Some((first, group)) = copies.first().and_then(|s| Some((s, group_of(s)?))) else {
            continue;
        };
        let group = memory.replicas(group);
        let Some(pod) = memory.pods.get(first.pod).and_then(|p| p.pod.as_ref()) else {
            continue;
        };
        if group
            .iter()
            .all(|s| s.gone == Gone::No && s.spoilt.is_none())
        {
            continue;
        }
        let spoilt = |s: &Series| s.spoilt.is_some_and(|at| remembered(at, start));
        let last = group
            .iter()
            .filter_map(|s| s.last.as_ref())
            .map(|p| p.at)
            .max();
        let last = last.filter(|at| remembered(*at, start));
        let awaited = last.is_some_and(|last| pod.start.is_none_or(|s| s <= last));
        if group.iter().any(spoilt) {
            pods.push((first.pod, Why::Spoilt));
        } else if awaited && group.iter().any(|s| s.gone == Gone::Missing) {
            pods.push((first.pod, Why::Missing));
        } else {
            let back = |s: &Seen<'_>| {
                let series = memory.series.get(s.place);
                series.is_some_and(|x| {
                    x.gone == Gone::Replaced
                        && x.last.as_ref().is_some_and(|p| remembered(p.at, start))
                        && !goes_on(memory, x, pod, s.cell, start)
                })
            };
            if copies.iter().all(back) {
                pods.push((first.pod, Why::Renamed));
            }
        }
    }
    pods
}

/// Was the series there before? One whose place others took was not, unless it had never gone or has restarted since.
fn goes_on(memory: &Memory, series: &Series, pod: &Pod, cell: &Cell, start: Millis) -> bool {
    let late = || patience(memory.replicas(series.group), pod, 0);
    let last = series.last.as_ref().filter(|p| remembered(p.at, start));
    last.is_some_and(|p| {
        series.gone != Gone::Replaced
            || cell.first < p.value
            || cell.first_at.saturating_sub(p.at) <= late()
    })
}

/// Series that ended before all those that begin in this block: the labels of a pod's series have changed, and what begins
/// goes on where they were. In ascending order. Of a pod with a name, role by role; without one all series together.
pub(super) fn replaced(
    memory: &Memory,
    seen: &[Seen<'_>],
    (start, end): (Millis, Millis),
) -> Vec<usize> {
    let mut all = Vec::new();
    for of_pod in seen.chunk_by(|a, b| a.pod == b.pod) {
        let Some((first, place)) = of_pod
            .first()
            .and_then(|s| Some((s, memory.pods.get(s.pod)?)))
        else {
            continue;
        };
        let Some(pod) = place.pod.as_ref() else {
            continue;
        };
        let named = !place.name.is_empty();
        let goes_on = |series: &Series, cell: &Cell| goes_on(memory, series, pod, cell, start);
        let begins = |s: &Seen<'_>| {
            let series = memory.series.get(s.place);
            series.is_some_and(|x| x.key.role != Role::Level && !goes_on(x, s.cell))
        };
        if !of_pod.iter().any(begins) {
            continue;
        }
        let mut lives: BTreeMap<(Option<Role>, &Replica), Vec<Life>> = BTreeMap::new();
        let range = memory.of_pod(first.pod);
        let series = memory.series.get(range.clone()).unwrap_or_default();
        let mut present = of_pod.iter().peekable();
        for (place_of, series) in range.zip(series) {
            let seen = present.next_if(|s| s.place == place_of);
            let (from, to, values) = if let Some(s) = seen {
                let begun = if goes_on(series, s.cell) {
                    Millis::MIN
                } else {
                    s.cell.first_at
                };
                (begun, s.cell.last_at, (s.cell.first, s.cell.last))
            } else {
                let last = series.last.as_ref().filter(|p| remembered(p.at, start));
                let Some(last) = last.filter(|_| series.gone != Gone::Replaced) else {
                    continue;
                };
                (Millis::MIN, last.at, (last.value, last.value))
            };
            // what ended with a restart has no successors
            let restarted = named && pod.start.is_some_and(|s| s > to);
            if series.key.role == Role::Level || restarted {
                continue;
            }
            let role = named.then_some(series.key.role);
            let life = Life {
                place: place_of,
                from,
                to,
                values,
                overdue: end - to > patience(memory.replicas(series.group), pod, end - start),
            };
            lives.entry((role, &series.replica)).or_default().push(life);
        }
        all.extend(lives.into_values().flat_map(ended));
    }
    all.sort_unstable();
    all
}

/// Those that ended before the latest moment at which all that are left began: they are overdue, or what began goes on at
/// their height. A pod may have several targets, each scraped at moments of its own.
fn ended(mut lives: Vec<Life>) -> Vec<usize> {
    lives.sort_by_key(|life| life.from);
    let mut change = None;
    let mut until = None;
    for life in &lives {
        if until.is_some_and(|until| until < life.from) {
            change = Some(life.from);
        }
        until = until.max(Some(life.to));
    }
    let Some(change) = change else {
        return Vec::new();
    };
    let (before, after): (Vec<&Life>, Vec<&Life>) = lives.iter().partition(|l| l.to < change);
    let height: f64 = before.iter().map(|life| life.values.1).sum();
    let reached: f64 = after.iter().map(|life| life.values.0).sum();
    if reached < height && !before.iter().all(|life| life.overdue) {
        return Vec::new();
    }
    before.iter().map(|life| life.place).collect()
}
