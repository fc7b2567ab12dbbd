//! What a policy would have said: the kept blocks of earlier verdicts, folded and judged by its present revision. Nothing
//! is read from a metric source and nothing is written.

use super::bundle::{BundleError, Inputs, Seen, load_kept, part_blocks};
use crate::{
    domain::{
        Code, Filter, Millis, Outcome, Record, Revision, RolloutRef, RolloutState, StoreError,
        Verdict, VerdictStore,
    },
    evidence::Block,
    judge::{ObjectiveState, evaluate},
    policy::{Indicator, Objective, Policy},
};
use std::sync::Arc;
use uuid::Uuid;

/// Most rollouts that are looked back at.
pub const MOST: u32 = 50;
/// Rollouts among which the newest are found.
const SEARCHED: u32 = 500;

/// One rollout, looked back at.
#[derive(Debug, Clone, PartialEq)]
pub struct Hindsight {
    /// The verdict that was given.
    pub verdict: Uuid,
    /// Who was judged.
    pub rollout: RolloutRef,
    /// Moment of the question.
    pub at: Millis,
    /// What was said.
    pub said: Outcome,
    /// Was a fail that stayed, or a person's override, above the evidence then?
    pub forced: bool,
    /// Digest of the document that judged.
    pub revision: String,
    /// What the present revision says of the same blocks, or why nothing.
    pub says: Result<Says, String>,
}

/// What the present revision says.
#[derive(Debug, Clone, PartialEq)]
pub struct Says {
    /// The outcome, of the evidence alone.
    pub outcome: Outcome,
    /// The sentence.
    pub reason: String,
    /// What does not fit, in words: objectives that are judged without evidence.
    pub unfit: Vec<String>,
}

impl Hindsight {
    /// Is it known that the answer would be another one? Not where evidence is lacking, unless the rest is a fail.
    pub fn differs(&self) -> bool {
        self.says.as_ref().is_ok_and(|says| {
            says.outcome != self.said && (says.unfit.is_empty() || says.outcome == Outcome::Fail)
        })
    }

    /// Is too little kept to know?
    pub fn lacks(&self) -> bool {
        self.says.as_ref().map_or(true, |says| {
            !says.unfit.is_empty() && says.outcome != Outcome::Fail
        })
    }
}

/// Looks back at the rollouts that this policy judged last, the newest first. `visible` narrows the namespaces.
pub async fn look_back(
    store: &dyn VerdictStore,
    policy: Arc<Policy>,
    visible: Option<Vec<String>>,
    count: u32,
) -> Result<Vec<Hindsight>, StoreError> {
    let mut found = Vec::new();
    for verdict in newest(store, &policy.name, visible, count.min(MOST)).await? {
        let Some(record) = store.record(verdict).await? else {
            continue;
        };
        let revision = store.policy(&record.verdict.revision).await?;
        let chunks = match record.run {
            Some(run) => store.chunks(run).await?,
            None => Vec::new(),
        };
        let policy = Arc::clone(&policy);
        // folding takes a moment; other calls go on meanwhile
        let judged = tokio::task::spawn_blocking(move || {
            let says = match &revision {
                Some(revision) => again(&record, revision, &chunks, &policy),
                None => Err("the document that judged it is not kept any more".to_owned()),
            };
            hindsight(&record, says)
        });
        if let Ok(one) = judged.await {
            found.push(one);
        }
    }
    Ok(found)
}

/// The newest verdict of this policy about each rollout whose canary it judges, the newest first.
async fn newest(
    store: &dyn VerdictStore,
    policy: &str,
    visible: Option<Vec<String>>,
    count: u32,
) -> Result<Vec<Uuid>, StoreError> {
    let filter = Filter {
        policy: Some(policy.to_owned()),
        visible,
        ..Filter::default()
    };
    let states = store.rollouts(&filter, None, SEARCHED).await?;
    let mut found = Vec::new();
    for state in states {
        match state.answer_of(policy) {
            Some(one) => found.push((one.at, one.verdict)),
            // another policy is asked about it now
            None => found.extend(earlier(store, &state, policy).await?),
        }
    }
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    found.truncate(count as usize);
    Ok(found.into_iter().map(|(_, verdict)| verdict).collect())
}

async fn earlier(
    store: &dyn VerdictStore,
    state: &RolloutState,
    policy: &str,
) -> Result<Option<(Millis, Uuid)>, StoreError> {
    let own = Filter {
        namespace: Some(state.namespace.clone()),
        rollout: Some(state.name.clone()),
        policy: Some(policy.to_owned()),
        ..Filter::default()
    };
    let lines = store.history(&own, None, 1).await?;
    Ok(lines.first().map(|line| (line.at, line.id)))
}

fn hindsight(record: &Record, says: Result<Says, String>) -> Hindsight {
    let verdict = &record.verdict;
    let at = record.question.at;
    let forced = Inputs::from_bytes(&record.inputs).is_ok_and(|inputs| {
        inputs.latch.is_some_and(|latch| latch.at <= at)
            || inputs.ruling.is_some_and(|ruling| ruling.in_force(at))
    });
    Hindsight {
        verdict: verdict.id,
        rollout: verdict.rollout.clone(),
        at,
        said: verdict.outcome,
        forced,
        revision: verdict.revision.clone(),
        says,
    }
}

/// Judges the kept blocks of one verdict by another revision of its policy.
fn again(
    record: &Record,
    revision: &Revision,
    chunks: &[crate::domain::Chunk],
    policy: &Policy,
) -> Result<Says, String> {
    let gone = |error: BundleError| error.to_string();
    let mut inputs = Inputs::from_bytes(&record.inputs).map_err(gone)?;
    let former = load_kept(&revision.name, &revision.text)?;
    if inputs.start.is_none() {
        // a block length is only known once the canary's start is
        return Err(
            "no data of the canary had been found then, so no block was kept that could be judged again"
                .to_owned(),
        );
    }
    if let Some(block) = policy.block.filter(|block| *block != inputs.block) {
        return Err(format!(
            "its blocks are {} s long, this revision asks for {} s",
            inputs.block / 1000,
            block / 1000
        ));
    }
    let mut unfit = Vec::new();
    let (mut states, mut observed) = (Vec::new(), Vec::new());
    for objective in &policy.objectives {
        let mut state = ObjectiveState::new(objective, inputs.block, policy.horizon);
        let seen = match kept(&former, policy, objective, &inputs, chunks) {
            Ok((seen, blocks)) => {
                for (index, block) in &blocks {
                    state.fold(*index, block);
                }
                seen
            }
            Err(why) => {
                unfit.push((objective.name.clone(), why));
                // with a problem there is no pass, and nothing but a wait
                Seen {
                    problem: Some(Code::Waiting),
                    cause: None,
                    series: (0, 0),
                    blocks: None,
                }
            }
        };
        states.push(state);
        observed.push(seen);
    }
    if unfit.len() == policy.objectives.len() {
        let all = unfit.iter().map(|(name, why)| format!("`{name}`: {why}"));
        return Err(all.collect::<Vec<_>>().join("; "));
    }
    inputs.observed = observed;
    // of the evidence alone
    (inputs.latch, inputs.ruling) = (None, None);
    let verdict = evaluate(&inputs.case(policy, &record.question, &states));
    Ok(Says {
        outcome: verdict.outcome,
        reason: reason(&verdict, &unfit),
        unfit: unfit
            .into_iter()
            .map(|(name, why)| format!("`{name}`: {why}"))
            .collect(),
    })
}

/// The verdict's sentence; where objectives lack evidence, and that is all there is to say, how many of the others pass.
fn reason(verdict: &Verdict, unfit: &[(String, String)]) -> String {
    if unfit.is_empty() || verdict.outcome == Outcome::Fail {
        return verdict.reason.clone();
    }
    let lacks = |name: &str| unfit.iter().any(|(unfit, _)| unfit == name);
    let others = || {
        let all = verdict.findings.iter();
        all.filter(|f| !f.watch && !lacks(&f.name))
    };
    let passed = others().filter(|f| f.outcome == Outcome::Pass).count();
    format!(
        "{passed} of the {} objectives that have evidence pass",
        others().count()
    )
}

/// The kept blocks of an objective, if they are what its present queries would have read.
fn kept(
    former: &Policy,
    policy: &Policy,
    objective: &Objective,
    inputs: &Inputs,
    chunks: &[crate::domain::Chunk],
) -> Result<(Seen, Vec<(i64, Block)>), String> {
    let found = (0_u32..)
        .zip(&former.objectives)
        .find(|(_, o)| o.name == objective.name);
    let Some((part, old)) = found else {
        return Err("it was not judged then, so no blocks of it are kept".to_owned());
    };
    if old.indicator != objective.indicator {
        return Err("its queries changed, so the kept blocks do not fit".to_owned());
    }
    let around = |p: &Policy| {
        let scope = (p.source.clone(), p.tracks.clone(), p.match_text.clone());
        (scope, p.pod_label.clone())
    };
    if around(former) != around(policy) {
        return Err(
            "`source`, `tracks`, `match` or `podLabel` changed, so the kept blocks do not fit"
                .to_owned(),
        );
    }
    let latency = matches!(objective.indicator, Indicator::LatencyQuantile { .. });
    if latency && former.warm_up != policy.warm_up {
        return Err("`warmUp` changed, so the kept blocks do not fit".to_owned());
    }
    let seen = inputs.observed.get(part as usize).cloned();
    let seen = seen.ok_or_else(|| "nothing is kept of it".to_owned())?;
    let blocks = match seen.blocks {
        None => Vec::new(),
        Some((first, last)) => {
            let blocks = part_blocks(part, (first, last), chunks);
            (first..)
                .zip(blocks.map_err(|error| error.to_string())?)
                .collect()
        }
    };
    Ok((seen, blocks))
}

#[cfg(test)]
mod tests;
