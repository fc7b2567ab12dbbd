//! What is known before a question is judged.

use super::{
    decisions,
    dialect::{Conn, Db},
    judged, rollouts,
};
use crate::domain::{Question, Standing, StoreError, Verdict};
use uuid::Uuid;

/// See [`crate::domain::VerdictStore::recall`].
pub async fn recall(
    conn: &mut Conn,
    question: &Question,
    revision: &str,
    id: Uuid,
) -> Result<Standing, StoreError> {
    let rollout = &question.rollout;
    // the version first: what is read after it is at least as new, and a draft on an older version is refused
    let (version, state) = rollouts::read(conn, &rollout.namespace, &rollout.name).await?;
    Ok(Standing {
        version,
        state,
        latch: decisions::latched(conn, rollout, &question.policy, revision).await?,
        ruling: decisions::newest(conn, rollout).await?,
        known: verdict(conn, id).await?.map(Box::new),
    })
}

/// A kept verdict.
pub async fn verdict(conn: &mut Conn, id: Uuid) -> Result<Option<Verdict>, StoreError> {
    let found = sqlx::query::<Db>("SELECT body FROM bodies WHERE id = $1")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(conn)
        .await?;
    found.map(|row| Ok(judged::body(&row)?.0)).transpose()
}
