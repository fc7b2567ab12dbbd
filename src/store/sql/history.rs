//! History: pages in order of id, newest first.

use super::{
    dialect::{Conn, Db},
    filter::{Narrow, Table},
    row::{self, column, id, number, text},
};
use crate::{
    domain::{Filter, Line, Millis, Outcome, RolloutRef, StoreError},
    store::{error::corrupt, moment, wire::Worded},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

/// Canaries with a label that are looked up one by one. With more of them the label is so common that a walk through
/// history soon fills a page.
const FEW: i64 = 64;

/// See [`crate::domain::VerdictStore::history`].
pub async fn page(
    conn: &mut Conn,
    filter: &Filter,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Line>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(
        "SELECT t.id, t.at, t.namespace, t.rollout, t.canary_hash, t.stable_hash, t.policy, t.revision,
             t.outcome, t.score, t.weight, t.reason
         FROM verdicts t WHERE 1 = 1",
    );
    query.narrow(filter, Table::VERDICTS);
    let mut before = before;
    if !filter.labels.is_empty() {
        let (canaries, newest) = labelled(conn, filter).await?;
        if (canaries.len() as i64) < FEW {
            query.among("t.canary_hash", canaries.iter().map(String::as_str));
        }
        // nothing newer has the label
        let end = moment::first_id(newest.saturating_add(1));
        before = Some(before.map_or(end, |before| before.min(end)));
    }
    if let Some(before) = before {
        query.push(" AND t.id < ");
        query.push_bind(before.as_bytes().to_vec());
    }
    query.push(" ORDER BY t.id DESC LIMIT ");
    query.push_bind(i64::from(limit));
    let rows = query.build().fetch_all(conn).await?;
    row::all(&rows, line)
}

/// Canaries that have all labels, newest first, at most [`FEW`], and the last moment that any was asked about.
async fn labelled(conn: &mut Conn, filter: &Filter) -> Result<(Vec<String>, Millis), StoreError> {
    let Some((label, value)) = filter.labels.first_key_value() else {
        return Ok((Vec::new(), Millis::MAX));
    };
    let mut query =
        QueryBuilder::<Db>::new("SELECT t.canary_hash, t.newest FROM lineage t WHERE t.label = ");
    query.push_bind(text(label)).push(" AND t.value = ");
    query.push_bind(text(value));
    // a canary's last question may be after `until`
    let ever = Filter {
        since: None,
        until: None,
        ..filter.clone()
    };
    query.narrow(&ever, Table::LINEAGE);
    query.push(" ORDER BY t.newest DESC LIMIT ");
    query.push_bind(FEW);
    let rows = query.build().fetch_all(conn).await?;
    let found: Vec<(String, Millis)> =
        row::all(&rows, |row| Ok((column(row, 0)?, column(row, 1)?)))?;
    let newest = found.first().map_or(0, |(_, newest)| *newest);
    Ok((found.into_iter().map(|(hash, _)| hash).collect(), newest))
}

fn line(row: &row::Row) -> Result<Line, StoreError> {
    let word: String = column(row, 8)?;
    Ok(Line {
        id: id(row, 0)?,
        at: column(row, 1)?,
        rollout: RolloutRef {
            namespace: column(row, 2)?,
            name: column(row, 3)?,
            canary_hash: column(row, 4)?,
            stable_hash: column(row, 5)?,
        },
        policy: column(row, 6)?,
        revision: column(row, 7)?,
        outcome: Outcome::find(&word).ok_or_else(|| corrupt(&format!("outcome `{word}`")))?,
        score: number(row, 9)?,
        weight: number(row, 10)?,
        reason: column(row, 11)?,
    })
}
