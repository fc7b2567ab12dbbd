//! Settings become a store.

use super::{error::unavailable, postgres, sqlite};
use crate::{
    config::store::{Place, StoreSettings},
    domain::{StoreError, VerdictStore},
};
use std::sync::Arc;

/// Opens the store and brings its tables to the newest version. Must be called on a running Tokio runtime.
pub async fn open(settings: &StoreSettings) -> Result<Arc<dyn VerdictStore>, StoreError> {
    match settings.place() {
        Some(Place::File(path)) => Ok(Arc::new(sqlite::open(&path, settings).await?)),
        Some(Place::Postgres(url)) => Ok(Arc::new(postgres::open(&url, settings).await?)),
        None => Err(unavailable(
            "`store.url` is neither `sqlite://FILE` nor `postgres://user@host/db`",
        )),
    }
}
