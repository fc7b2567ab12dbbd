//! A verdict and all that comes with it, in one transaction.

use super::{
    decisions,
    dialect::{self, Conn},
    judged, log, policies, recall, rollouts, versions,
};
use crate::{
    domain::{Draft, Kept, StoreError},
    store::lock::Lock,
};

/// See [`crate::domain::VerdictStore::keep`].
pub async fn keep(conn: &mut Conn, draft: Draft) -> Result<Kept, StoreError> {
    let verdict = draft.verdict.id;
    let (namespace, name) = {
        let rollout = &draft.question.rollout;
        (rollout.namespace.clone(), rollout.name.clone())
    };
    dialect::lock(conn, Lock::Rollout(&namespace, &name)).await?;
    if let Some(known) = recall::verdict(conn, verdict).await? {
        return Ok(Kept::Known(Box::new(known)));
    }
    let version = rollouts::version(conn, &namespace, &name).await?;
    if version != draft.version {
        return Ok(Kept::Stale);
    }
    policies::seen(conn, &draft).await?;
    versions::seen(conn, &draft.question, verdict).await?;
    judged::chunks(conn, draft.run, &draft.chunks, draft.kept_at).await?;
    if let Some(latch) = &draft.latch {
        decisions::latch(conn, &draft.verdict, latch).await?;
    }
    if let Some(state) = &draft.state {
        rollouts::write(conn, version, state).await?;
    } else if draft.latch.is_some() {
        rollouts::touch(conn, &namespace, &name, draft.kept_at).await?;
    }
    judged::write(
        conn,
        (draft.verdict, draft.question),
        draft.inputs,
        draft.run,
        draft.kept_at,
    )
    .await?;
    let events = log::append(conn, draft.events, &draft.deliveries, Some(draft.kept_at)).await?;
    Ok(Kept::Written(events))
}
