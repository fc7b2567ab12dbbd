//! The present state of rollouts.

use super::{
    dialect::{Conn, Db},
    filter::{Narrow, Table},
    row::{self, column, text},
    together::Together,
};
use crate::{
    domain::{Filter, Millis, RolloutState, StoreError},
    store::wire,
};
use sqlx::QueryBuilder;

/// The version of a rollout; 0 where it was never judged.
pub async fn version(conn: &mut Conn, namespace: &str, name: &str) -> Result<i64, StoreError> {
    let found =
        sqlx::query::<Db>("SELECT version FROM rollouts WHERE namespace = $1 AND name = $2")
            .bind(text(namespace))
            .bind(text(name))
            .fetch_optional(conn)
            .await?;
    found.map_or(Ok(0), |row| column(&row, 0))
}

/// Version and state of a rollout.
pub async fn read(
    conn: &mut Conn,
    namespace: &str,
    name: &str,
) -> Result<(i64, Option<RolloutState>), StoreError> {
    let found =
        sqlx::query::<Db>("SELECT version, state FROM rollouts WHERE namespace = $1 AND name = $2")
            .bind(text(namespace))
            .bind(text(name))
            .fetch_optional(conn)
            .await?;
    let Some(row) = found else {
        return Ok((0, None));
    };
    Ok((column(&row, 0)?, state(&row, 1)?))
}

/// The state in a column.
pub fn state(row: &row::Row, place: usize) -> Result<Option<RolloutState>, StoreError> {
    let body: Option<String> = column(row, place)?;
    let state = body.map(|body| wire::read::<wire::v1::RolloutState>(&body));
    Ok(state.transpose()?)
}

/// Replaces a state that has this version.
pub fn write(all: &mut Together, version: i64, state: &RolloutState) -> Result<(), StoreError> {
    all.say(
        "INSERT INTO rollouts (namespace, name, version, kept_at, at, policy, canary_hash, outcome, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (namespace, name) DO UPDATE SET version = excluded.version, kept_at = excluded.kept_at,
             at = excluded.at, policy = excluded.policy, canary_hash = excluded.canary_hash,
             outcome = excluded.outcome, state = excluded.state",
    )
    .bind(text(&state.namespace))
    .bind(text(&state.name))
    .bind(version.saturating_add(1))
    .bind(state.kept_at)
    .bind(state.at)
    .bind(text(&policies(state)))
    .bind(text(&state.canary_hash))
    .bind(state.outcome.as_str())
    .bind(wire::write::<wire::v1::RolloutState>(state)?);
    Ok(())
}

/// Between the names of the policies of a rollout; never part of one.
pub const BETWEEN: &str = "|";

/// Every policy that has judged the present canary.
fn policies(state: &RolloutState) -> String {
    let mut names: Vec<&str> = state.outcomes.keys().map(String::as_str).collect();
    if !names.contains(&state.policy.as_str()) {
        names.push(&state.policy);
    }
    names.join(BETWEEN)
}

/// Raises the version and leaves the state: what was decided on the old one must be decided again.
pub fn touch(all: &mut Together, namespace: &str, name: &str, kept_at: Millis) {
    all.say(
        "INSERT INTO rollouts (namespace, name, version, kept_at) VALUES ($1, $2, 1, $3)
         ON CONFLICT (namespace, name) DO UPDATE SET version = rollouts.version + 1",
    )
    .bind(text(namespace))
    .bind(text(name))
    .bind(kept_at);
}

/// See [`crate::domain::VerdictStore::rollouts`].
pub async fn page(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<(&str, &str)>,
    limit: u32,
) -> Result<Vec<RolloutState>, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT state FROM rollouts t WHERE state IS NOT NULL");
    query.narrow(filter, Table::ROLLOUTS);
    if let Some(part) = &filter.part {
        query.push(" AND t.name LIKE ");
        query.push_bind(text(&containing(part))).push(" ESCAPE '!'");
    }
    if let Some((namespace, name)) = after {
        query.push(" AND (t.namespace, t.name) > (");
        query.push_bind(text(namespace)).push(", ");
        query.push_bind(text(name)).push(")");
    }
    query.push(" ORDER BY t.namespace, t.name LIMIT ");
    query.push_bind(i64::from(limit));
    let rows = query.build().fetch_all(conn).await?;
    row::all(&rows, |row| {
        let body: String = column(row, 0)?;
        Ok(wire::read::<wire::v1::RolloutState>(&body)?)
    })
}

/// The pattern of texts that contain this one.
fn containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for c in part.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + "%"
}
