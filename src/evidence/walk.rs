//! The walk over the blocks of one close, where past and present meet.

use super::{
    Block, Closed, Kind, Notes, Piece, Role,
    absent::{Why, missing, replaced, returned},
    counts::{contradictory, counts},
    gain::{Base, Gain},
    gauge::gauges,
    histogram::histograms,
    means::means,
    memory::{Gone, LOOKBACK, Memory, Newcomer, Place, Pod, Reading, median, remembered, short},
    native::NativeCell,
    strand::{Cell, Fall, Span, Strand, Thread, Who},
};
use crate::domain::{Millis, Track};

/// One series of this walk.
struct Row<'a> {
    /// Place among the series of the memory.
    place: usize,
    thread: Thread<'a>,
    /// Place of the next cell.
    next: usize,
}

/// One series in the present block.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub place: usize,
    /// Place of its pod.
    pub pod: usize,
    pub cell: &'a Cell,
    native: Option<&'a NativeCell>,
    falls: &'a [Fall],
}

/// The walk over the blocks of one close.
pub(super) struct Walk<'a> {
    memory: &'a mut Memory,
    kind: Kind,
    span: Span,
    /// No block was closed just before these, so what is seen before them is no news.
    begins: bool,
    /// In the order of the memory: pod, arm, role, labels, bucket, replica.
    rows: Vec<Row<'a>>,
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
        let mut strands: Vec<(&Strand, Thread<'_>)> = Vec::new();
        for piece in pieces {
            notes += piece.notes;
            strands.extend(piece.strands.iter());
        }
        notes.unusable_series += strands
            .iter()
            .filter(|(strand, thread)| strand.bare && thread.natives.is_empty())
            .count() as u64;
        strands.retain(|(_, thread)| !thread.is_empty());
        let newcomers: Vec<&Newcomer> = strands
            .iter()
            .filter_map(|(strand, _)| match &strand.who {
                Who::New(newcomer) => Some(&**newcomer),
                Who::Known(_) => None,
            })
            .collect();
        // a known series is found at another place afterwards, by what pointed at its place before
        let moved = memory.meet(&newcomers);
        let place = |strand: &Strand| match &strand.who {
            Who::Known(place) => moved.get(*place).copied().unwrap_or(*place),
            Who::New(newcomer) => memory.index.get(&newcomer.key).map_or(0, |k| k.place),
        };
        let mut rows: Vec<Row<'a>> = strands
            .iter()
            .map(|&(strand, thread)| Row {
                place: place(strand),
                thread,
                next: 0,
            })
            .collect();
        rows.sort_by_key(|row| row.place); // stable: the first of equal names stays
        let found = rows.len();
        rows.dedup_by_key(|row| row.place);
        notes.duplicate_series += (found - rows.len()) as u64;
        Self {
            memory,
            kind,
            span,
            begins,
            rows,
            notes,
        }
    }

    /// Walks, and returns the blocks.
    pub fn run(mut self) -> Closed {
        let mut rows = std::mem::take(&mut self.rows);
        let mut blocks = Vec::new();
        let mut seen = Vec::with_capacity(rows.len());
        let mut gains = Vec::with_capacity(rows.len());
        for block in self.span.first.saturating_sub(1)..=self.span.last {
            seen.clear();
            seen.extend(rows.iter_mut().filter_map(|row| self.news(row, block)));
            let spoilt = self.spoilt(&rows, &seen, block);
            let closed = self.block(block, &seen, &spoilt, &mut gains);
            blocks.extend(closed.map(|c| (block, c)));
        }
        self.count(&rows);
        Closed {
            blocks,
            notes: self.notes,
        }
    }

    /// The row's cell of a block, if it holds a sample that its series did not have before.
    fn news(&self, row: &mut Row<'a>, block: i64) -> Option<Seen<'a>> {
        let at = row.next;
        let cell = row.thread.cells.get(at).filter(|c| c.block == block)?;
        row.next += 1;
        let series = self.memory.series.get(row.place)?;
        if series.last.as_ref().is_some_and(|p| p.at >= cell.last_at) {
            return None;
        }
        Some(Seen {
            place: row.place,
            pod: series.key.pod,
            cell,
            native: row.thread.natives.get(at),
            falls: row.thread.falls_in(block),
        })
    }

    /// Places of the series whose value nobody knows in this block, whichever replica read them.
    fn spoilt(&self, rows: &[Row<'a>], seen: &[Seen<'a>], block: i64) -> Vec<usize> {
        let group = |place: usize| self.memory.series.get(place).map(|s| s.group);
        let known = |place| seen.iter().any(|s| group(s.place) == group(place));
        let spoilt = rows.iter().filter(|row| row.thread.spoilt_in(block));
        spoilt
            .map(|row| row.place)
            .filter(|place| !known(*place))
            .collect()
    }

    /// Which pods are left out of the block, and why: what a series of theirs hides is not zero.
    fn left_out(
        &mut self,
        block: i64,
        seen: &[Seen<'a>],
        mut pods: Vec<(usize, Why)>,
        (spoilt, replaced): (&[usize], &[usize]),
        gains: &[Gain<'a>],
    ) -> Vec<(usize, Why)> {
        let bounds = (self.span.grid.start_of(block), self.span.grid.end_of(block));
        for place in spoilt {
            if let Some(series) = self.memory.series.get_mut(*place) {
                series.spoilt = Some(bounds.1);
                pods.push((series.key.pod, Why::Spoilt));
            }
        }
        for place in replaced {
            if let Some(series) = self.memory.series.get_mut(*place) {
                series.gone = Gone::Replaced;
                pods.push((series.key.pod, Why::Renamed));
            }
        }
        for group in missing(self.memory, seen, bounds) {
            for series in self.memory.replicas_mut(group) {
                if series.gone == Gone::No {
                    series.gone = Gone::Missing;
                }
                pods.push((series.key.pod, Why::Missing));
            }
        }
        if self.kind == (Kind::Counts { proportion: true }) {
            let pods_of = contradictory(gains).into_iter();
            pods.extend(pods_of.map(|pod| (pod, Why::Contradictory)));
        }
        pods.sort_unstable();
        pods.dedup_by_key(|(pod, _)| *pod);
        pods
    }

    /// Leaves pods out of a block, and counts them.
    fn leave_out(&mut self, pods: &[(usize, Why)], gains: &mut Vec<Gain<'a>>) {
        gains.retain(|gain| pods.binary_search_by_key(&gain.key.pod, |p| p.0).is_err());
        for &(place, why) in pods {
            let Some(Place { track, pod, .. }) = self.memory.pods.get_mut(place) else {
                continue;
            };
            let (missed, renamed) = match pod {
                Some(pod) => (Some(&mut pod.missed), Some(&mut pod.renamed)),
                None => (None, None),
            };
            let first = |told: Option<&mut bool>| !told.is_some_and(|t| std::mem::replace(t, true));
            match why {
                Why::Spoilt => self.notes.count_spoilt(*track),
                Why::Renamed => self.notes.count_renamed(first(renamed)),
                Why::Missing => self.notes.count_missing(first(missed)),
                Why::Contradictory => self.notes.contradictory += 1,
            }
        }
        for track in [Track::Canary, Track::Stable] {
            let of = |place: usize| {
                self.memory
                    .pods
                    .get(place)
                    .is_some_and(|p| p.track == track)
            };
            let hidden = pods.iter().any(|(pod, _)| of(*pod));
            let blind = self.memory.blind.entry(track).or_default();
            *blind = if hidden && !gains.iter().any(|g| g.track == track) {
                blind.saturating_add(1)
            } else {
                0
            };
        }
    }

    fn block(
        &mut self,
        block: i64,
        seen: &[Seen<'a>],
        spoilt: &[usize],
        gains: &mut Vec<Gain<'a>>,
    ) -> Option<Block> {
        let start = self.span.grid.start_of(block);
        let silence = self
            .memory
            .last
            .is_some_and(|last| start.saturating_sub(last) > LOOKBACK);
        let before = block < self.span.first;
        self.meet_pods(seen, start, !(silence || (before && self.begins)));
        gains.clear();
        gains.extend(self.gains(seen, start, silence || before));
        one_replica(gains);
        // before a restart of this block is learnt: it does not tell since when a missing series counts
        let back = returned(self.memory, seen, start);
        self.learn(gains);
        let bounds = (start, self.span.grid.end_of(block));
        let replaced = replaced(self.memory, seen, bounds);
        if before {
            for place in &replaced {
                if let Some(series) = self.memory.series.get_mut(*place) {
                    series.gone = Gone::Replaced;
                }
            }
        } else {
            let pods = self.left_out(block, seen, back, (spoilt, &replaced), gains);
            self.leave_out(&pods, gains);
        }
        let made = (!before).then(|| self.make(gains, start));
        self.remember(seen, &replaced);
        made
    }

    /// Numbers pods that appear. `fresh`: such a pod is new in the data, if it has a name.
    fn meet_pods(&mut self, seen: &[Seen<'a>], start: Millis, fresh: bool) {
        for seen in seen.chunk_by(|a, b| a.pod == b.pod) {
            let (Some(first), Some(last)) = (
                seen.iter().map(|s| s.cell.first_at).min(),
                seen.iter().map(|s| s.cell.last_at).max(),
            ) else {
                continue;
            };
            let place = seen.first().and_then(|s| self.memory.pods.get_mut(s.pod));
            let Some(Place { name, track, pod }) = place else {
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

    fn gains(
        &self,
        seen: &[Seen<'a>],
        start: Millis,
        begins: bool,
    ) -> impl Iterator<Item = Gain<'a>> {
        let gain = move |seen: &Seen<'a>| {
            let series = self.memory.series.get(seen.place)?;
            let pod = self.memory.pods.get(seen.pod)?;
            // a new pod counts from zero, and so does what appears later in one that is known;
            // without a name nobody knows whether a pod is new, unless its arm was there before
            let arm = self.memory.arms.get(&pod.track);
            let from_zero = !pod.name.is_empty() || arm.is_some_and(|a| *a < seen.cell.first_at);
            let unknown = if from_zero && !begins {
                Base::Zero
            } else {
                Base::First
            };
            let spoilt = series.spoilt.is_some_and(|at| remembered(at, start));
            let (before, unknown) = if spoilt {
                // what it gained meanwhile belongs to no block
                (None, Base::First)
            } else {
                (self.memory.before(seen.place, start), unknown)
            };
            let whose = (series.key, pod.track, series.group);
            let mut gain = Gain::new(whose, seen.cell, seen.falls, before, start, unknown);
            gain.native = seen.native;
            Some(gain)
        };
        seen.iter().filter_map(gain)
    }

    /// Learns restarts, scrape intervals and schemas.
    fn learn(&mut self, gains: &[Gain<'a>]) {
        for gains in gains.chunk_by(|a, b| a.key.pod == b.key.pod) {
            let Some(pod) = gains
                .first()
                .and_then(|g| self.memory.pods.get_mut(g.key.pod)?.pod.as_mut())
            else {
                continue;
            };
            // a sum of signed values falls by itself
            let restarts = gains.iter().filter(|g| g.key.role.falls_are_resets());
            let falls = restarts.flat_map(Gain::all_falls);
            pod.start = falls.map(|f| f.to).max().max(pod.start);
            pod.learn(gains.iter().filter_map(Gain::spacing).collect());
        }
        for gain in gains {
            if let Some(spacing) = gain.spacing().filter(|_| !gain.is(Role::Level)) {
                for series in self.memory.replicas_mut(gain.series) {
                    series.spacing = Some(short(spacing));
                }
            }
            self.notes.resets += gain.resets();
            let schema = gain.native.and_then(|n| n.schema);
            self.memory.schema = super::native::coarser(self.memory.schema, schema);
        }
    }

    fn make(&mut self, gains: &[Gain<'a>], start: Millis) -> Block {
        let pods = &self.memory.pods;
        let pod_of = |place: usize| pods.get(place)?.pod.as_ref();
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
    fn remember(&mut self, seen: &[Seen<'a>], replaced: &[usize]) {
        for seen in seen {
            let Some(group) = self.memory.series.get(seen.place).map(|s| s.group) else {
                continue;
            };
            for series in self.memory.replicas_mut(group) {
                series.spoilt = None;
                if series.gone == Gone::Missing {
                    series.gone = Gone::No;
                }
            }
            if let Some(series) = self.memory.series.get_mut(seen.place) {
                if replaced.binary_search(&seen.place).is_err() {
                    series.gone = Gone::No;
                }
                let cell = seen.cell;
                let before = series.last.as_ref().map_or(0.0, |p| p.value);
                let moved = |value: f64| value.to_bits() != cell.last.to_bits();
                if moved(cell.first) || moved(before) || cell.sum > 0.0 {
                    series.gained = Some(cell.last_at);
                }
                series.last = Some(Reading {
                    at: seen.cell.last_at,
                    value: seen.cell.last,
                    native: seen.native.map(|n| n.last.clone()),
                });
            }
            self.memory.last = self.memory.last.max(Some(seen.cell.last_at));
        }
    }

    /// Counts series never seen before: once, however the reading is cut.
    fn count(&mut self, rows: &[Row<'_>]) {
        let mut intervals = Vec::new();
        let mut last = None;
        for row in rows {
            let Some(key) = self.memory.series.get(row.place).map(|s| s.key) else {
                continue;
            };
            let Some(pod) = self.memory.pods.get(key.pod) else {
                continue;
            };
            let track = pod.track;
            if last.replace(key.pod) != Some(key.pod) {
                intervals.extend(pod.pod.as_ref().and_then(Pod::interval));
            }
            if self.memory.first_count(row.place) {
                self.notes.count_series(track);
            }
        }
        self.notes.scrape_interval = median(intervals);
    }
}

/// Keeps of each series the replica with the most samples; of equals the one with the smallest label value.
fn one_replica(gains: &mut Vec<Gain<'_>>) {
    gains.dedup_by(|gain, best| {
        let same = gain.series == best.series;
        if same && gain.cell.samples > best.cell.samples {
            std::mem::swap(gain, best);
        }
        same
    });
}
