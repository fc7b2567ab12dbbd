//! A verdict and all that comes with it, in one transaction.

use super::{
    decisions,
    dialect::{self, Conn},
    gate::Gate,
    judged, log,
    policies::{self, Judged},
    recall, rollouts,
    together::Together,
    versions,
};
use crate::{
    domain::{Draft, Kept, RolloutRef, StoreError, Verdict},
    store::lock::Lock,
};
use std::mem;
use uuid::Uuid;

/// See [`crate::domain::VerdictStore::keep`]. Written without a look at what stands there: each way to the database costs
/// two changes of threads. Where the question was answered before, or the rollout's state changed meanwhile, the verdict's
/// row is refused and nothing is written; only then it is looked up which.
pub async fn keep(gate: &Gate, mut draft: Draft) -> Result<Kept, StoreError> {
    let (id, version, at) = (draft.verdict.id, draft.version, draft.kept_at);
    let rollout = draft.question.rollout.clone();
    let events = mem::take(&mut draft.events);
    let deliveries = mem::take(&mut draft.deliveries);
    let mut all = statements(draft)?;
    let written = if deliveries.is_empty() {
        log::say(&mut all, &events, Some(at))?;
        let rows = gate.write_at_once(&rollout, all).await;
        rows.and_then(|rows| log::placed(events, &rows))
    } else {
        let rollout = rollout.clone();
        let job = gate.write(move |conn: &mut Conn| {
            Box::pin(async move {
                lock(conn, &rollout).await?;
                log::append(conn, all, events, &deliveries, Some(at)).await
            })
        });
        job.await
    };
    let refused = match written {
        Ok(events) => return Ok(Kept::Written(events)),
        Err(refused @ StoreError::Corrupt { .. }) => refused,
        Err(error) => return Err(error),
    };
    let found = gate
        .write(move |conn: &mut Conn| Box::pin(async move { found(conn, id, &rollout).await }))
        .await?;
    match found {
        (Some(known), _) => Ok(Kept::Known(known)),
        (None, now) if now != version => Ok(Kept::Stale),
        _ => Err(refused),
    }
}

/// Nobody else writes about this rollout until the transaction ends.
pub async fn lock(conn: &mut Conn, rollout: &RolloutRef) -> Result<(), StoreError> {
    dialect::lock(conn, Lock::Rollout(&rollout.namespace, &rollout.name)).await
}

/// All that a draft writes beside its events, the verdict first.
fn statements(draft: Draft) -> Result<Together, StoreError> {
    let mut all = Together::default();
    let Draft {
        version,
        verdict,
        question,
        kept_at,
        ..
    } = draft;
    let rollout = question.rollout.clone();
    let judged = (verdict, question);
    let (verdict, question) = judged::write(
        &mut all,
        judged,
        draft.inputs,
        draft.run,
        (version, kept_at),
    )?;
    policies::seen(
        &mut all,
        &Judged {
            revision: verdict.revision.clone(),
            policy: verdict.policy.clone(),
            text: draft.policy_text,
            at: kept_at,
        },
    );
    versions::seen(&mut all, &question, verdict.id);
    judged::chunks(&mut all, draft.run, &draft.chunks, kept_at);
    if let Some(latch) = &draft.latch {
        decisions::latch(&mut all, &verdict, latch);
    }
    if let Some(state) = &draft.state {
        rollouts::write(&mut all, version, state)?;
    } else if draft.latch.is_some() {
        rollouts::touch(&mut all, &rollout.namespace, &rollout.name, kept_at);
    }
    Ok(all)
}

/// The answer that stands there, and the version of the rollout's state.
async fn found(
    conn: &mut Conn,
    verdict: Uuid,
    rollout: &RolloutRef,
) -> Result<(Option<Box<Verdict>>, i64), StoreError> {
    lock(conn, rollout).await?;
    let known = recall::verdict(conn, verdict).await?;
    let version = rollouts::version(conn, &rollout.namespace, &rollout.name).await?;
    Ok((known.map(Box::new), version))
}
