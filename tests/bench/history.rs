//! A million verdicts: how long a first page of history takes, and how long a verdict takes to be on the disk.
//! SQLite in a file, and a real PostgreSQL that flushes its disk. `HISTORY_VERDICTS=20000` makes it smaller.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on panics")]
#![expect(clippy::expect_used, reason = "a bench that cannot go on panics")]
#![expect(dead_code, reason = "the support files serve other programs too")]

#[path = "support/fill.rs"]
mod fill;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../it/store/sample.rs"]
mod sample;

use rollout_judge::{
    config::store::StoreSettings,
    domain::{Draft, EventKind, Filter, Kept, Outcome, VerdictStore},
    store::open,
};
use sample::T0;
use std::{sync::Arc, time::Instant};

const PAGE: u32 = 50;
const POINTS: u32 = 400;
const READS: usize = 100;
const WRITES: i64 = 2000;
const TOGETHER: i64 = 200;
const ROUNDS: i64 = 20;

fn main() {
    let verdicts = std::env::var_os("HISTORY_VERDICTS")
        .and_then(|text| text.to_str()?.parse().ok())
        .unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}/judge.db", folder.path().display());
    runtime.block_on(bench("SQLite", file, verdicts));
    let server = postgres::Postgres::start(true);
    runtime.block_on(bench("PostgreSQL", server.database(), verdicts));
}

async fn bench(name: &str, url: String, verdicts: i64) {
    let settings = StoreSettings {
        url: Some(url.clone()),
        ..StoreSettings::default()
    };
    let store = open(&settings).await.unwrap();
    let begun = Instant::now();
    // one of ours, whose body the others share
    keep(&*store, draft(0, -1)).await;
    fill::fill(&url, verdicts).await;
    println!(
        "{name}: {verdicts} verdicts, {:.0} MB, filled in {:.0} s",
        store.bytes().await.unwrap() as f64 / 1e6,
        begun.elapsed().as_secs_f64()
    );
    read(&*store, verdicts).await;
    write(&store, verdicts).await;
}

async fn read(store: &dyn VerdictStore, verdicts: i64) {
    let text = |text: String| Some(text);
    let all = Filter::default;
    let label = |name: &str, value: &str| Filter {
        labels: sample::labels(&[(name, value)]),
        ..all()
    };
    let filters = [
        ("everything", all()),
        (
            "a namespace",
            Filter {
                namespace: text("ns7".into()),
                ..all()
            },
        ),
        (
            "a rollout",
            Filter {
                namespace: text("ns7".into()),
                rollout: text("r107".into()),
                ..all()
            },
        ),
        (
            "a policy",
            Filter {
                policy: text("p3".into()),
                ..all()
            },
        ),
        (
            "fails",
            Filter {
                outcome: Some(Outcome::Fail),
                ..all()
            },
        ),
        (
            "fails of a namespace",
            Filter {
                namespace: text("ns7".into()),
                outcome: Some(Outcome::Fail),
                ..all()
            },
        ),
        (
            "fails of a policy",
            Filter {
                policy: text("p3".into()),
                outcome: Some(Outcome::Fail),
                ..all()
            },
        ),
        (
            "a canary",
            Filter {
                canary_hash: text("c107x0".into()),
                ..all()
            },
        ),
        (
            "an hour long ago",
            Filter {
                since: Some(T0 + verdicts * 300),
                until: Some(T0 + verdicts * 300 + 3_600_000),
                ..all()
            },
        ),
        (
            "20 visible namespaces",
            Filter {
                visible: Some((5..25).map(|n| format!("ns{n}")).collect()),
                ..all()
            },
        ),
        ("a rare label", label("commit", "c107x0")),
        ("a common label", label("team", "t3")),
        ("a label that nobody has", label("team", "nobody")),
        (
            "nobody's namespace",
            Filter {
                namespace: text("nobody".into()),
                ..all()
            },
        ),
    ];
    for (what, filter) in &filters {
        let mut times = Vec::with_capacity(READS);
        let mut lines = 0;
        for _ in 0..READS {
            let begun = Instant::now();
            lines = store.history(filter, None, PAGE).await.unwrap().len();
            times.push(begun.elapsed().as_secs_f64());
        }
        print(
            "  first page of",
            what,
            &mut times,
            &format!("{lines} lines"),
        );
    }
    let mut times = Vec::with_capacity(READS);
    for n in 0..READS {
        let begun = Instant::now();
        let name = format!("r{}", n % 200);
        store
            .timeline(&format!("ns{}", n % 20), &name, None, false, PAGE)
            .await
            .unwrap();
        times.push(begun.elapsed().as_secs_f64());
    }
    print("  first page of", "a timeline", &mut times, "");
    for (what, filter) in &filters[..3] {
        let mut times = Vec::with_capacity(READS);
        let mut points = 0;
        for _ in 0..READS / 5 {
            let begun = Instant::now();
            points = store.looks(filter, POINTS).await.unwrap().len();
            times.push(begun.elapsed().as_secs_f64());
        }
        let points = format!("{points} whole verdicts");
        print("  chart of", what, &mut times, &points);
    }
}

async fn write(store: &Arc<dyn VerdictStore>, verdicts: i64) {
    let mut times = Vec::new();
    for n in 0..WRITES {
        let draft = draft(verdicts + n, n);
        let begun = Instant::now();
        keep(&**store, draft).await;
        times.push(begun.elapsed().as_secs_f64());
    }
    print("  one verdict after", "another", &mut times, "");

    let mut times = Vec::new();
    let begun = Instant::now();
    for round in 0..ROUNDS {
        let tasks: Vec<_> = (0..TOGETHER)
            .map(|n| {
                let store = Arc::clone(store);
                let n = WRITES + round * TOGETHER + n;
                let draft = draft(verdicts + n, n);
                tokio::spawn(async move {
                    let begun = Instant::now();
                    keep(&*store, draft).await;
                    begun.elapsed().as_secs_f64()
                })
            })
            .collect();
        for task in tasks {
            times.push(task.await.unwrap());
        }
    }
    let rate = (ROUNDS * TOGETHER) as f64 / begun.elapsed().as_secs_f64();
    let rate = format!("{rate:.0} verdicts/s");
    print("  200 verdicts", "at once", &mut times, &rate);
}

/// A verdict of a rollout of its own, with two events and a message.
fn draft(second: i64, n: i64) -> Draft {
    let at = T0 + second * 1000;
    let mut draft = sample::draft(
        &sample::rollout(&format!("new{n}"), "c"),
        at,
        0,
        Outcome::Pass,
    );
    let event = sample::event(&draft.verdict, EventKind::Changed, at);
    draft.deliveries = vec![sample::delivery(&event, "chat", at)];
    draft.events.push(event);
    draft.inputs = vec![7; 2000];
    draft
}

async fn keep(store: &dyn VerdictStore, draft: Draft) {
    let kept = store.keep(draft).await.unwrap();
    assert!(matches!(kept, Kept::Written(_)), "{kept:?}");
}

fn print(what: &str, of: &str, times: &mut [f64], more: &str) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize] * 1e3;
    println!(
        "{what} {of}: median {:.2} ms, p99 {:.2} ms, worst {:.2} ms {more}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
