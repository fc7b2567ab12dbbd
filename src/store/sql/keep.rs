//! A verdict and all that comes with it, in one transaction.

use super::{
    decisions,
    dialect::{self, Conn, Db},
    judged, log,
    policies::{self, Judged},
    recall, rollouts,
    row::{column, text},
    together::Together,
    versions,
};
use crate::{
    domain::{Draft, Kept, Millis, RolloutRef, StoreError},
    store::{error::corrupt, lock::Lock},
};
use std::{mem, sync::Arc};
use uuid::Uuid;

/// See [`crate::domain::VerdictStore::keep`].
pub async fn keep(conn: &mut Conn, mut draft: Draft) -> Result<Kept, StoreError> {
    let rollout = draft.question.rollout.clone();
    dialect::lock(conn, Lock::Rollout(&rollout.namespace, &rollout.name)).await?;
    let (id, version) = (draft.verdict.id, draft.version);
    let judged = Judged {
        revision: draft.verdict.revision.clone(),
        policy: draft.verdict.policy.clone(),
        text: Arc::clone(&draft.policy_text),
        at: draft.kept_at,
    };
    let events = mem::take(&mut draft.events);
    let deliveries = mem::take(&mut draft.deliveries);
    // the body is packed while the database looks
    let looking = before(conn, id, &rollout, &judged.revision);
    let (found, all) = tokio::join!(looking, async { statements(draft) });
    let (found, mut all) = (found?, all?);
    if found.is_known {
        let known = recall::verdict(conn, id).await?;
        let known = known.ok_or_else(|| corrupt("a verdict without a body"))?;
        return Ok(Kept::Known(Box::new(known)));
    }
    if found.version != version {
        return Ok(Kept::Stale);
    }
    policies::seen(&mut all, &judged, found.policy_seen);
    let events = log::append(conn, all, events, &deliveries, Some(judged.at)).await?;
    Ok(Kept::Written(events))
}

/// All that a draft writes beside its policy and its events.
fn statements(draft: Draft) -> Result<Together, StoreError> {
    let mut all = Together::default();
    versions::seen(&mut all, &draft.question, draft.verdict.id);
    judged::chunks(&mut all, draft.run, &draft.chunks, draft.kept_at);
    if let Some(latch) = &draft.latch {
        decisions::latch(&mut all, &draft.verdict, latch);
    }
    if let Some(state) = &draft.state {
        rollouts::write(&mut all, draft.version, state)?;
    } else if draft.latch.is_some() {
        let rollout = &draft.question.rollout;
        rollouts::touch(&mut all, &rollout.namespace, &rollout.name, draft.kept_at);
    }
    judged::write(
        &mut all,
        (draft.verdict, draft.question),
        draft.inputs,
        draft.run,
        draft.kept_at,
    )?;
    Ok(all)
}

/// What stands there already.
struct Before {
    is_known: bool,
    version: i64,
    policy_seen: Option<Millis>,
}

/// One question for all of it: each way to the database costs two changes of threads.
async fn before(
    conn: &mut Conn,
    verdict: Uuid,
    rollout: &RolloutRef,
    revision: &str,
) -> Result<Before, StoreError> {
    let row = sqlx::query::<Db>(
        "SELECT (SELECT COUNT(*) FROM bodies WHERE id = $1),
             COALESCE((SELECT version FROM rollouts WHERE namespace = $2 AND name = $3), 0),
             (SELECT newest FROM policies WHERE revision = $4)",
    )
    .bind(verdict.as_bytes().as_slice())
    .bind(text(&rollout.namespace))
    .bind(text(&rollout.name))
    .bind(text(revision))
    .fetch_one(conn)
    .await?;
    Ok(Before {
        is_known: column::<i64>(&row, 0)? > 0,
        version: column(&row, 1)?,
        policy_seen: column(&row, 2)?,
    })
}
