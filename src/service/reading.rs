//! One question's reading: where the canary starts, then every block that is new.

use super::{
    bundle::{Capture, Recorder},
    cache::RolloutEvidence,
    discover::{self, Found, Search},
    identity::run_id,
    read::{self, Job, ObjectiveEvidence, ReadError},
};
use crate::{
    domain::{MetricSource, Millis, Question},
    evidence::{Grid, Identity},
    policy::Policy,
    query::Planner,
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, MutexGuard, Semaphore};

/// Kept free of the deadline for judging and writing the answer.
pub const RESERVE: Duration = Duration::from_millis(400);
/// More blocks than this are history; silent ones are read again for a while.
const NEW_BLOCKS: i64 = 20;

/// One question's reading.
pub struct Reading<'a> {
    /// By which policy.
    pub policy: &'a Policy,
    /// What was asked.
    pub question: &'a Question,
    /// Plans its queries.
    pub planner: &'a Planner<'a>,
    /// Whom to ask.
    pub source: &'a dyn MetricSource,
    /// Turns of those who read more than what is new.
    pub histories: &'a Semaphore,
    /// What is kept of what is read.
    pub capture: Capture,
    /// When it must be over.
    pub deadline: Instant,
}

impl Reading<'_> {
    /// Waits for the rollout's evidence and brings it up to date; `None`: others had it for too long.
    pub async fn turn<'k>(
        &self,
        place: &'k Mutex<RolloutEvidence>,
        limit: tokio::time::Instant,
    ) -> Option<(MutexGuard<'k, RolloutEvidence>, Option<ReadError>)> {
        let mut kept = tokio::time::timeout_at(limit, place.lock()).await.ok()?;
        let error = self.refresh(&mut kept, limit).await;
        Some((kept, error))
    }

    /// Brings kept evidence up to the question's moment; evidence that is already past it is left alone.
    pub async fn refresh(
        &self,
        kept: &mut RolloutEvidence,
        limit: tokio::time::Instant,
    ) -> Option<ReadError> {
        kept.bound(!self.question.dry_run);
        if let Some(error) = self.same_copies() {
            return Some(error);
        }
        if kept.found.is_none() || self.must_look_again(kept) {
            let mut said = Vec::new();
            let found = tokio::time::timeout_at(
                limit,
                discover::discover(
                    self.policy,
                    self.planner,
                    self.source,
                    self.question,
                    self.deadline,
                    &mut said,
                ),
            );
            match found.await {
                Ok(Ok(Search::Found(found))) => self.settle(kept, found),
                Ok(Ok(search)) => {
                    *kept = RolloutEvidence {
                        sighted: search == Search::Sighted,
                        said,
                        ..RolloutEvidence::default()
                    };
                    return None;
                }
                Ok(Err(error)) => return Some(error),
                Err(_) => return Some(ReadError::Deadline),
            }
        }
        let found = kept.found?;
        if self.question.since.is_none() && self.question.at <= found.start {
            return None;
        }
        let target = closed(&found, self.question.at);
        if kept.folded() > target.max(-1) {
            return None;
        }
        let oldest = kept.objectives.iter().map(ObjectiveEvidence::folded).min();
        let _turn = if oldest.is_some_and(|oldest| target - oldest > NEW_BLOCKS) {
            match tokio::time::timeout_at(limit, self.histories.acquire()).await {
                Ok(Ok(turn)) => Some(turn),
                _ => return Some(ReadError::Deadline),
            }
        } else {
            None
        };
        let grid = Grid {
            anchor: found.anchor,
            length: found.block,
        };
        let jobs: Vec<Job<'_>> = self
            .policy
            .objectives
            .iter()
            .map(|objective| Job {
                objective,
                planner: self.planner,
                source: self.source,
                grid,
                deadline: self.deadline,
            })
            .collect();
        // the source keeps the deadline itself, query by query; this is for one that does not
        let reading = read::advance(&mut kept.objectives, &jobs, target);
        if tokio::time::timeout_at(limit + RESERVE / 4, reading)
            .await
            .is_err()
        {
            for evidence in kept.objectives.iter_mut().filter(|e| e.folded() < target) {
                evidence.problem.get_or_insert(ReadError::Deadline);
            }
        }
        None
    }

    /// The source's labels of copies must not be those by which the policy tells series apart.
    fn same_copies(&self) -> Option<ReadError> {
        let track = self.planner.track_label().map(|label| (label, "the arms"));
        let pod = (self.policy.pod_label.as_str(), "pods");
        let copies = self.source.replica_labels();
        let (label, what) = track
            .into_iter()
            .chain([pod])
            .find(|(label, _)| copies.iter().any(|copy| copy == label))?;
        Some(ReadError::Replica {
            source_name: self.source.name().to_owned(),
            label: label.to_owned(),
            what,
        })
    }

    /// The horizon has moved on, or the canary has been silent for so long that it may have started anew.
    fn must_look_again(&self, kept: &RolloutEvidence) -> bool {
        let Some(found) = kept.found else { return true };
        let moved = discover::anchor(
            found.start,
            self.question.at,
            self.policy.horizon,
            found.block,
        ) != found.anchor;
        let target = closed(&found, self.question.at);
        let points = kept.objectives.iter().flat_map(|o| o.state.trail());
        let seen: BTreeSet<i64> = points
            .filter(|point| point.canary.is_some())
            .map(|point| point.index)
            .chain(kept.objectives.iter().filter_map(|o| o.state.last_canary()))
            .chain([-1, target])
            .collect();
        // where nothing could be read yet, nothing says that the canary is silent: what was found stays found, so that a slow
        // source gets on from poll to poll
        let read = kept.folded() >= 0;
        // a gap of just over the look-back may leave one block less between its ends; and the canary may be back in a
        // block before the coarser look for its start can see it
        let silent = seen
            .iter()
            .zip(seen.iter().skip(1))
            .any(|(last, next)| (next - last + 1) * found.block > self.policy.look_back);
        (moved && self.question.at > found.anchor)
            || (read && silent && self.question.since.is_none() && target > kept.folded())
    }

    /// Starts afresh where start or anchor differ from what was kept.
    fn settle(&self, kept: &mut RolloutEvidence, found: Found) {
        if kept.found == Some(found) {
            return;
        }
        let identity = Identity {
            track_label: self.planner.track_label().map(str::to_owned),
            canary_hash: self.question.rollout.canary_hash.clone(),
            stable_hash: self.question.rollout.stable_hash.clone(),
            pod_label: self.policy.pod_label.clone(),
            replica_labels: self.source.replica_labels().to_vec(),
        };
        let run = run_id(self.question.at);
        kept.said.clear();
        kept.sighted = false;
        kept.found = Some(found);
        kept.run = Some(run);
        kept.objectives = (0_u32..)
            .zip(&self.policy.objectives)
            .map(|(part, o)| {
                ObjectiveEvidence::new(self.policy, o, &found, identity.clone())
                    .recorded(Recorder::new(run, part, self.capture))
            })
            .collect();
    }

    /// Is the evidence past the question's moment?
    pub fn past(&self, kept: &RolloutEvidence) -> bool {
        kept.found.is_some_and(|found| {
            self.question.since.is_none() && self.question.at <= found.start
                || kept.folded() > closed(&found, self.question.at).max(-1)
        })
    }
}

/// The last block that is closed at this moment.
pub fn closed(found: &Found, at: Millis) -> i64 {
    Grid {
        anchor: found.anchor,
        length: found.block,
    }
    .last_closed(at, found.lag)
}
