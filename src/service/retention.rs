//! Removes what is over the retention, a small batch at a time, so that questions never wait for it.

use crate::domain::{Clock, Pruned, Retention, VerdictStore};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Between two sweeps of a store that does not grow.
const REST: Duration = Duration::from_mins(1);
/// Between two looks at the size.
const GLANCE: Duration = Duration::from_secs(1);
/// Between two batches.
const BREATH: Duration = Duration::from_millis(50);

/// Hears what was removed, why, and how many.
pub type Removed = Arc<dyn Fn(&'static str, &'static str, u64) + Send + Sync>;

/// Runs until it is dropped.
pub async fn keep_small(
    store: Arc<dyn VerdictStore>,
    retention: Retention,
    clock: Arc<dyn Clock>,
    removed: Removed,
) {
    loop {
        sweep(&*store, retention, &*clock, &removed).await;
        let (end, before) = (Instant::now() + REST, store.bytes().await.unwrap_or(0));
        while Instant::now() < end {
            tokio::time::sleep(GLANCE).await;
            let now = store.bytes().await.unwrap_or(0);
            if has_grown(before, now, retention.max_bytes) {
                break;
            }
        }
    }
}

/// Is it too large, and larger than it was by a tenth of what it may be? A store that cannot be made smaller is not swept
/// again at once.
fn has_grown(before: u64, now: u64, max_bytes: u64) -> bool {
    now > max_bytes && now - before.min(now) >= max_bytes / 10
}

/// Removes until nothing is over the retention, and says what.
async fn sweep(
    store: &dyn VerdictStore,
    retention: Retention,
    clock: &dyn Clock,
    removed: &Removed,
) {
    let (mut by_age, mut by_size) = (Pruned::default(), Pruned::default());
    loop {
        let batch = match store.prune(retention, clock.now()).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::warn!(%error, "old verdicts could not be removed; trying again");
                break;
            }
        };
        if batch.rows == 0 {
            break;
        }
        let (sum, why) = if batch.by_size {
            (&mut by_size, "size")
        } else {
            (&mut by_age, "age")
        };
        sum.rows += batch.rows;
        sum.verdicts += batch.verdicts;
        sum.events += batch.events;
        removed("verdicts", why, batch.verdicts);
        removed("events", why, batch.events);
        tokio::time::sleep(BREATH).await;
    }
    for (sum, why) in [
        (by_age, "they are older than `store.maxAge`"),
        (by_size, "the store is larger than `store.maxBytes`"),
    ] {
        if sum.verdicts + sum.events > 0 {
            let Pruned {
                rows,
                verdicts,
                events,
                ..
            } = sum;
            tracing::info!(verdicts, events, rows, "removed the oldest: {why}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::has_grown;

    #[test]
    fn a_store_is_swept_early_when_it_grows_over_its_size() {
        for (before, now, expected) in [
            (0, 100, false),
            (0, 101, true),
            (95, 104, false),
            (95, 105, true),
            (150, 155, false),
            (150, 160, true),
            (160, 90, false),
        ] {
            assert_eq!(has_grown(before, now, 100), expected, "{before} to {now}");
        }
    }
}
