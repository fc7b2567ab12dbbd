//! What breaks outside: the store says that it is not available, and works again by itself.

use super::{
    place::{Kind, Place, block_on},
    postgres::Postgres,
    sample::{T0, draft, rollout},
};
use rollout_judge::{
    config::{store::StoreSettings, units::HumanDuration},
    domain::{Kept, Outcome, StoreError, VerdictStore},
    store::open,
};
use sqlx::Connection as _;
use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

fn settings(url: String, timeout: u64) -> StoreSettings {
    StoreSettings {
        url: Some(url),
        timeout: HumanDuration(Duration::from_millis(timeout)),
        ..StoreSettings::default()
    }
}

/// Keeps one more verdict; gives its id.
async fn keep(store: &dyn VerdictStore, n: i64) -> Result<Uuid, StoreError> {
    let draft = draft(&rollout(&format!("r{n}"), "c"), T0 + n, 0, Outcome::Pass);
    let id = draft.verdict.id;
    store.keep(draft).await.map(|_| id)
}

fn is_unavailable<T: std::fmt::Debug>(found: Result<T, StoreError>) -> String {
    match found {
        Err(StoreError::Unavailable { detail }) => detail,
        other => panic!("not unavailable: {other:?}"),
    }
}

/// Tries until it works.
async fn returns(store: &dyn VerdictStore) {
    let end = Instant::now() + Duration::from_mins(1);
    while let Err(error) = store.ping().await {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(Instant::now() < end, "still: {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn postgres_is_killed_and_returns() {
    let server = Postgres::start(false);
    block_on(async {
        let settings = settings(server.database(), 5000);
        let store = open(&settings).await.unwrap();
        let known = keep(&*store, 0).await.unwrap();
        // what is under way at that moment is either kept or unavailable, and never anything else
        let writers: Vec<_> = (1..=50)
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { keep(&*store, n).await })
            })
            .collect();
        tokio::task::block_in_place(|| server.kill());
        let mut acknowledged = vec![known];
        for writer in writers {
            match writer.await.unwrap() {
                Ok(id) => acknowledged.push(id),
                Err(error) => assert!(matches!(error, StoreError::Unavailable { .. }), "{error}"),
            }
        }
        is_unavailable(store.ping().await);
        is_unavailable(store.record(known).await);
        is_unavailable(keep(&*store, 51).await);
        is_unavailable(open(&settings).await.map(|_| ()));
        tokio::task::block_in_place(|| server.run());
        returns(&*store).await;
        for id in acknowledged {
            assert!(store.record(id).await.unwrap().is_some());
        }
        keep(&*store, 52).await.unwrap();
    });
}

#[test]
fn postgres_hangs_and_goes_on() {
    let server = Postgres::start(false);
    block_on(async {
        let store = open(&settings(server.database(), 1500)).await.unwrap();
        let known = keep(&*store, 0).await.unwrap();
        server.freeze(true);
        is_unavailable(keep(&*store, 1).await);
        is_unavailable(store.record(known).await);
        server.freeze(false);
        returns(&*store).await;
        assert!(store.record(known).await.unwrap().is_some());
        keep(&*store, 2).await.unwrap();
    });
}

#[test]
fn a_locked_file_is_unavailable_until_it_is_free() {
    block_on(async {
        let place = Place::new(Kind::Sqlite);
        let url = place.settings.url.clone().unwrap();
        let store = open(&settings(url.clone(), 300)).await.unwrap();
        let known = keep(&*store, 0).await.unwrap();
        let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let transaction = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let detail = is_unavailable(keep(&*store, 1).await);
        assert!(detail.contains("locked"), "{detail}");
        is_unavailable(store.ping().await);
        assert!(
            store.record(known).await.unwrap().is_some(),
            "readers go on"
        );
        transaction.rollback().await.unwrap();
        returns(&*store).await;
        let again = draft(&rollout("r1", "c"), T0 + 1, 0, Outcome::Pass);
        let kept = store.keep(again).await.unwrap();
        assert!(matches!(kept, Kept::Written(_)), "{kept:?}");
        other.close().await.unwrap();
    });
}

/// Another program makes the same file: it is not yet one with a write-ahead log, and SQLite does not wait there by itself.
#[test]
fn a_file_that_another_program_makes_is_waited_for() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/judge.db", folder.path().display());
        let mut other = sqlx::SqliteConnection::connect(&format!("{url}?mode=rwc"))
            .await
            .unwrap();
        let transaction = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let detail = is_unavailable(open(&settings(url.clone(), 300)).await.map(|_| ()));
        assert!(detail.contains("locked"), "{detail}");
        let opening = tokio::spawn(async move { open(&settings(url, 30_000)).await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!opening.is_finished());
        transaction.rollback().await.unwrap();
        other.close().await.unwrap();
        keep(&*opening.await.unwrap().unwrap(), 0).await.unwrap();
    });
}

#[test]
fn a_file_that_is_removed_or_replaced_is_unavailable_until_it_is_back() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("judge.db"), folder.path().join("aside"));
        let store = open(&settings(format!("sqlite://{}", path.display()), 2000)).await;
        let store = store.unwrap();
        let known = keep(&*store, 0).await.unwrap();
        std::fs::rename(&path, &aside).unwrap();
        for replaced in [false, true] {
            let word = if replaced { "replaced" } else { "removed" };
            if replaced {
                std::fs::write(&path, "another").unwrap();
            }
            for said in [
                is_unavailable(keep(&*store, 1).await.map(|_| ())),
                is_unavailable(store.ping().await),
                is_unavailable(store.record(known).await.map(|_| ())),
            ] {
                assert!(said.contains(word) && said.contains("judge.db"), "{said}");
            }
        }
        std::fs::rename(&aside, &path).unwrap();
        returns(&*store).await;
        let next = keep(&*store, 2).await.unwrap();
        for id in [known, next] {
            assert!(store.record(id).await.unwrap().is_some());
        }
    });
}

#[test]
fn what_cannot_be_opened_says_so() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| settings(format!("sqlite://{}/{name}", folder.path().display()), 500);
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        is_unavailable(open(&at("folder")).await.map(|_| ()));
        std::fs::write(
            folder.path().join("text"),
            "no database at all, ".repeat(100),
        )
        .unwrap();
        let Err(error) = open(&at("text")).await else {
            panic!("opened a text");
        };
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        is_unavailable(open(&at("text/below")).await.map(|_| ()));
        open(&at("new/folders/judge.db")).await.unwrap();
        let nobody = settings("postgres://judge@127.0.0.1:1/judge".to_owned(), 500);
        is_unavailable(open(&nobody).await.map(|_| ()));
    });
}

/// Where the limited child keeps its file.
const CHILD: &str = "STORE_TEST_FULL_DISK";
const LIMIT: &str = "3000000";

/// A limit on the size of files stands for a full disk: it needs no other user and no file system of its own. The limit
/// is one of a process, so the test starts itself as a child.
#[test]
fn a_full_disk_is_unavailable_until_there_is_room() {
    if let Some(folder) = std::env::var_os(CHILD) {
        block_on(fill(Path::new(&folder)));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let limited = format!("trap '' XFSZ; exec prlimit --fsize={LIMIT}:unlimited \"$0\" \"$@\"");
    let child = Command::new("sh")
        .args(["-c", &limited])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::broken::a_full_disk_is_unavailable_until_there_is_room",
        ])
        .arg("--nocapture")
        .env(CHILD, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

async fn fill(folder: &Path) {
    let url = format!("sqlite://{}/judge.db", folder.display());
    let store = open(&settings(url, 5000)).await.unwrap();
    let mut acknowledged = Vec::new();
    let error = loop {
        let n = acknowledged.len() as i64;
        let mut draft = draft(&rollout(&format!("r{n}"), "c"), T0 + n, 0, Outcome::Pass);
        draft.inputs = vec![1; 100_000];
        let id = draft.verdict.id;
        match store.keep(draft).await {
            Ok(_) => acknowledged.push(id),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1000, "there is no limit");
    };
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(!acknowledged.is_empty());
    assert!(store.record(acknowledged[0]).await.unwrap().is_some());
    let room = Command::new("prlimit")
        .args([
            "--fsize=unlimited",
            "--pid",
            &std::process::id().to_string(),
        ])
        .status();
    assert!(room.unwrap().success());
    returns(&*store).await;
    keep(&*store, 5000).await.unwrap();
    for id in acknowledged {
        assert!(store.record(id).await.unwrap().is_some());
    }
}
