//! The judgement of one question, end to end: plan, fetch, condense, judge.

use super::{
    cache::{EvidenceCache, Key, RolloutEvidence},
    discover::{self, Found},
    identity::verdict_id,
    memory::Memory,
    port::{Judge, JudgeError, Policies},
    read::{self, Job, ObjectiveEvidence, ReadError},
};
use crate::{
    domain::{Clock, MetricSource, Millis, Question, Track, Verdict, Window, ports::BoxFuture},
    evidence::{Grid, Identity},
    judge::{Case, ObjectiveState, Observed, TrailPoint, evaluate},
    policy::{Indicator, Objective, OnSourceDown, Policy},
    query::{Binding, Planner, QueryError, Scope, Texts},
};
use moka::future::Cache;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Kept free of the deadline for judging and writing the answer.
const RESERVE: Duration = Duration::from_millis(400);
/// Identical questions within this time share one evaluation.
const SHARED: Duration = Duration::from_secs(1);
/// Rollouts whose history is read at the same time: bounds memory. Polls that only read what is new never wait for it.
const HISTORIES: usize = 16;
/// More blocks than this are history; silent ones are read again for a while.
const NEW_BLOCKS: i64 = 20;
/// Blocks of a rollout whose start is not known yet.
const UNKNOWN_BLOCK: Millis = 30_000;

/// Numbers that bound the service.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The answer is given within this time.
    pub deadline: Duration,
    /// Rollouts whose evidence is kept.
    pub rollouts: u64,
}

/// The use case "judge this rollout".
pub struct Analyze {
    policies: Arc<dyn Policies>,
    clock: Arc<dyn Clock>,
    sources: BTreeMap<String, Arc<dyn MetricSource>>,
    limits: Limits,
    cache: EvidenceCache,
    texts: moka::sync::Cache<Key, Arc<Texts>>,
    memory: Memory,
    histories: Semaphore,
    flights: Cache<(String, Question), Arc<Verdict>>,
}

impl Analyze {
    /// Wires policies and sources.
    pub fn new(
        policies: Arc<dyn Policies>,
        clock: Arc<dyn Clock>,
        sources: BTreeMap<String, Arc<dyn MetricSource>>,
        limits: Limits,
    ) -> Self {
        Self {
            policies,
            clock,
            sources,
            limits,
            cache: EvidenceCache::new(limits.rollouts),
            texts: moka::sync::Cache::new(limits.rollouts),
            memory: Memory::new(limits.rollouts),
            histories: Semaphore::new(HISTORIES),
            flights: Cache::builder()
                .max_capacity(limits.rollouts)
                .time_to_live(SHARED)
                .build(),
        }
    }

    async fn analyze(&self, question: Question) -> Result<Arc<Verdict>, JudgeError> {
        let deadline = Instant::now() + self.limits.deadline;
        let Some(policy) = self.policies.policy(&question.policy) else {
            return Err(JudgeError::UnknownPolicy {
                name: question.policy,
                known: self.policies.names(),
            });
        };
        let key = (policy.revision.clone(), question.clone());
        let flight = self
            .flights
            .try_get_with(key, self.evaluate(policy, question, deadline))
            .await;
        flight.map_err(|shared| (*shared).clone())
    }

    async fn evaluate(
        &self,
        policy: Arc<Policy>,
        question: Question,
        deadline: Instant,
    ) -> Result<Arc<Verdict>, JudgeError> {
        let source = self
            .sources
            .get(&policy.source)
            .ok_or_else(|| JudgeError::CannotPlan {
                detail: format!(
                    "policy `{}` names source `{}`, which the configuration does not have",
                    policy.name, policy.source
                ),
            })?;
        let scope = Scope::parse(&policy.tracks, policy.match_text.as_deref())
            .map_err(|error| cannot_plan(&error))?;
        let binding = Binding {
            rollout: &question.rollout,
            params: &question.params,
        };
        let key = Key::new(&policy.revision, &question);
        let texts = self.texts.get_with_by_ref(&key, Arc::default);
        let planner = Planner::new(&scope, binding, source.kind()).knowing(texts);
        let window = Window {
            start: question.at - 1,
            end: question.at,
        };
        for objective in &policy.objectives {
            planned(&planner, objective, window).map_err(|error| JudgeError::InvalidRequest {
                field: "params".to_owned(),
                detail: error.to_string(),
            })?;
        }
        let step_since = self.memory.step_since(&question, policy.horizon);
        let since = self.memory.asked_since(&question, policy.horizon);
        let reading = Reading {
            policy: &policy,
            question: &question,
            planner: &planner,
            source: source.as_ref(),
            histories: &self.histories,
            deadline: deadline.checked_sub(RESERVE).unwrap_or(deadline),
        };
        let place = self.cache.place(key).await;
        let limit = tokio::time::Instant::from_std(reading.deadline);
        let asked = Asked {
            policy: &policy,
            question: &question,
            step_since,
            since,
        };
        let (verdict, failed) = match tokio::time::timeout_at(limit, place.lock()).await {
            Ok(mut kept) => {
                let error = reading.refresh(&mut kept, limit).await;
                if reading.past(&kept) {
                    // a replay of an earlier moment reads its own
                    drop(kept);
                    let mut own = RolloutEvidence::default();
                    let error = reading.refresh(&mut own, limit).await;
                    conclude(&asked, &own, error.as_ref())
                } else {
                    conclude(&asked, &kept, error.as_ref())
                }
            }
            Err(_) => conclude(
                &asked,
                &RolloutEvidence::default(),
                Some(&ReadError::Deadline),
            ),
        };
        let silent = self
            .memory
            .source_silent(&policy.source, failed, self.clock.now());
        if failed
            && policy.on_source_down == OnSourceDown::Error
            && silent >= policy.source_patience
        {
            return Err(JudgeError::SourceDown);
        }
        let verdict = Arc::new(verdict);
        if !question.dry_run {
            self.memory.keep(&verdict);
        }
        Ok(verdict)
    }

    /// The history of each objective as far as it is kept, for terminals and charts.
    pub async fn trails(&self, question: &Question) -> Vec<Vec<TrailPoint>> {
        let Some(policy) = self.policies.policy(&question.policy) else {
            return Vec::new();
        };
        let place = self.cache.place(Key::new(&policy.revision, question)).await;
        let kept = place.lock().await;
        kept.objectives
            .iter()
            .map(|o| o.state.trail().to_vec())
            .collect()
    }
}

impl Judge for Analyze {
    fn judge(&self, question: Question) -> BoxFuture<'_, Result<Arc<Verdict>, JudgeError>> {
        Box::pin(self.analyze(question))
    }

    fn latest(&self, namespace: &str, rollout: &str) -> Option<Arc<Verdict>> {
        self.memory.latest(namespace, rollout)
    }
}

fn cannot_plan(error: &QueryError) -> JudgeError {
    JudgeError::CannotPlan {
        detail: error.to_string(),
    }
}

/// Can every query of an objective be planned for this question? A variable may have no value.
fn planned(planner: &Planner<'_>, objective: &Objective, window: Window) -> Result<(), QueryError> {
    if let Indicator::Query { expression, opaque } = &objective.indicator {
        return planner
            .expression(
                expression,
                *opaque,
                Track::Canary,
                window.start,
                window.end,
                1,
            )
            .map(drop);
    }
    objective
        .indicator
        .texts()
        .into_iter()
        .try_for_each(|text| planner.raw(text, window).map(drop))
}

/// One question's reading.
struct Reading<'a> {
    policy: &'a Policy,
    question: &'a Question,
    planner: &'a Planner<'a>,
    source: &'a dyn MetricSource,
    histories: &'a Semaphore,
    deadline: Instant,
}

impl Reading<'_> {
    /// Brings kept evidence up to the question's moment; evidence that is already past it is left alone.
    async fn refresh(
        &self,
        kept: &mut RolloutEvidence,
        limit: tokio::time::Instant,
    ) -> Option<ReadError> {
        if kept.found.is_none() || self.must_look_again(kept) {
            let found = tokio::time::timeout_at(
                limit,
                discover::discover(
                    self.policy,
                    self.planner,
                    self.source,
                    self.question,
                    self.deadline,
                ),
            );
            match found.await {
                Ok(Ok(Some(found))) => self.settle(kept, found),
                Ok(Ok(None)) => {
                    *kept = RolloutEvidence::default();
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
        // a gap of just over the look-back may leave one block less between its ends; and the canary may be back in a
        // block before the coarser look for its start can see it
        let silent = seen
            .iter()
            .zip(seen.iter().skip(1))
            .any(|(last, next)| (next - last + 1) * found.block > self.policy.look_back);
        (moved && self.question.at > found.anchor)
            || (silent && self.question.since.is_none() && target > kept.folded())
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
        kept.found = Some(found);
        kept.objectives = self
            .policy
            .objectives
            .iter()
            .map(|o| ObjectiveEvidence::new(self.policy, o, &found, identity.clone()))
            .collect();
    }

    /// Is the evidence past the question's moment?
    fn past(&self, kept: &RolloutEvidence) -> bool {
        kept.found.is_some_and(|found| {
            self.question.since.is_none() && self.question.at <= found.start
                || kept.folded() > closed(&found, self.question.at).max(-1)
        })
    }
}

fn closed(found: &Found, at: Millis) -> i64 {
    Grid {
        anchor: found.anchor,
        length: found.block,
    }
    .last_closed(at, found.lag)
}

/// The question with what is remembered about it.
struct Asked<'a> {
    policy: &'a Policy,
    question: &'a Question,
    step_since: Option<Millis>,
    since: Millis,
}

/// The verdict, and whether the source failed.
fn conclude(
    asked: &Asked<'_>,
    evidence: &RolloutEvidence,
    error: Option<&ReadError>,
) -> (Verdict, bool) {
    let Asked {
        policy, question, ..
    } = *asked;
    let block = evidence.found.map_or(UNKNOWN_BLOCK, |found| found.block);
    let empty: Vec<ObjectiveState> = policy
        .objectives
        .iter()
        .map(|o| ObjectiveState::new(o, block, policy.horizon))
        .collect();
    let observe = |(i, empty)| {
        let read: Option<&ObjectiveEvidence> = evidence.objectives.get(i);
        Observed {
            state: read.map_or(empty, |o: &ObjectiveEvidence| &o.state),
            problem: error
                .or_else(|| read.and_then(|o| o.problem.as_ref()))
                .map(ReadError::code),
            series: read.map_or((0, 0), |o| (o.notes.canary_series, o.notes.stable_series)),
        }
    };
    let observed: Vec<Observed<'_>> = empty.iter().enumerate().map(observe).collect();
    let failed = observed.iter().any(|o| o.problem.is_some());
    let verdict = evaluate(&Case {
        policy,
        question,
        id: verdict_id(&policy.revision, question),
        start: evidence.found.map(|found| found.anchor),
        exposed_since: evidence.found.map(|found| found.start),
        block,
        closed: evidence
            .found
            .map_or(-1, |found| closed(&found, question.at)),
        step_since: asked.step_since,
        asked_since: Some(asked.since),
        observed,
        warnings: warnings(policy, evidence, error),
    });
    (verdict, failed)
}

/// What a person should know beside the verdict.
fn warnings(policy: &Policy, evidence: &RolloutEvidence, error: Option<&ReadError>) -> Vec<String> {
    let mut warnings: Vec<String> = error.iter().map(ToString::to_string).collect();
    for (objective, read) in policy.objectives.iter().zip(&evidence.objectives) {
        let mut say = |text: String| {
            let text = format!("{}: {text}", objective.name);
            if !warnings.contains(&text) {
                warnings.push(text);
            }
        };
        if let Some(problem) = &read.problem {
            say(problem.to_string());
        }
        read.warnings
            .iter()
            .for_each(|warning| say(warning.clone()));
        read.notes.warnings().into_iter().for_each(&mut say);
    }
    warnings
        .into_iter()
        .map(|w| crate::judge::explain::clean(&w))
        .collect()
}
