//! Whole verdicts spread over time, for charts: the cost is that of the points, not of what is kept.

use super::{
    dialect::{Conn, Db},
    filter::{Narrow, Table},
    judged,
    row::{self, column, id, maybe_id},
};
use crate::{
    domain::{Filter, Question, StoreError, Verdict},
    store::{error::corrupt, moment},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

/// Ids in one list of a query.
const LIST: usize = 500;

/// See [`crate::domain::VerdictStore::looks`].
pub async fn looks(
    conn: &mut Conn,
    filter: &Filter,
    most: u32,
) -> Result<Vec<(Question, Verdict)>, StoreError> {
    let most = most.max(2) as usize;
    let mut ids = ids(conn, filter, true, most + 1).await?;
    if ids.len() > most {
        ids = spread(conn, filter, ids.first().copied(), most).await?;
    }
    ids.sort_unstable();
    ids.dedup();
    let mut bodies: Vec<Vec<u8>> = Vec::with_capacity(ids.len());
    for some in ids.chunks(LIST) {
        let mut query = QueryBuilder::<Db>::new("SELECT b.body FROM bodies b WHERE b.id IN (");
        let mut list = query.separated(", ");
        for id in some {
            list.push_bind(id.as_bytes().to_vec());
        }
        query.push(") ORDER BY b.id");
        let rows = query.build().fetch_all(&mut *conn).await?;
        bodies.extend(row::all(&rows, |row| column(row, 0))?);
    }
    // unpacking hundreds of bodies takes a moment; other calls go on meanwhile
    let read = tokio::task::spawn_blocking(move || {
        let read = |packed: &Vec<u8>| {
            judged::unpacked(packed).map(|(verdict, question)| (question, verdict))
        };
        bodies.iter().map(read).collect()
    });
    read.await.map_err(|error| corrupt(&error.to_string()))?
}

/// Ids from one end.
async fn ids(
    conn: &mut Conn,
    filter: &Filter,
    newest: bool,
    limit: usize,
) -> Result<Vec<Uuid>, StoreError> {
    let mut query = QueryBuilder::<Db>::new("SELECT t.id FROM verdicts t WHERE 1 = 1");
    query.narrow(filter, Table::VERDICTS);
    query.push(" ORDER BY t.id");
    query.push(if newest { " DESC LIMIT " } else { " LIMIT " });
    query.push_bind(limit as i64);
    let rows = query.build().fetch_all(conn).await?;
    row::all(&rows, |row| id(row, 0))
}

/// The oldest, and the newest of each of `most - 1` equal stretches of time: one look-up in the index for each.
async fn spread(
    conn: &mut Conn,
    filter: &Filter,
    newest: Option<Uuid>,
    most: usize,
) -> Result<Vec<Uuid>, StoreError> {
    let oldest = ids(conn, filter, false, 1).await?.first().copied();
    let (Some(oldest), Some(newest)) = (oldest, newest) else {
        return Ok(Vec::new());
    };
    let (begin, end) = (moment::of_id(oldest), moment::of_id(newest) + 1);
    let stretches = (most - 1) as i64;
    let edge = |i: i64| {
        let at =
            i128::from(begin) + i128::from(end - begin) * i128::from(i) / i128::from(stretches);
        moment::first_id(at as i64).as_bytes().to_vec()
    };
    let mut found = vec![oldest];
    let all: Vec<i64> = (0..stretches).collect();
    for some in all.chunks(LIST) {
        let mut query = QueryBuilder::<Db>::new("SELECT (SELECT t.id FROM verdicts t WHERE 1 = 1");
        query.narrow(filter, Table::VERDICTS);
        // both dialects call the columns of VALUES so
        query.push(
            " AND t.id >= s.column1 AND t.id < s.column2 ORDER BY t.id DESC LIMIT 1) FROM (VALUES ",
        );
        for (i, stretch) in some.iter().enumerate() {
            query.push(if i > 0 { ", (" } else { "(" });
            query.push_bind(edge(*stretch)).push(", ");
            query.push_bind(edge(*stretch + 1)).push(")");
        }
        query.push(") AS s");
        let rows = query.build().fetch_all(&mut *conn).await?;
        found.extend(
            row::all(&rows, |row| maybe_id(row, 0))?
                .into_iter()
                .flatten(),
        );
    }
    Ok(found)
}
