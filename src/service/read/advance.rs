//! All objectives side by side: every query once, each objective folded as soon as its own answers are there.

use super::{
    error::ReadError,
    objective::{ObjectiveEvidence, Until, Waiting},
    questions::Job,
    takers::All,
};
use crate::{
    domain::{Millis, PlannedQuery},
    evidence::{LOOKBACK, Piece},
    service::bundle::{Taker, Tape},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Blocks in which nothing was seen of either arm are closed after this time. As long as baselines are looked for.
const SILENCE: Millis = LOOKBACK;

/// One of those who take a query's answer.
struct Place {
    /// Which objective.
    at: usize,
    /// Which of its queries.
    answer: u32,
    taker: Taker,
}

/// An answer on tape, and for whom it was read.
struct Taped {
    query: String,
    order: u32,
    tape: Tape,
    places: Vec<Place>,
}

/// What is read next of all objectives, side by side.
#[derive(Default)]
struct Round {
    /// By objective.
    waiting: BTreeMap<usize, Waiting>,
    /// Who takes the answer of each query.
    shared: BTreeMap<PlannedQuery, Vec<(Place, Piece)>>,
}

impl Round {
    /// The next stretch of each objective that is still open.
    fn plan(
        evidence: &mut [ObjectiveEvidence],
        jobs: &[Job<'_>],
        open: &[bool],
        last: i64,
    ) -> Self {
        let mut round = Self::default();
        for (at, ((one, job), open)) in evidence.iter_mut().zip(jobs).zip(open).enumerate() {
            if !*open || one.next > last || one.problem.is_some() {
                continue;
            }
            match one.plan(job, last) {
                Err(error) => one.problem = Some(error.into()),
                Ok(stretch) => {
                    let until = Until {
                        stretch: stretch.last,
                        patience: last - SILENCE / job.grid.length.max(1),
                    };
                    let wanted = stretch.asks.len();
                    round.waiting.insert(at, Waiting::new(until, wanted));
                    let blocks = (stretch.first, stretch.last);
                    for (answer, ask) in (0_u32..).zip(stretch.asks) {
                        let taker = Taker::new(at as u32, ask.role, ask.arm, blocks);
                        let place = Place { at, answer, taker };
                        let takers = round.shared.entry(ask.query).or_default();
                        takers.push((place, ask.piece));
                    }
                }
            }
        }
        round
    }

    /// Reads it. Each objective is folded as soon as it is whole, while the others are on their way.
    async fn read(
        mut self,
        evidence: &mut [ObjectiveEvidence],
        open: &mut [bool],
        job: &Job<'_>,
        last: i64,
    ) {
        let record = evidence.iter().any(|one| one.recorder.wants_samples());
        let reads = (0_u32..)
            .zip(self.shared)
            .map(|(order, (query, takers))| async move {
                let (places, pieces): (Vec<Place>, Vec<Piece>) = takers.into_iter().unzip();
                let mut all = All::new(pieces, record);
                let read = job.source.read(&query, job.deadline, &mut all).await;
                (order, query.text, places, all, read)
            });
        let mut reads: FuturesUnordered<_> = reads.collect();
        let mut tapes = Vec::new();
        while let Some((order, query, places, all, read)) = reads.next().await {
            for (place, piece) in places.iter().zip(all.pieces) {
                let answer = (order, piece, read.clone());
                if !self
                    .waiting
                    .get_mut(&place.at)
                    .is_some_and(|one| one.take(answer))
                {
                    continue;
                }
                if let (Some(whole), Some(one), Some(open)) = (
                    self.waiting.remove(&place.at),
                    evidence.get_mut(place.at),
                    open.get_mut(place.at),
                ) {
                    *open = whole.until.stretch < last;
                    one.settle(whole);
                    if !*open {
                        one.prepare();
                    }
                }
            }
            tapes.extend(all.tape.map(|tape| Taped {
                query,
                order,
                tape,
                places,
            }));
        }
        tapes.sort_by_key(|taped| taped.order);
        keep_tapes(evidence, tapes);
    }
}

/// Reads and folds everything up to block `last`, all objectives side by side. Whatever an objective folded before its
/// error stays; a query that several objectives need is sent once.
pub async fn advance(evidence: &mut [ObjectiveEvidence], jobs: &[Job<'_>], last: i64) {
    for one in evidence.iter_mut() {
        one.problem = None;
    }
    let mut open = vec![true; evidence.len()];
    let mut slowest = Duration::ZERO;
    loop {
        let begun = Instant::now();
        // decoding and folding are not stopped in their midst: what will not be done in time is left for the next question
        if slowest > Duration::ZERO && jobs.iter().any(|job| begun + slowest > job.deadline) {
            for (one, open) in evidence.iter_mut().zip(&open) {
                if *open && one.next <= last {
                    one.problem.get_or_insert(ReadError::Deadline);
                }
            }
            return;
        }
        let round = Round::plan(evidence, jobs, &open, last);
        let Some(job) = jobs.first().filter(|_| !round.waiting.is_empty()) else {
            return;
        };
        round.read(evidence, &mut open, job, last).await;
        slowest = slowest.max(begun.elapsed());
    }
}

/// Raw answers go with the first objective whose blocks were made of them.
fn keep_tapes(evidence: &mut [ObjectiveEvidence], tapes: Vec<Taped>) {
    for taped in tapes {
        let closed = |mut place: Place| {
            let one = evidence.get(place.at)?;
            // silent blocks at the end may still be open
            place.taker.last = place.taker.last.min(one.folded());
            let closed = one.problem.is_none() && place.taker.first <= place.taker.last;
            (closed && one.recorder.wants_samples()).then_some(place)
        };
        let places: Vec<Place> = taped.places.into_iter().filter_map(closed).collect();
        let Some(owner) = places.first() else {
            continue;
        };
        let (at, answer) = (owner.at, owner.answer);
        let (first, last) = (owner.taker.first, owner.taker.last);
        let takers: Vec<Taker> = places.into_iter().map(|place| place.taker).collect();
        if let Some(one) = evidence.get_mut(at) {
            let payload = taped
                .tape
                .finish(&taped.query, taped.order, &one.identity, &takers);
            one.recorder.samples(answer, first, last, payload);
        }
    }
}
