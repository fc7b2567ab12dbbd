//! The log, and the readers' places in it.

use super::{
    deliveries,
    dialect::{self, Conn, Db},
    row::{self, column, id, text},
    together::{Together, rows_of},
};
use crate::{
    domain::{Delivery, Event, EventKind, Millis, StoreError},
    store::{lock::Lock, wire},
};
use sqlx::QueryBuilder;
use std::collections::BTreeMap;

/// Runs what was said, and appends the events that are new, with their deliveries; gives them with their places.
pub async fn append(
    conn: &mut Conn,
    mut all: Together,
    events: Vec<Event>,
    wanted: &[Delivery],
    now: Option<Millis>,
) -> Result<Vec<Event>, StoreError> {
    if !events.is_empty() {
        // until the commit: readers wait for it before they pass our places
        dialect::share(conn, Lock::Log).await?;
        say(&mut all, &events, now)?;
    }
    let new = placed(events, &all.run(conn).await?)?;
    for event in &new {
        for delivery in wanted.iter().filter(|delivery| delivery.event == event.id) {
            deliveries::queue(conn, delivery, event.verdict, now.unwrap_or(delivery.due)).await?;
        }
    }
    Ok(new)
}

/// Appends events. Must be said last: the rows that come back are their places.
pub fn say(all: &mut Together, events: &[Event], now: Option<Millis>) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut rows = all.say(&format!(
        "INSERT INTO events (id, kept_at, kind, namespace, rollout, body) VALUES {}
         ON CONFLICT (id) DO NOTHING RETURNING id, seq",
        rows_of(6, events.len())
    ));
    for event in events {
        rows = rows
            .bind(event.id.as_bytes().as_slice())
            .bind(now.unwrap_or(event.at))
            .bind(event.kind.as_str())
            .bind(text(&event.namespace))
            .bind(text(&event.rollout))
            .bind(wire::write::<wire::v1::Event>(event)?);
    }
    Ok(())
}

/// The events that are new, with their places.
pub fn placed(events: Vec<Event>, rows: &[row::Row]) -> Result<Vec<Event>, StoreError> {
    let mut places = BTreeMap::new();
    for row in rows {
        places.insert(id(row, 0)?, column(row, 1)?);
    }
    let new = |mut event: Event| {
        event.seq = places.remove(&event.id)?;
        Some(event)
    };
    Ok(events.into_iter().filter_map(new).collect())
}

/// An event whose place and body stand in these columns.
pub fn event(row: &row::Row, place: usize) -> Result<Event, StoreError> {
    let body: String = column(row, place + 1)?;
    let mut event = wire::read::<wire::v1::Event>(&body)?;
    event.seq = column(row, place)?;
    Ok(event)
}

/// The log after a place.
pub async fn after(conn: &mut Conn, place: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
    if newest(conn).await? <= place {
        return Ok(Vec::new());
    }
    let end = dialect::settled(conn).await?;
    let rows = sqlx::query::<Db>(
        "SELECT seq, body FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
    )
    .bind(place)
    .bind(end)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    row::all(&rows, |row| event(row, 0))
}

/// The log of one rollout, newest first.
pub async fn timeline(
    conn: &mut Conn,
    namespace: &str,
    name: &str,
    before: Option<i64>,
    changes: bool,
    limit: u32,
) -> Result<Vec<Event>, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT seq, body FROM events WHERE namespace = ");
    query.push_bind(text(namespace)).push(" AND rollout = ");
    query.push_bind(text(name));
    if changes {
        // the words of the partial index
        for kind in [EventKind::Verdict, EventKind::Delivered] {
            query.push(" AND kind <> '").push(kind.as_str()).push("'");
        }
    }
    if let Some(before) = before {
        query.push(" AND seq < ").push_bind(before);
    }
    query
        .push(" ORDER BY seq DESC LIMIT ")
        .push_bind(i64::from(limit));
    let rows = query.build().fetch_all(conn).await?;
    row::all(&rows, |row| event(row, 0))
}

/// The last place that no later commit comes before.
pub async fn last(conn: &mut Conn) -> Result<i64, StoreError> {
    let end = dialect::settled(conn).await?;
    Ok(newest(conn).await?.min(end))
}

/// The highest place that can be seen.
async fn newest(conn: &mut Conn) -> Result<i64, StoreError> {
    let found = sqlx::query::<Db>("SELECT COALESCE(MAX(seq), 0) FROM events")
        .fetch_one(conn)
        .await?;
    column(&found, 0)
}

/// How far a reader has come.
pub async fn cursor(conn: &mut Conn, reader: &str) -> Result<Option<i64>, StoreError> {
    let found = sqlx::query::<Db>("SELECT seq FROM cursors WHERE reader = $1")
        .bind(text(reader))
        .fetch_optional(conn)
        .await?;
    found.map(|row| column(&row, 0)).transpose()
}

/// Moves a reader on.
pub async fn advance(conn: &mut Conn, reader: String, seq: i64) -> Result<(), StoreError> {
    sqlx::query::<Db>(
        "INSERT INTO cursors (reader, seq) VALUES ($1, $2)
         ON CONFLICT (reader) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > cursors.seq",
    )
    .bind(text(&reader))
    .bind(seq)
    .execute(conn)
    .await?;
    Ok(())
}
