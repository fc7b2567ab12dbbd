//! Cumulative bucket increases per pod over edges that both arms share.
//!
//! Classic (`le`) families share the edges that all of them have. Ranges (`vmrange`) and native histograms leave empty
//! buckets out, so they share the union of their edges. Where both meet, the edges of the classic families that the
//! union holds too.

use super::{
    Histograms, Notes, PodHistogram,
    gain::{Gain, carry},
    memory::Pod,
    slot::{Edge, Slot},
};
use crate::domain::{LabelsDigest, Millis, Track};
use std::collections::BTreeSet;

/// One pod's buckets in one block.
struct Buckets<'a, 'g> {
    number: u32,
    track: Track,
    /// Classic families: ascending edges with the increase of each.
    classic: Vec<Vec<(Edge, f64)>>,
    ranges: Vec<(Edge, Edge, f64)>,
    natives: Vec<&'g Gain<'a>>,
}

/// `gains`: the chosen series of one block, pod by pod.
pub(super) fn histograms<'p>(
    gains: &[Gain<'_>],
    pod_of: impl Fn(usize) -> Option<&'p Pod>,
    start: Millis,
    warm_up: Millis,
    schema: Option<i32>,
    notes: &mut Notes,
) -> Histograms {
    let mut pods = Vec::new();
    for gains in gains.chunk_by(|a, b| a.key.pod == b.key.pod) {
        let Some((first, pod)) = gains.first().and_then(|g| Some((g, pod_of(g.key.pod)?))) else {
            continue;
        };
        let warm = |s: Millis| {
            s.saturating_add(warm_up.max(0))
                .saturating_add(pod.interval().unwrap_or(0))
        };
        if pod.start.is_some_and(|s| start < warm(s)) {
            notes.warming_up += 1;
            continue;
        }
        let buckets = sort_out(gains, pod.number, first.track, notes);
        if !(buckets.classic.is_empty() && buckets.ranges.is_empty() && buckets.natives.is_empty())
        {
            pods.push(buckets);
        }
    }
    if pods.is_empty() {
        return Histograms::default();
    }
    let edges = shared_edges(&pods, schema, notes);
    let mut block = Histograms {
        edges: edges.iter().map(|e| e.value()).collect(),
        sparse: pods.iter().all(|pod| pod.classic.is_empty()),
        ..Histograms::default()
    };
    for pod in pods {
        let arm = match pod.track {
            Track::Canary => &mut block.canary,
            Track::Stable => &mut block.stable,
        };
        arm.push(PodHistogram {
            pod: pod.number,
            cumulative: pod.cumulative(&edges),
        });
    }
    block
}

fn sort_out<'a, 'g>(
    gains: &'g [Gain<'a>],
    number: u32,
    track: Track,
    notes: &mut Notes,
) -> Buckets<'a, 'g> {
    let mut pod = Buckets {
        number,
        track,
        classic: Vec::new(),
        ranges: Vec::new(),
        natives: Vec::new(),
    };
    let mut family: Option<LabelsDigest> = None;
    for gain in gains {
        match gain.key.slot {
            Slot::Plain => pod.natives.push(gain),
            Slot::Range(low, high) => pod.ranges.push((low, high, gain.increase())),
            Slot::Le(edge) => {
                if family != Some(gain.key.family) {
                    family = Some(gain.key.family);
                    pod.classic.push(Vec::new());
                }
                if let Some(buckets) = pod.classic.last_mut() {
                    buckets.push((edge, gain.increase()));
                }
            }
        }
    }
    let before = pod.classic.len();
    pod.classic
        .retain(|f| f.last().is_some_and(|(e, _)| *e == Edge::INFINITE));
    notes.endless_missing += (before - pod.classic.len()) as u64;
    for family in &mut pod.classic {
        let mut values: Vec<f64> = family.iter().map(|(_, v)| *v).collect();
        carry(&mut values);
        for (slot, value) in family.iter_mut().zip(values) {
            slot.1 = value;
        }
    }
    pod
}

fn shared_edges(pods: &[Buckets<'_, '_>], schema: Option<i32>, notes: &mut Notes) -> Vec<Edge> {
    let mut sparse = BTreeSet::new();
    for pod in pods {
        for (low, high, _) in &pod.ranges {
            sparse.extend([*low, *high]);
        }
        for native in pod.natives.iter().filter_map(|g| g.native) {
            native.last.edges(schema, &mut sparse);
        }
    }
    sparse.remove(&Edge::new(f64::NEG_INFINITY));
    let has_sparse = pods
        .iter()
        .any(|p| !(p.ranges.is_empty() && p.natives.is_empty()));
    if has_sparse {
        sparse.insert(Edge::INFINITE);
    }
    let classic = pods.iter().flat_map(|p| &p.classic);
    let mut sets: Vec<BTreeSet<Edge>> = classic
        .map(|f| f.iter().map(|(e, _)| *e).collect())
        .collect();
    if has_sparse {
        sets.push(sparse);
    }
    let all: BTreeSet<Edge> = sets.iter().flatten().copied().collect();
    let shared: Vec<Edge> = all
        .iter()
        .filter(|e| sets.iter().all(|s| s.contains(e)))
        .copied()
        .collect();
    notes.edges_dropped += (all.len() - shared.len()) as u64;
    shared
}

impl Buckets<'_, '_> {
    fn cumulative(&self, edges: &[Edge]) -> Vec<f64> {
        let mut sums = vec![0.0; edges.len()];
        for family in &self.classic {
            let mut values = family.iter();
            for (slot, edge) in sums.iter_mut().zip(edges) {
                if let Some((_, value)) = values.find(|(e, _)| e == edge) {
                    *slot += value;
                }
            }
        }
        for &(_, high, value) in &self.ranges {
            let from = edges.partition_point(|e| *e < high);
            for slot in sums.iter_mut().skip(from) {
                *slot += value;
            }
        }
        for native in &self.natives {
            native.cumulate(edges, &mut sums);
        }
        sums
    }
}
