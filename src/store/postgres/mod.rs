//! PostgreSQL: shared by replicas, each call a transaction.

mod dialect;
mod gate;

#[path = "../sql/mod.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "one text of SQL, compiled once for each dialect"
)]
mod sql;

use super::schema::{self, Script};
use crate::{
    config::store::StoreSettings,
    domain::StoreError,
    store::{error::unavailable, lock::Lock},
};
use gate::Gate;
use secrecy::ExposeSecret as _;
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

const SCRIPTS: &[Script] = &[
    (
        1,
        "memory",
        include_str!("../migrations/postgres/0001_memory.sql"),
    ),
    (
        2,
        "canaries",
        include_str!("../migrations/postgres/0002_canaries.sql"),
    ),
    (
        3,
        "tries",
        include_str!("../migrations/postgres/0003_tries.sql"),
    ),
];

/// Connects, and makes the tables where they are not there.
pub async fn open(url: &str, settings: &StoreSettings) -> Result<sql::Store, StoreError> {
    let mut options: PgConnectOptions = url
        .parse()
        .map_err(|error| unavailable(&format!("`store.url`: {error}")))?;
    options = options.application_name("rollout-judge");
    if let Some(password) = &settings.password {
        let password = password.read().map_err(|error| unavailable(&error))?;
        options = options.password(password.expose_secret());
    }
    options = options.disable_statement_logging();
    let gate = Gate::open(options, settings);
    migrate(&gate).await?;
    Ok(sql::Store::new(gate))
}

async fn migrate(gate: &Gate) -> Result<(), StoreError> {
    gate.write(|conn| {
        Box::pin(async move {
            dialect::lock(conn, Lock::Schema).await?;
            schema::migrate(conn, SCRIPTS).await
        })
    })
    .await
}
