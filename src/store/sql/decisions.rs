//! Latches and overrides.

use super::{
    dialect::{self, Conn, Db},
    log, rollouts,
    row::{self, column, id, text},
};
use crate::{
    domain::{Change, Event, Latch, Outcome, Override, RolloutRef, StoreError, Verdict},
    store::{lock::Lock, wire},
};

/// Latches a canary; the earliest fail stays.
pub async fn latch(conn: &mut Conn, verdict: &Verdict, latch: &Latch) -> Result<(), StoreError> {
    let rollout = &verdict.rollout;
    sqlx::query::<Db>(
        "INSERT INTO latches (namespace, rollout, canary_hash, policy, revision, at, verdict, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (namespace, rollout, canary_hash, policy, revision)
         DO UPDATE SET at = excluded.at, verdict = excluded.verdict, reason = excluded.reason
         WHERE excluded.at < latches.at",
    )
    .bind(text(&rollout.namespace))
    .bind(text(&rollout.name))
    .bind(text(&rollout.canary_hash))
    .bind(text(&verdict.policy))
    .bind(text(&verdict.revision))
    .bind(latch.at)
    .bind(latch.verdict.as_bytes().as_slice())
    .bind(text(&latch.reason))
    .execute(conn)
    .await?;
    Ok(())
}

/// The latch of a canary under a revision.
pub async fn latched(
    conn: &mut Conn,
    rollout: &RolloutRef,
    policy: &str,
    revision: &str,
) -> Result<Option<Latch>, StoreError> {
    let found = sqlx::query::<Db>(
        "SELECT at, verdict, reason FROM latches
         WHERE namespace = $1 AND rollout = $2 AND canary_hash = $3 AND policy = $4 AND revision = $5",
    )
    .bind(text(&rollout.namespace))
    .bind(text(&rollout.name))
    .bind(text(&rollout.canary_hash))
    .bind(text(policy))
    .bind(text(revision))
    .fetch_optional(conn)
    .await?;
    found
        .map(|row| {
            Ok(Latch {
                at: column(&row, 0)?,
                verdict: id(&row, 1)?,
                reason: column(&row, 2)?,
            })
        })
        .transpose()
}

/// The newest override of a canary.
pub async fn newest(conn: &mut Conn, rollout: &RolloutRef) -> Result<Option<Override>, StoreError> {
    let found = sqlx::query::<Db>(
        "SELECT body FROM overrides WHERE namespace = $1 AND rollout = $2 AND canary_hash = $3
         ORDER BY at DESC, id DESC LIMIT 1",
    )
    .bind(text(&rollout.namespace))
    .bind(text(&rollout.name))
    .bind(text(&rollout.canary_hash))
    .fetch_optional(conn)
    .await?;
    found.map(|row| ruling(&row)).transpose()
}

/// Overrides of a rollout, newest first.
pub async fn overrides(
    conn: &mut Conn,
    namespace: &str,
    name: &str,
    limit: u32,
) -> Result<Vec<Override>, StoreError> {
    let rows = sqlx::query::<Db>(
        "SELECT body FROM overrides WHERE namespace = $1 AND rollout = $2 ORDER BY at DESC, id DESC LIMIT $3",
    )
    .bind(text(namespace))
    .bind(text(name))
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    row::all(&rows, ruling)
}

fn ruling(row: &row::Row) -> Result<Override, StoreError> {
    let body: String = column(row, 0)?;
    Ok(wire::read::<wire::v1::Override>(&body)?)
}

/// See [`crate::domain::VerdictStore::change`].
pub async fn change(conn: &mut Conn, change: Change) -> Result<Vec<Event>, StoreError> {
    let state = change.state.as_ref();
    let mut touched: Vec<(&str, &str)> = state
        .map(|(_, state)| (state.namespace.as_str(), state.name.as_str()))
        .into_iter()
        .chain(
            change
                .ruling
                .as_ref()
                .map(|ruling| (ruling.namespace.as_str(), ruling.name.as_str())),
        )
        .collect();
    touched.sort_unstable();
    touched.dedup();
    for (namespace, name) in touched {
        dialect::lock(conn, Lock::Rollout(namespace, name)).await?;
    }
    if let Some(ruling) = &change.ruling {
        rule(conn, ruling).await?;
    }
    if let Some((version, state)) = state {
        if rollouts::version(conn, &state.namespace, &state.name).await? != *version {
            return Err(StoreError::Stale);
        }
        rollouts::write(conn, *version, state).await?;
    } else if let Some(ruling) = &change.ruling {
        // a verdict that is being judged does not know of this override: it must be judged again
        rollouts::touch(conn, &ruling.namespace, &ruling.name, ruling.at).await?;
    }
    log::append(conn, change.events, &change.deliveries, None).await
}

async fn rule(conn: &mut Conn, ruling: &Override) -> Result<(), StoreError> {
    sqlx::query::<Db>(
        "INSERT INTO overrides (id, namespace, rollout, canary_hash, at, expires, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id) DO UPDATE SET at = excluded.at, expires = excluded.expires, body = excluded.body",
    )
    .bind(ruling.id.as_bytes().as_slice())
    .bind(text(&ruling.namespace))
    .bind(text(&ruling.name))
    .bind(text(&ruling.canary_hash))
    .bind(ruling.at)
    .bind(ruling.expires)
    .bind(wire::write::<wire::v1::Override>(ruling)?)
    .execute(&mut *conn)
    .await?;
    if ruling.outcome == Outcome::Fail || ruling.revoked.is_some() {
        return Ok(());
    }
    sqlx::query::<Db>(
        "DELETE FROM latches WHERE namespace = $1 AND rollout = $2 AND canary_hash = $3",
    )
    .bind(text(&ruling.namespace))
    .bind(text(&ruling.name))
    .bind(text(&ruling.canary_hash))
    .execute(conn)
    .await?;
    Ok(())
}
