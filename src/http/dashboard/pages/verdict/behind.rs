//! What is kept behind a verdict: policy, inputs, queries, deliveries.

use crate::{
    domain::{Filter, Posted, Record, SourceKind, VerdictStore},
    http::{SourceAbout, problem::Problem, state::App},
    policy::Policy,
    service::{
        asked::{self, ObjectiveAsked, SearchAsked},
        bundle::{Inputs, PodArms, pods},
        kept_policy,
    },
};
use uuid::Uuid;

/// Earlier verdicts among which the one before of the same reading is looked for.
const BEFORE: u32 = 4;
/// Messages about one verdict that are shown.
const DELIVERIES: u32 = 100;

/// Everything that is kept behind a verdict.
pub struct Behind {
    /// The policy as it was; `None`: not kept, or not readable by this program.
    pub policy: Option<Policy>,
    /// What else it was made of.
    pub inputs: Option<Inputs>,
    /// The verdict before it of the same reading.
    pub before: Option<Uuid>,
    /// What was asked of the source; an error in words.
    pub asked: Result<(SearchAsked, Vec<ObjectiveAsked>), String>,
    /// The source, where it is still configured.
    pub source: Option<SourceAbout>,
    /// Who was told.
    pub deliveries: Vec<Posted>,
}

/// Reads it.
pub async fn behind(app: &App, record: &Record) -> Result<Behind, Problem> {
    let store = app.store.as_ref();
    let verdict = &record.verdict;
    let policy = kept_policy::of_revision(store, &verdict.revision).await;
    let policy = policy.map_err(Problem::store)?;
    let inputs = Inputs::from_bytes(&record.inputs).ok();
    let before = before(store, record).await?;
    let source = policy.as_ref().and_then(|p| app.about.source(&p.source));
    let asked = match (&policy, &inputs) {
        (Some(policy), Some(inputs)) => {
            let kind = source.map_or(SourceKind::VictoriaMetrics, |source| source.kind);
            let earlier = before.as_ref().map(|(_, inputs)| inputs);
            let search = asked::search(policy, &record.question, inputs, record.run, kind);
            let asked = asked::asked(policy, &record.question, inputs, earlier, kind);
            search
                .and_then(|search| Ok((search, asked?)))
                .map_err(|error| error.to_string())
        }
        (None, _) => Err("the policy document of this verdict is not kept any more, or this program cannot read it".to_owned()),
        (_, None) => Err("what this verdict was read from is not kept".to_owned()),
    };
    let told = store.deliveries(None, None, Some(verdict.id), DELIVERIES);
    Ok(Behind {
        asked,
        before: before.map(|(id, _)| id),
        source: source.cloned(),
        deliveries: told.await.map_err(Problem::store)?,
        policy,
        inputs,
    })
}

/// The verdict before, where both were made of one reading.
async fn before(
    store: &dyn VerdictStore,
    record: &Record,
) -> Result<Option<(Uuid, Inputs)>, Problem> {
    let Some(run) = record.run else {
        return Ok(None);
    };
    let rollout = &record.question.rollout;
    let filter = Filter {
        namespace: Some(rollout.namespace.clone()),
        rollout: Some(rollout.name.clone()),
        canary_hash: Some(rollout.canary_hash.clone()),
        policy: Some(record.verdict.policy.clone()),
        // a reading is not older than the horizon; nobody's is longer than a month
        since: Some(record.question.at.saturating_sub(31 * 86_400_000)),
        ..Filter::default()
    };
    let lines = store
        .history(&filter, Some(record.verdict.id), BEFORE)
        .await;
    for line in lines.map_err(Problem::store)? {
        let earlier = store.record(line.id).await.map_err(Problem::store)?;
        let same = earlier.filter(|earlier| earlier.run == Some(run));
        if let Some(inputs) = same.and_then(|e| Inputs::from_bytes(&e.inputs).ok()) {
            return Ok(Some((line.id, inputs)));
        }
    }
    Ok(None)
}

/// The pods of each objective, where their blocks are kept; an error in words.
pub async fn pod_sums(
    app: &App,
    record: &Record,
    inputs: Inputs,
) -> Result<Result<Vec<Option<PodArms>>, String>, Problem> {
    let Some(run) = record.run else {
        return Ok(Err("no blocks were kept with this verdict".to_owned()));
    };
    let chunks = app.store.chunks(run).await.map_err(Problem::store)?;
    // unpacking may take a moment; other calls go on meanwhile
    let made = tokio::task::spawn_blocking(move || pods(&inputs, &chunks)).await;
    Ok(match made {
        Ok(made) => made.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    })
}
