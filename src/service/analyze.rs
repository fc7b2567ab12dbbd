//! The judgement of one question, end to end: plan, fetch, condense, judge.

use super::{
    bundle::{Capture, Recorder},
    cache::{EvidenceCache, Key, RolloutEvidence},
    conclude::{Asked, Concluded, conclude},
    discover::{self, Found, Search},
    identity::{run_id, verdict_id},
    keeper::Keeper,
    port::{Judge, JudgeError, Judged, Policies},
    read::{self, Job, ObjectiveEvidence, ReadError},
    ruled,
    silence::Silence,
    transitions::Given,
};
use crate::{
    domain::{
        Clock, Kept, MetricSource, Millis, Override, Question, Standing, Track, Verdict, Window,
        ports::BoxFuture,
    },
    evidence::{Grid, Identity},
    judge::TrailPoint,
    policy::{Indicator, Objective, OnSourceDown, Policy},
    query::{Binding, Planner, QueryError, Scope, Texts},
};
use moka::future::Cache;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use uuid::Uuid;

/// Kept free of the deadline for judging and writing the answer.
const RESERVE: Duration = Duration::from_millis(400);
/// Identical questions within this time share one evaluation.
const SHARED: Duration = Duration::from_secs(1);
/// Rollouts whose history is read at the same time: bounds memory. Polls that only read what is new never wait for it.
const HISTORIES: usize = 8;
/// More blocks than this are history; silent ones are read again for a while.
const NEW_BLOCKS: i64 = 20;

/// The matchers of a policy, and its texts as they are sent for one rollout.
type Plans = (Scope, Arc<Texts>);

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
    silence: Silence,
    keeper: Option<Keeper>,
    capture: Capture,
    plans: moka::sync::Cache<Key, Arc<Plans>>,
    histories: Semaphore,
    flights: Cache<(String, Question), Judged>,
}

impl Analyze {
    /// Wires policies and sources. Without a keeper nothing is kept: for one question on a terminal.
    pub fn new(
        policies: Arc<dyn Policies>,
        clock: Arc<dyn Clock>,
        sources: BTreeMap<String, Arc<dyn MetricSource>>,
        keeper: Option<Keeper>,
        limits: Limits,
    ) -> Self {
        Self {
            policies,
            clock,
            sources,
            limits,
            cache: EvidenceCache::new(limits.rollouts),
            silence: Silence::default(),
            capture: Capture {
                blocks: keeper.is_some(),
                samples: false,
            },
            keeper,
            plans: moka::sync::Cache::new(limits.rollouts),
            histories: Semaphore::new(HISTORIES),
            flights: Cache::builder()
                .max_capacity(limits.rollouts)
                .time_to_live(SHARED)
                .build(),
        }
    }

    /// Keeps raw samples beside the blocks, where anything is kept.
    #[must_use]
    pub fn keeping_samples(mut self, samples: bool) -> Self {
        self.capture.samples = samples && self.capture.blocks;
        self
    }

    async fn analyze(&self, question: Question) -> Result<Judged, JudgeError> {
        let deadline = Instant::now() + self.limits.deadline;
        let Some(policy) = self.policies.policy(&question.policy) else {
            return Err(JudgeError::UnknownPolicy {
                name: question.policy,
                known: self.policies.names(),
            });
        };
        let key = (policy.revision.clone(), question.clone());
        let (flights, asked) = (&self.flights, question.clone());
        let evaluation = self.evaluate(Arc::clone(&policy), question, deadline);
        let flight = flights.entry(key).or_try_insert_with(evaluation).await;
        let flight = flight.map_err(|shared| (*shared).clone())?;
        if flight.is_fresh() {
            return Ok(flight.into_value());
        }
        let verdict = flight.into_value().verdict;
        if asked.dry_run {
            return Ok(Judged::known(verdict));
        }
        // shared; an override may have come since
        let standing = self.recall(&policy, &asked, verdict.id, deadline).await?;
        Ok(Judged::known(match standing.known {
            Some(known) => self.beside(*known, standing.ruling.as_ref()),
            None => verdict,
        }))
    }

    /// A kept answer, with what was decided since beside it.
    fn beside(&self, mut known: Verdict, ruling: Option<&Override>) -> Arc<Verdict> {
        ruled::told(&mut known, ruling, self.clock.now());
        Arc::new(known)
    }

    /// The answer to a question that was answered before.
    async fn again(
        &self,
        mut known: Verdict,
        (question, ruling): (&Question, Option<&Override>),
        deadline: Instant,
    ) -> Result<Judged, JudgeError> {
        if let Some(keeper) = self.keeper.as_ref().filter(|_| !question.dry_run) {
            let differ = keeper.asked_again(question, known.id, deadline).await?;
            known.warnings.extend(differ);
        }
        Ok(Judged::known(self.beside(known, ruling)))
    }

    async fn evaluate(
        &self,
        policy: Arc<Policy>,
        question: Question,
        deadline: Instant,
    ) -> Result<Judged, JudgeError> {
        let source = self
            .sources
            .get(&policy.source)
            .ok_or_else(|| JudgeError::CannotPlan {
                detail: format!(
                    "policy `{}` names source `{}`, which the configuration does not have",
                    policy.name, policy.source
                ),
            })?;
        let key = Key::new(&policy.revision, &question);
        let plans = self.plans(&policy, &key)?;
        let binding = Binding {
            rollout: &question.rollout,
            params: &question.params,
        };
        let planner = Planner::new(&plans.0, binding, source.kind()).knowing(Arc::clone(&plans.1));
        let window = Window {
            start: question.at - 1,
            end: question.at,
        };
        for objective in &policy.objectives {
            planned(&planner, objective, window).map_err(|error| JudgeError::CannotPlan {
                detail: format!("objective `{}`: {error}", objective.name),
            })?;
        }
        let id = verdict_id(&policy.revision, &question);
        let recall = self.recall(&policy, &question, id, deadline);
        let reading = Reading {
            policy: &policy,
            question: &question,
            planner: &planner,
            source: source.as_ref(),
            histories: &self.histories,
            capture: self.capture,
            deadline: deadline.checked_sub(RESERVE).unwrap_or(deadline),
        };
        let place = self.cache.place(key).await;
        let limit = tokio::time::Instant::from_std(reading.deadline);
        // beside a reading that only goes on; a question that was answered before then reads nothing
        let warm = place.try_lock().ok();
        let warm = warm.filter(|kept| kept.found.is_some() && !reading.past(kept));
        let (standing, turn) = match warm {
            Some(mut kept) => {
                let (error, standing) = tokio::join!(reading.refresh(&mut kept, limit), recall);
                (standing?, Some((kept, error)))
            }
            None => (recall.await?, None),
        };
        if let Some(known) = standing.known {
            let asked = (&question, standing.ruling.as_ref());
            return self.again(*known, asked, deadline).await;
        }
        let turn = match turn {
            Some(turn) => Some(turn),
            None => reading.turn(&place, limit).await,
        };
        let mut own = RolloutEvidence::default();
        let mut kept;
        let (evidence, error) = match turn {
            // a replay of an earlier moment reads its own
            Some((earlier, _)) if reading.past(&earlier) => {
                let error = reading.refresh(&mut own, limit).await;
                (&mut own, error)
            }
            Some((guard, error)) => {
                kept = guard;
                (&mut *kept, error)
            }
            None => (&mut own, Some(ReadError::Deadline)),
        };
        self.decide(
            &policy,
            &question,
            standing,
            (evidence, error.as_ref()),
            deadline,
        )
        .await
    }

    /// What is parsed once for all questions of a key.
    fn plans(&self, policy: &Policy, key: &Key) -> Result<Arc<Plans>, JudgeError> {
        if let Some(known) = self.plans.get(key) {
            return Ok(known);
        }
        let scope = Scope::parse(&policy.tracks, policy.match_text.as_deref())
            .map_err(|error| cannot_plan(&error))?;
        let plans = Arc::new((scope, Arc::default()));
        self.plans.insert(key.clone(), Arc::clone(&plans));
        Ok(plans)
    }

    async fn recall(
        &self,
        policy: &Policy,
        question: &Question,
        id: Uuid,
        deadline: Instant,
    ) -> Result<Standing, JudgeError> {
        match &self.keeper {
            Some(keeper) => {
                keeper
                    .recall(question, &policy.revision, id, deadline)
                    .await
            }
            None => Ok(Standing::default()),
        }
    }

    /// Judges and keeps; judges again where somebody else changed the rollout's state meanwhile.
    async fn decide(
        &self,
        policy: &Policy,
        question: &Question,
        mut standing: Standing,
        (evidence, error): (&mut RolloutEvidence, Option<&ReadError>),
        deadline: Instant,
    ) -> Result<Judged, JudgeError> {
        loop {
            let asked = Asked {
                policy,
                question,
                standing: &standing,
            };
            let Concluded {
                verdict,
                inputs,
                failed,
            } = conclude(&asked, evidence, error);
            let silent = self.silence.note(&policy.source, failed, self.clock.now());
            let Some(keeper) = self.keeper.as_ref().filter(|_| !question.dry_run) else {
                return answer(policy, verdict, failed, silent);
            };
            let given = Given {
                standing: &standing,
                question,
                verdict: &verdict,
                policy,
                patience: keeper.patience,
                silent,
                now: self.clock.now(),
            };
            if is_error(policy, failed, silent) {
                keeper.source_down(&given, deadline).await?;
                return Err(JudgeError::SourceDown);
            }
            match keeper.keep(&given, (evidence, inputs), deadline).await? {
                Kept::Written(_) => {
                    return Ok(Judged::made(self.beside(verdict, standing.ruling.as_ref())));
                }
                Kept::Known(known) => {
                    let asked = (question, standing.ruling.as_ref());
                    return self.again(*known, asked, deadline).await;
                }
                Kept::Stale => {
                    let id = verdict.id;
                    standing = self.recall(policy, question, id, deadline).await?;
                    if let Some(known) = standing.known {
                        let asked = (question, standing.ruling.as_ref());
                        return self.again(*known, asked, deadline).await;
                    }
                }
            }
        }
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
    fn judge(&self, question: Question) -> BoxFuture<'_, Result<Judged, JudgeError>> {
        Box::pin(self.analyze(question))
    }
}

/// Is the source silent past the patience of a policy that wants an error then?
fn is_error(policy: &Policy, failed: bool, silent: Millis) -> bool {
    failed && policy.on_source_down == OnSourceDown::Error && silent >= policy.source_patience
}

fn answer(
    policy: &Policy,
    verdict: Verdict,
    failed: bool,
    silent: Millis,
) -> Result<Judged, JudgeError> {
    if is_error(policy, failed, silent) {
        Err(JudgeError::SourceDown)
    } else {
        Ok(Judged::made(Arc::new(verdict)))
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
    capture: Capture,
    deadline: Instant,
}

impl Reading<'_> {
    /// Waits for the rollout's evidence and brings it up to date; `None`: others had it for too long.
    async fn turn<'k>(
        &self,
        place: &'k Mutex<RolloutEvidence>,
        limit: tokio::time::Instant,
    ) -> Option<(MutexGuard<'k, RolloutEvidence>, Option<ReadError>)> {
        let mut kept = tokio::time::timeout_at(limit, place.lock()).await.ok()?;
        let error = self.refresh(&mut kept, limit).await;
        Some((kept, error))
    }

    /// Brings kept evidence up to the question's moment; evidence that is already past it is left alone.
    async fn refresh(
        &self,
        kept: &mut RolloutEvidence,
        limit: tokio::time::Instant,
    ) -> Option<ReadError> {
        kept.bound(!self.question.dry_run);
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
    fn past(&self, kept: &RolloutEvidence) -> bool {
        kept.found.is_some_and(|found| {
            self.question.since.is_none() && self.question.at <= found.start
                || kept.folded() > closed(&found, self.question.at).max(-1)
        })
    }
}

pub(super) fn closed(found: &Found, at: Millis) -> i64 {
    Grid {
        anchor: found.anchor,
        length: found.block,
    }
    .last_closed(at, found.lag)
}
