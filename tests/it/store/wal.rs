//! The write-ahead log of SQLite.

use super::{
    place::{Kind, Place, block_on},
    sample::{T0, draft, rollout},
};
use rollout_judge::domain::{Kept, Outcome};
use std::{fs, path::Path};

/// SQLite by itself lets it grow to a thousand pages, and then lets a verdict wait while it moves them.
const PAGES: u64 = 900 * 4096;

#[test]
fn the_log_is_moved_while_nobody_waits() {
    block_on(async {
        let place = Place::new(Kind::Sqlite);
        let store = place.open().await;
        let file = place.settings.url.clone().unwrap();
        let file = file.strip_prefix("sqlite://").unwrap().to_owned();
        let length = |name: &str| fs::metadata(Path::new(name)).unwrap().len();
        let empty = length(&file);
        for n in 0..80 {
            let draft = draft(&rollout("cart", "c"), T0 + n, n, Outcome::Pass);
            let kept = store.keep(draft).await.unwrap();
            assert!(matches!(kept, Kept::Written(_)), "{kept:?}");
        }
        let log = length(&format!("{file}-wal"));
        assert!(log < PAGES, "the log has {log} bytes");
        assert!(length(&file) > empty, "nothing was moved");
    });
}
