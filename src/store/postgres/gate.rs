//! The ways in: a pool.

use super::{
    dialect::{self, Conn},
    sql::{keep, row::Row, together::Together},
};
use crate::{
    config::store::StoreSettings,
    domain::{RolloutRef, StoreError, ports::BoxFuture},
    store::{error::unavailable, lock::Lock},
};
use sqlx::{
    AssertSqlSafe, Executor as _, PgPool,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::time::Duration;

/// The ways into a database.
pub struct Gate {
    pool: PgPool,
    timeout: Duration,
}

impl Gate {
    /// A pool that connects when it is needed.
    pub fn open(options: PgConnectOptions, settings: &StoreSettings) -> Self {
        let timeout = settings.timeout.0;
        let millis = timeout.as_millis();
        // a replica that hangs or is cut off must not hold a lock for ever
        let patience = format!(
            "SET lock_timeout = {millis}; SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {}",
            millis * 2,
            millis * 4,
        );
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections.max(1))
            .acquire_timeout(timeout)
            .after_connect(move |conn, _| {
                let patience = patience.clone();
                Box::pin(async move {
                    conn.execute(sqlx::raw_sql(AssertSqlSafe(patience))).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options);
        Self { pool, timeout }
    }

    /// The log is PostgreSQL's own to look after.
    pub fn tidy(&self) -> std::future::Ready<()> {
        let _ = self.timeout;
        std::future::ready(())
    }

    /// A connection.
    pub async fn reader(&self) -> Result<PoolConnection<sqlx::Postgres>, StoreError> {
        Ok(self.pool.acquire().await?)
    }

    /// What this gives inside the patience of the store.
    pub async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.timeout, work)
            .await
            .unwrap_or_else(|_| Err(unavailable("no answer in time")))
    }

    /// Statements that nothing else is asked between, in a transaction of their own.
    pub async fn write_at_once(
        &self,
        rollout: &RolloutRef,
        all: Together,
    ) -> Result<Vec<Row>, StoreError> {
        let rollout = rollout.clone();
        self.write(move |conn| {
            Box::pin(async move {
                keep::lock(conn, &rollout).await?;
                dialect::share(conn, Lock::Log).await?;
                all.run(conn).await
            })
        })
        .await
    }

    /// A transaction of its own.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.patiently(async {
            let mut transaction = self.pool.begin().await?;
            let done = job(&mut transaction).await?;
            transaction.commit().await?;
            Ok(done)
        })
        .await
    }
}
