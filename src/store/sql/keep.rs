//! A verdict and all that comes with it, in one transaction.

use super::{
    decisions,
    dialect::{self, Conn, Db},
    judged, log, policies, recall, rollouts,
    row::{column, text},
    together::Together,
    versions,
};
use crate::{
    domain::{Draft, Kept, Millis, StoreError},
    store::{error::corrupt, lock::Lock},
};

/// See [`crate::domain::VerdictStore::keep`].
pub async fn keep(conn: &mut Conn, draft: Draft) -> Result<Kept, StoreError> {
    let verdict = draft.verdict.id;
    let (namespace, name) = {
        let rollout = &draft.question.rollout;
        (rollout.namespace.clone(), rollout.name.clone())
    };
    dialect::lock(conn, Lock::Rollout(&namespace, &name)).await?;
    let found = before(conn, &draft).await?;
    if found.is_known {
        let known = recall::verdict(conn, verdict).await?;
        let known = known.ok_or_else(|| corrupt("a verdict without a body"))?;
        return Ok(Kept::Known(Box::new(known)));
    }
    let version = found.version;
    if version != draft.version {
        return Ok(Kept::Stale);
    }
    let mut all = Together::default();
    policies::seen(&mut all, &draft, found.policy_seen);
    versions::seen(&mut all, &draft.question, verdict);
    judged::chunks(&mut all, draft.run, &draft.chunks, draft.kept_at);
    if let Some(latch) = &draft.latch {
        decisions::latch(&mut all, &draft.verdict, latch);
    }
    if let Some(state) = &draft.state {
        rollouts::write(&mut all, version, state)?;
    } else if draft.latch.is_some() {
        rollouts::touch(&mut all, &namespace, &name, draft.kept_at);
    }
    judged::write(
        &mut all,
        (draft.verdict, draft.question),
        draft.inputs,
        draft.run,
        draft.kept_at,
    )?;
    let (events, kept_at) = (draft.events, Some(draft.kept_at));
    let events = log::append(conn, all, events, &draft.deliveries, kept_at).await?;
    Ok(Kept::Written(events))
}

/// What stands there already.
struct Before {
    is_known: bool,
    version: i64,
    policy_seen: Option<Millis>,
}

/// One question for all of it: each way to the database costs two changes of threads.
async fn before(conn: &mut Conn, draft: &Draft) -> Result<Before, StoreError> {
    let rollout = &draft.question.rollout;
    let row = sqlx::query::<Db>(
        "SELECT (SELECT COUNT(*) FROM bodies WHERE id = $1),
             COALESCE((SELECT version FROM rollouts WHERE namespace = $2 AND name = $3), 0),
             (SELECT newest FROM policies WHERE revision = $4)",
    )
    .bind(draft.verdict.id.as_bytes().as_slice())
    .bind(text(&rollout.namespace))
    .bind(text(&rollout.name))
    .bind(text(&draft.verdict.revision))
    .fetch_one(conn)
    .await?;
    Ok(Before {
        is_known: column::<i64>(&row, 0)? > 0,
        version: column(&row, 1)?,
        policy_seen: column(&row, 2)?,
    })
}
