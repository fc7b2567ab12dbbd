//! Migrations: forward only, in one transaction, so that programs that start together make the tables once.

use super::error::{corrupt, unavailable};
use crate::domain::StoreError;
use sqlx::{
    SqlSafeStr,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};

/// Number, name and text of a migration.
pub type Script = (i64, &'static str, &'static str);

/// Brings the tables to the newest version. The caller holds the schema alone, in a transaction.
pub async fn migrate<C: Migrate>(conn: &mut C, scripts: &[Script]) -> Result<(), StoreError> {
    let known = scripts.iter().map(|(version, name, text)| {
        Migration::new(
            *version,
            (*name).into(),
            MigrationType::Simple,
            text.into_sql_str(),
            false,
        )
    });
    let mut migrator = Migrator::with_migrations(known.collect());
    migrator.set_locking(false);
    let newest = scripts.last().map_or(0, |(version, ..)| *version);
    migrator
        .run_direct(None, conn, false)
        .await
        .map_err(|error| match error {
            MigrateError::VersionMissing(version) if version > newest => StoreError::TooNew {
                detail: format!(
                    "its migration {version} is not known here, the newest is {newest}; run the newer version"
                ),
            },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => corrupt(&error),
            other => unavailable(&other),
        })
}
