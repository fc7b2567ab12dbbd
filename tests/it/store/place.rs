//! Where a test's store is.

use super::postgres::Postgres;
use rollout_judge::{
    config::store::StoreSettings,
    domain::{StoreError, VerdictStore},
    store::open,
};
use sqlx::{AssertSqlSafe, Connection as _};
use std::sync::Arc;
use tempfile::TempDir;

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// An empty database of one test.
pub struct Place {
    pub settings: StoreSettings,
    pub kind: Kind,
    _folder: Option<TempDir>,
    _server: Option<Arc<Postgres>>,
}

impl Place {
    pub fn new(kind: Kind) -> Self {
        let settings = |url| StoreSettings {
            url: Some(url),
            // generous: the machine is busy with other tests
            timeout: rollout_judge::config::units::HumanDuration(std::time::Duration::from_secs(
                30,
            )),
            ..StoreSettings::default()
        };
        match kind {
            Kind::Sqlite => {
                let folder = TempDir::with_prefix("store").unwrap();
                let file = folder.path().join("judge.db");
                Self {
                    settings: settings(format!("sqlite://{}", file.display())),
                    kind,
                    _folder: Some(folder),
                    _server: None,
                }
            }
            Kind::Postgres => {
                let server = Postgres::shared();
                Self {
                    settings: settings(server.database()),
                    kind,
                    _folder: None,
                    _server: Some(server),
                }
            }
        }
    }

    pub async fn try_open(&self) -> Result<Arc<dyn VerdictStore>, StoreError> {
        open(&self.settings).await
    }

    pub async fn open(&self) -> Arc<dyn VerdictStore> {
        self.try_open().await.unwrap()
    }

    /// Statements past the store.
    pub async fn execute(&self, text: impl Into<String>) {
        let url = self.settings.url.clone().unwrap();
        let text = sqlx::raw_sql(AssertSqlSafe(text.into()));
        match self.kind {
            Kind::Sqlite => {
                let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
                text.execute(&pool).await.unwrap();
                pool.close().await;
            }
            Kind::Postgres => {
                let pool = sqlx::PgPool::connect(&url).await.unwrap();
                text.execute(&pool).await.unwrap();
                pool.close().await;
            }
        }
    }

    /// The scripts that have made its tables.
    pub async fn versions(&self) -> Vec<i64> {
        const TEXT: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
        let url = self.settings.url.clone().unwrap();
        match self.kind {
            Kind::Sqlite => {
                let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
                let versions = sqlx::query_scalar(TEXT).fetch_all(&mut conn).await;
                versions.unwrap()
            }
            Kind::Postgres => {
                let mut conn = sqlx::PgConnection::connect(&url).await.unwrap();
                let versions = sqlx::query_scalar(TEXT).fetch_all(&mut conn).await;
                versions.unwrap()
            }
        }
    }
}

/// Runs a test to its end.
pub fn block_on(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test);
}
