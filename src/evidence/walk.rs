//! The walk over the blocks of one close, where past and present meet.

use super::{
    Block, Closed, Kind, Notes, Piece, Role,
    counts::counts,
    gain::{Base, Gain},
    gauge::gauges,
    histogram::histograms,
    means::means,
    memory::{Digest, LOOKBACK, Memory, Past, Pod, PodKey, Reading, median},
    slot::Slot,
    strand::{Span, Strand},
};
use crate::domain::{Millis, Track};
use std::collections::BTreeMap;

/// One series of this walk.
struct Row<'a> {
    strand: &'a Strand,
    /// Place among `pasts`; replicas of a series share it.
    past: usize,
    /// Place among `pods`.
    pod: usize,
}

/// Where one cell is: block, row, place in the row's strand. Sorted, it is the order of the walk.
type Step = (i64, usize, usize);

/// The walk over the blocks of one close.
pub(super) struct Walk<'a> {
    memory: &'a mut Memory,
    kind: Kind,
    span: Span,
    /// No block was closed just before these, so what is seen before them is no news.
    begins: bool,
    /// Sorted by name: pod, arm, role, labels, bucket, replica.
    rows: Vec<Row<'a>>,
    pasts: Vec<Past>,
    /// What they are remembered by, and whether they were never seen before: counted once, however the reading is cut.
    digests: Vec<(Digest, bool)>,
    pods: Vec<(PodKey, Option<Pod>)>,
    notes: Notes,
}

impl<'a> Walk<'a> {
    pub fn new(
        pieces: &'a [Piece],
        memory: &'a mut Memory,
        kind: Kind,
        span: Span,
        begins: bool,
    ) -> Self {
        let mut notes = Notes::default();
        let mut strands: Vec<&Strand> = Vec::new();
        for piece in pieces {
            notes += piece.notes;
            strands.extend(&piece.strands);
        }
        strands.sort_by(|a, b| a.name.cmp(&b.name)); // stable: the first of equal names stays
        let found = strands.len();
        strands.dedup_by(|later, first| later.name == first.name);
        notes.duplicate_series += (found - strands.len()) as u64;
        let mut walk = Self {
            memory,
            kind,
            span,
            begins,
            rows: Vec::with_capacity(strands.len()),
            pasts: Vec::new(),
            digests: Vec::new(),
            pods: Vec::new(),
            notes,
        };
        let mut previous: Option<&Strand> = None;
        for strand in strands {
            walk.add(strand, previous);
            previous = Some(strand);
        }
        walk
    }

    fn add(&mut self, strand: &'a Strand, previous: Option<&Strand>) {
        let key = &strand.name.key;
        let bare = key.role == Role::Histogram && key.slot == Slot::Plain;
        if bare && strand.natives.is_empty() {
            self.notes.unusable_series += 1;
        }
        let previous = previous.map(|p| &p.name.key);
        if previous != Some(key) {
            let digest = Digest::of(key);
            let past = self.memory.series.remove(&digest);
            self.digests.push((digest, past.is_none()));
            self.pasts.push(past.unwrap_or_default());
        }
        if previous.is_none_or(|p| (&p.pod, p.track) != (&key.pod, key.track)) {
            let pod = (key.pod.clone(), key.track);
            let known = self.memory.pods.remove(&pod);
            self.pods.push((pod, known));
        }
        self.rows.push(Row {
            strand,
            past: self.pasts.len().saturating_sub(1),
            pod: self.pods.len().saturating_sub(1),
        });
    }

    /// Walks, gives the memory back, and returns the blocks.
    pub fn run(mut self) -> Closed {
        let rows = std::mem::take(&mut self.rows);
        let mut steps: Vec<Step> = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            steps.extend(
                row.strand
                    .cells
                    .iter()
                    .enumerate()
                    .map(|(j, c)| (c.block, i, j)),
            );
        }
        steps.sort_unstable();
        let mut rest = steps.as_slice();
        let mut blocks = Vec::new();
        for block in self.span.first.saturating_sub(1)..=self.span.last {
            let (now, later) = rest.split_at(rest.partition_point(|s| s.0 <= block));
            rest = later;
            let closed = self.block(block, &rows, now);
            blocks.extend(closed.map(|c| (block, c)));
        }
        self.give_back(&rows);
        Closed {
            blocks,
            notes: self.notes,
        }
    }

    fn block(&mut self, block: i64, rows: &[Row<'a>], steps: &[Step]) -> Option<Block> {
        let start = self.span.grid.start_of(block);
        let seen: Vec<(&Row<'a>, usize)> = steps
            .iter()
            .filter_map(|&(_, row, cell)| Some((rows.get(row)?, cell)))
            .filter(|(row, cell)| self.is_news(row, *cell))
            .collect();
        let silence = self
            .memory
            .last
            .is_some_and(|last| start.saturating_sub(last) > LOOKBACK);
        let before = block < self.span.first;
        self.meet_pods(&seen, start, !(silence || (before && self.begins)));
        let gains = self.gains(&seen, start, silence || before);
        let gains = one_replica(gains);
        self.learn(&gains);
        let made = (!before).then(|| self.make(&gains, start));
        drop(gains);
        self.remember(&seen);
        made
    }

    /// Whether a cell holds a sample that its series did not have before.
    fn is_news(&self, row: &Row<'_>, cell: usize) -> bool {
        let own = self
            .pasts
            .get(row.past)
            .and_then(|p| p.own(&row.strand.name.replica));
        let cell = row.strand.cells.get(cell);
        cell.is_some_and(|c| own.is_none_or(|p| p.at < c.last_at))
    }

    /// Numbers pods that appear. `fresh`: such a pod is new in the data, if it has a name.
    fn meet_pods(&mut self, seen: &[(&Row<'a>, usize)], start: Millis, fresh: bool) {
        for rows in seen.chunk_by(|a, b| a.0.pod == b.0.pod) {
            let cells = || rows.iter().filter_map(|(r, c)| r.strand.cells.get(*c));
            let (Some(first), Some(last)) = (
                cells().map(|c| c.first_at).min(),
                cells().map(|c| c.last_at).max(),
            ) else {
                continue;
            };
            let place = rows.first().and_then(|(r, _)| self.pods.get_mut(r.pod));
            let Some(((name, track), pod)) = place else {
                continue;
            };
            let known = pod.take().filter(|p| p.remembered(start));
            // without a name nobody knows whether a pod is new, unless the whole canary is
            let told = !name.is_empty()
                || (*track == Track::Canary && !self.memory.arms.contains_key(track));
            let met = pod.insert(known.unwrap_or_else(|| {
                let number = self.memory.next_pod;
                self.memory.next_pod = number.saturating_add(1);
                Pod::new(number, first, fresh && told)
            }));
            met.last = met.last.max(last);
            let arm = self.memory.arms.entry(*track).or_insert(first);
            *arm = (*arm).min(first);
        }
    }

    fn gains(&self, seen: &[(&Row<'a>, usize)], start: Millis, begins: bool) -> Vec<Gain<'a>> {
        let gain = |row: &Row<'a>, place: usize| {
            let name = &row.strand.name;
            let cell = row.strand.cells.get(place)?;
            // a new pod counts from zero, and so does what appears later in one that is known;
            // without a name nobody knows whether a pod is new, unless its arm was there before
            let arm = self.memory.arms.get(&name.key.track);
            let from_zero = !name.key.pod.is_empty() || arm.is_some_and(|a| *a < cell.first_at);
            let unknown = if from_zero && !begins {
                Base::Zero
            } else {
                Base::First
            };
            let before = self.pasts.get(row.past)?.before(&name.replica, start);
            let falls = row.strand.falls_in(cell.block);
            let mut gain = Gain::new(
                (&name.key, row.pod, row.past),
                cell,
                falls,
                before,
                start,
                unknown,
            );
            gain.native = row.strand.natives.get(place);
            Some(gain)
        };
        seen.iter()
            .filter_map(|(row, place)| gain(row, *place))
            .collect()
    }

    /// Learns restarts, scrape intervals and schemas.
    fn learn(&mut self, gains: &[Gain<'a>]) {
        for gains in gains.chunk_by(|a, b| a.pod == b.pod) {
            let Some(pod) = gains
                .first()
                .and_then(|g| self.pods.get_mut(g.pod)?.1.as_mut())
            else {
                continue;
            };
            let falls = gains.iter().flat_map(Gain::all_falls);
            pod.start = falls.map(|f| f.to).max().max(pod.start);
            pod.learn(gains.iter().filter_map(Gain::spacing).collect());
        }
        for gain in gains {
            self.notes.resets += gain.resets();
            let schema = gain.native.and_then(|n| n.schema);
            self.memory.schema = super::native::coarser(self.memory.schema, schema);
        }
    }

    fn make(&mut self, gains: &[Gain<'a>], start: Millis) -> Block {
        let pods = &self.pods;
        let pod_of = |place: usize| pods.get(place)?.1.as_ref();
        let notes = &mut self.notes;
        match self.kind {
            Kind::Counts { proportion } => Block::Counts(counts(gains, pod_of, proportion, notes)),
            Kind::Histogram { warm_up } => {
                let schema = self.memory.schema;
                Block::Histograms(histograms(gains, pod_of, start, warm_up, schema, notes))
            }
            Kind::Means => Block::Means(means(gains)),
            Kind::Gauge => Block::Gauges(gauges(gains)),
        }
    }

    /// Keeps the last samples of a block as baselines for the next.
    fn remember(&mut self, seen: &[(&Row<'a>, usize)]) {
        for (row, place) in seen {
            let cell = row.strand.cells.get(*place);
            let Some((past, cell)) = self.pasts.get_mut(row.past).zip(cell) else {
                continue;
            };
            let reading = Reading {
                at: cell.last_at,
                value: cell.last,
                native: row.strand.natives.get(*place).map(|n| n.last.clone()),
            };
            past.put(&row.strand.name.replica, reading);
            self.memory.last = self.memory.last.max(Some(cell.last_at));
        }
    }

    fn give_back(&mut self, rows: &[Row<'a>]) {
        let intervals = self.pods.iter().filter_map(|(_, p)| p.as_ref()?.interval());
        self.notes.scrape_interval = median(intervals.collect());
        for same in rows.chunk_by(|a, b| a.past == b.past) {
            let place = same
                .first()
                .and_then(|r| Some((r, self.pasts.get_mut(r.past)?)));
            if let Some((row, past)) = place {
                let Some(&(digest, new)) = self.digests.get(row.past) else {
                    continue;
                };
                if new && !past.is_empty() {
                    self.notes.count_series(row.strand.name.key.track);
                }
                self.memory.series.insert(digest, std::mem::take(past));
            }
        }
        let pods = std::mem::take(&mut self.pods);
        let known: BTreeMap<PodKey, Pod> = pods
            .into_iter()
            .filter_map(|(k, p)| Some((k, p?)))
            .collect();
        self.memory.pods.extend(known);
    }
}

/// Keeps of each series the replica with the most samples; of equals the one with the smallest label value.
fn one_replica(gains: Vec<Gain<'_>>) -> Vec<Gain<'_>> {
    let mut kept: Vec<Gain<'_>> = Vec::with_capacity(gains.len());
    for gain in gains {
        match kept.last_mut().filter(|best| best.series == gain.series) {
            Some(best) if gain.cell.samples > best.cell.samples => *best = gain,
            Some(_) => {}
            None => kept.push(gain),
        }
    }
    kept
}
