//! Latches and overrides.

use super::{
    dialect::{self, Conn, Db},
    log, rollouts,
    row::{self, column, text},
    together::Together,
    versions,
};
use crate::{
    domain::{Change, Event, Latch, Outcome, Override, StoreError, Verdict},
    store::{lock::Lock, wire},
};

/// Latches a canary; the earliest fail stays.
pub fn latch(all: &mut Together, verdict: &Verdict, latch: &Latch) {
    let rollout = &verdict.rollout;
    all.say(
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
    .bind(text(&latch.reason));
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
    let found = row::all(&rows, |row| ruling(row, 0))?;
    Ok(found.into_iter().flatten().collect())
}

/// The override in a column.
pub fn ruling(row: &row::Row, place: usize) -> Result<Option<Override>, StoreError> {
    let body: Option<String> = column(row, place)?;
    let ruling = body.map(|body| wire::read::<wire::v1::Override>(&body));
    Ok(ruling.transpose()?)
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
    let mut all = Together::default();
    if let Some((question, verdict)) = &change.asked_again {
        versions::seen(&mut all, question, *verdict);
    }
    // the former first: of two of one second the later counts
    for ruling in change.replaced.iter().chain(&change.ruling) {
        rule(&mut all, ruling)?;
    }
    if let Some((version, state)) = state {
        if rollouts::version(conn, &state.namespace, &state.name).await? != *version {
            return Err(StoreError::Stale);
        }
        rollouts::write(&mut all, *version, state)?;
    } else if let Some(ruling) = &change.ruling {
        // a verdict that is being judged does not know of this override: it must be judged again
        rollouts::touch(&mut all, &ruling.namespace, &ruling.name, ruling.at);
    }
    log::append(conn, all, change.events, &change.deliveries, None).await
}

fn rule(all: &mut Together, ruling: &Override) -> Result<(), StoreError> {
    all.say(
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
    .bind(wire::write::<wire::v1::Override>(ruling)?);
    if ruling.outcome == Outcome::Fail || ruling.revoked.is_some() {
        return Ok(());
    }
    all.say("DELETE FROM latches WHERE namespace = $1 AND rollout = $2 AND canary_hash = $3")
        .bind(text(&ruling.namespace))
        .bind(text(&ruling.name))
        .bind(text(&ruling.canary_hash));
    Ok(())
}
