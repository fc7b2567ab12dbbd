//! Removes what is over the retention, a small batch at a time, so that questions never wait for it.

use crate::domain::{Clock, Retention, VerdictStore};
use std::{sync::Arc, time::Duration};

/// Between two looks when there is nothing to remove.
const REST: Duration = Duration::from_mins(1);
/// Between two batches.
const BREATH: Duration = Duration::from_millis(50);

/// Runs until it is dropped.
pub async fn keep_small(store: Arc<dyn VerdictStore>, retention: Retention, clock: Arc<dyn Clock>) {
    loop {
        let removed = match store.prune(retention, clock.now()).await {
            Ok(removed) => removed,
            Err(error) => {
                tracing::warn!(%error, "old verdicts could not be removed; trying again");
                0
            }
        };
        if removed > 0 {
            tracing::debug!(rows = removed, "removed what is over the retention");
        }
        tokio::time::sleep(if removed > 0 { BREATH } else { REST }).await;
    }
}
