//! The judgement of one question, end to end: plan, fetch, condense, judge.

use super::{
    bundle::Capture,
    cache::{EvidenceCache, Key, RolloutEvidence},
    conclude::{Asked, Concluded, conclude},
    identity::verdict_id,
    keeper::Keeper,
    port::{Judge, JudgeError, Judged, Policies},
    read::ReadError,
    reading::{RESERVE, Reading},
    ruled,
    silence::Silence,
    transitions::Given,
};
use crate::{
    domain::{
        Clock, Kept, MetricSource, Millis, Override, Question, Standing, Track, Verdict, Window,
        ports::BoxFuture,
    },
    judge::TrailPoint,
    policy::{Indicator, Objective, OnSourceDown, Policy},
    query::{Binding, Planner, QueryError, Scope, Texts},
};
use moka::future::Cache;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Identical questions within this time share one evaluation.
const SHARED: Duration = Duration::from_secs(1);
/// Rollouts whose history is read at the same time: bounds memory. Polls that only read what is new never wait for it.
const HISTORIES: usize = 8;
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
