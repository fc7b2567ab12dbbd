//! The outbox.

use super::{
    dialect::{self, Conn, Db},
    filter::Narrow,
    log,
    row::{self, column, id, text},
};
use crate::{
    domain::{Claimed, Delivery, EventKind, Millis, Posted, Progress, StoreError, Tried},
    store::{error::corrupt, lock::Lock},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

/// Deliveries of one order that are taken with the first.
const BEHIND: i64 = 50;

const POSTED: &str =
    "SELECT d.place, d.id, d.event, d.receiver, d.queue, d.due, d.progress, d.tries, d.queued_at,
     d.tried_at, d.error, d.took, d.held,
     CASE WHEN d.progress = 'pending' THEN (SELECT MIN(b.place) FROM deliveries b
         WHERE b.receiver = d.receiver AND b.queue = d.queue AND b.progress = 'pending') END,
     e.seq, e.body FROM deliveries d JOIN events e ON e.id = d.event";

/// Queues a delivery; a known one stays as it is.
pub async fn queue(
    conn: &mut Conn,
    delivery: &Delivery,
    verdict: Option<Uuid>,
    queued_at: Millis,
) -> Result<(), StoreError> {
    sqlx::query::<Db>(
        "INSERT INTO deliveries (id, event, verdict, receiver, queue, due, progress, tries, queued_at, leased_until)
         VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, $7, 0)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(delivery.id.as_bytes().as_slice())
    .bind(delivery.event.as_bytes().as_slice())
    .bind(verdict.map(|verdict| verdict.as_bytes().to_vec()))
    .bind(text(&delivery.receiver))
    .bind(text(&delivery.order))
    .bind(delivery.due)
    .bind(queued_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// See [`crate::domain::VerdictStore::claim`].
pub async fn claim(
    conn: &mut Conn,
    receiver: String,
    now: Millis,
    until: Millis,
    limit: u32,
) -> Result<Vec<Claimed>, StoreError> {
    dialect::lock(conn, Lock::Receiver(&receiver)).await?;
    let mut query = QueryBuilder::<Db>::new(POSTED);
    query.push(
        " JOIN (SELECT MIN(place) AS place FROM deliveries WHERE progress = 'pending' AND receiver = ",
    );
    query.push_bind(text(&receiver));
    query.push(" GROUP BY queue) h ON h.place = d.place WHERE d.leased_until <= ");
    query.push_bind(now).push(" AND (d.due <= ").push_bind(now);
    // a new fail or end of an override does not wait behind what is held or was tried in vain
    query.push(
        " OR EXISTS (SELECT 1 FROM deliveries b JOIN events f ON f.id = b.event
             WHERE b.receiver = d.receiver AND b.queue = d.queue AND b.progress = 'pending'
               AND b.tries = 0 AND b.held = 0 AND f.kind IN (",
    );
    let mut kinds = query.separated(", ");
    for kind in EventKind::ALL.iter().filter(|kind| kind.leads()) {
        kinds.push_bind(kind.as_str());
    }
    query.push(") AND b.due <= ");
    query
        .push_bind(now)
        .push(" AND b.leased_until <= ")
        .push_bind(now);
    query.push("))");
    query
        .push(" ORDER BY d.place LIMIT ")
        .push_bind(i64::from(limit));
    let heads = query.build().fetch_all(&mut *conn).await?;
    let mut taken = Vec::with_capacity(heads.len());
    for head in &heads {
        let (place, first) = (column::<i64>(head, 0)?, posted(head)?);
        let mut query = QueryBuilder::<Db>::new(POSTED);
        query.push(" WHERE d.progress = 'pending' AND d.receiver = ");
        query.push_bind(text(&receiver)).push(" AND d.queue = ");
        query.push_bind(text(&first.delivery.order));
        query.push(" AND d.place > ").push_bind(place);
        query.push(" ORDER BY d.place LIMIT ").push_bind(BEHIND);
        let behind = query.build().fetch_all(&mut *conn).await?;
        for row in std::iter::once(head).chain(&behind) {
            sqlx::query::<Db>("UPDATE deliveries SET leased_until = $1 WHERE place = $2")
                .bind(until)
                .bind(column::<i64>(row, 0)?)
                .execute(&mut *conn)
                .await?;
        }
        let behind = row::all(&behind, posted)?;
        taken.push(Claimed { first, behind });
    }
    Ok(taken)
}

/// Notes what a try came to; a settled delivery stays as it is.
pub async fn settle(
    conn: &mut Conn,
    delivery: Uuid,
    tried: Tried,
    (now, took): (Millis, Option<Millis>),
) -> Result<(), StoreError> {
    let (progress, due, error) = match tried {
        Tried::Held { due } => return hold(conn, delivery, due).await,
        Tried::Delivered => (Progress::Delivered, None, None),
        Tried::Later { due, error } => (Progress::Pending, Some(due), Some(error)),
        Tried::Dead { error } => (Progress::Dead, None, Some(error)),
    };
    sqlx::query::<Db>(
        "UPDATE deliveries SET progress = $1, due = COALESCE($2, due), error = $3, tried_at = $4,
             took = $5, held = 0, tries = tries + 1, leased_until = 0
         WHERE id = $6 AND progress = 'pending'",
    )
    .bind(progress.as_str())
    .bind(due)
    .bind(error.as_deref().map(text))
    .bind(now)
    .bind(took)
    .bind(delivery.as_bytes().as_slice())
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts one off that was not tried: what its last try said stays.
async fn hold(conn: &mut Conn, delivery: Uuid, due: Millis) -> Result<(), StoreError> {
    sqlx::query::<Db>(
        "UPDATE deliveries SET due = $1, held = 1, leased_until = 0
         WHERE id = $2 AND progress = 'pending'",
    )
    .bind(due)
    .bind(delivery.as_bytes().as_slice())
    .execute(conn)
    .await?;
    Ok(())
}

/// Deliveries by progress, newest first.
pub async fn list(
    conn: &mut Conn,
    progress: Option<Progress>,
    receiver: Option<&str>,
    verdict: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Posted>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(POSTED);
    query.push(" WHERE 1 = 1");
    query.equal("d.progress", progress.map(Progress::as_str));
    query.equal("d.receiver", receiver);
    if let Some(verdict) = verdict {
        query.push(" AND d.verdict = ");
        query.push_bind(verdict.as_bytes().to_vec());
    }
    query
        .push(" ORDER BY d.place DESC LIMIT ")
        .push_bind(i64::from(limit));
    let rows = query.build().fetch_all(conn).await?;
    row::all(&rows, posted)
}

/// Deliveries by progress before a place, newest first, each with its place.
pub async fn before(
    conn: &mut Conn,
    progress: Option<Progress>,
    receiver: Option<&str>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<(i64, Posted)>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(POSTED);
    query.push(" WHERE 1 = 1");
    query.equal("d.progress", progress.map(Progress::as_str));
    query.equal("d.receiver", receiver);
    if let Some(before) = before {
        query.push(" AND d.place < ").push_bind(before);
    }
    query
        .push(" ORDER BY d.place DESC LIMIT ")
        .push_bind(i64::from(limit));
    let rows = query.build().fetch_all(conn).await?;
    row::all(&rows, |row| Ok((column(row, 0)?, posted(row)?)))
}

/// Puts a dead delivery back, with all its tries before it.
pub async fn retry(conn: &mut Conn, delivery: Uuid, now: Millis) -> Result<bool, StoreError> {
    let found = sqlx::query::<Db>(
        "SELECT place, receiver, queue FROM deliveries WHERE id = $1 AND progress = 'dead'",
    )
    .bind(delivery.as_bytes().as_slice())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = found else {
        return Ok(false);
    };
    let (place, receiver, queue): (i64, String, String) =
        (column(&row, 0)?, column(&row, 1)?, column(&row, 2)?);
    // the receiver must not be left with what is over: the others that were given up since then come with it,
    // and the last thing that it was told about how things stand
    let mut query = QueryBuilder::<Db>::new(
        "UPDATE deliveries SET progress = 'pending', tries = 0, held = 0, leased_until = 0, due = ",
    );
    query.push_bind(now);
    query.push(" WHERE receiver = ").push_bind(&receiver);
    query.push(" AND queue = ").push_bind(&queue);
    query.push(" AND place >= ").push_bind(place);
    query.push(
        " AND (progress = 'dead' OR place =
             (SELECT MAX(d.place) FROM deliveries d JOIN events e ON e.id = d.event
              WHERE d.progress = 'delivered' AND d.receiver = ",
    );
    query.push_bind(&receiver);
    query.push(" AND d.queue = ").push_bind(&queue);
    query.push(" AND d.place > ").push_bind(place);
    query.push(" AND e.kind IN (");
    let mut kinds = query.separated(", ");
    for kind in EventKind::ALL.iter().filter(|kind| kind.tells_standing()) {
        kinds.push_bind(kind.as_str());
    }
    query.push(")))");
    query.build().execute(conn).await?;
    Ok(true)
}

fn posted(row: &row::Row) -> Result<Posted, StoreError> {
    let word: String = column(row, 6)?;
    let (place, head): (i64, Option<i64>) = (column(row, 0)?, column(row, 13)?);
    Ok(Posted {
        delivery: Delivery {
            id: id(row, 1)?,
            event: id(row, 2)?,
            receiver: column(row, 3)?,
            order: column(row, 4)?,
            due: column(row, 5)?,
        },
        progress: Progress::parse(&word)
            .ok_or_else(|| corrupt(&format!("progress `{word}` of a delivery")))?,
        tries: u32::try_from(column::<i64>(row, 7)?).unwrap_or_default(),
        queued_at: column(row, 8)?,
        tried_at: column(row, 9)?,
        error: column(row, 10)?,
        took: column(row, 11)?,
        held: column::<i64>(row, 12)? != 0,
        behind: head.is_some_and(|head| head < place),
        event: log::event(row, 14)?,
    })
}
