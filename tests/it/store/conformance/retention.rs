//! What is removed, and what stays.

use crate::store::{
    place::{Kind, Place},
    sample::{self, T0, draft, rollout},
};
use rollout_judge::domain::{
    Change, EventKind, Filter, Millis, Outcome, Progress, Retention, Tried, VerdictStore,
};
use uuid::Uuid;

const DAY: Millis = 86_400_000;
const MIB: u64 = 1 << 20;

fn keep_for(days: Millis) -> Retention {
    Retention {
        max_age: days * DAY,
        max_bytes: u64::MAX,
        batch: 7,
    }
}

async fn prune(store: &dyn VerdictStore, retention: Retention, now: Millis) -> u64 {
    let mut sum = 0;
    loop {
        let removed = store.prune(retention, now).await.unwrap().rows;
        assert!(removed <= u64::from(retention.batch));
        if removed == 0 {
            return sum;
        }
        sum += removed;
    }
}

pub async fn the_old_go_by_age(place: Place) {
    let store = place.open().await;
    for day in 0..20 {
        let name = format!("r{day}");
        let mut draft = draft(&rollout(&name, "c"), T0 + day * DAY, 0, Outcome::Fail);
        draft.verdict.revision = format!("rev-{day}");
        let event = &draft.events[0];
        draft.deliveries = vec![sample::delivery(event, "chat", event.at)];
        let id = draft.deliveries[0].id;
        store.keep(draft).await.unwrap();
        store.settle(id, Tried::Delivered, T0, None).await.unwrap();
    }
    let ruling = sample::ruling(&rollout("r0", "c"), Outcome::Fail, T0);
    let change = Change {
        ruling: Some(ruling),
        ..Change::default()
    };
    store.change(change).await.unwrap();
    let now = T0 + 25 * DAY;
    let removed = prune(&*store, keep_for(10), now).await;
    assert!(removed > 0);
    let lines = store.history(&Filter::default(), None, 100).await.unwrap();
    let days: Vec<Millis> = lines.iter().map(|line| (line.at - T0) / DAY).collect();
    assert_eq!(days, [19, 18, 17, 16, 15]);
    assert_eq!(store.events(0, 100).await.unwrap().len(), 5);
    assert_eq!(
        store.deliveries(None, None, None, 100).await.unwrap().len(),
        5
    );
    assert_eq!(
        store
            .rollouts(&Filter::default(), None, 100)
            .await
            .unwrap()
            .len(),
        5
    );
    assert_eq!(
        store.lineage(&Filter::default(), 100).await.unwrap().len(),
        10
    );
    assert_eq!(store.overrides("shop", "r0", 9).await.unwrap(), []);
    assert_eq!(store.revisions("http", 100).await.unwrap().len(), 5);
    for (day, kept) in [(14, false), (15, true)] {
        let rollout = rollout(&format!("r{day}"), "c");
        let run = sample::named(&["run", "shop", &rollout.name, "c"]);
        assert_eq!(store.chunks(run).await.unwrap().len(), usize::from(kept));
        let question = sample::question(&rollout, T0);
        let revision = format!("rev-{day}");
        let standing = store
            .recall(&question, &revision, Uuid::nil())
            .await
            .unwrap();
        assert_eq!(
            (standing.latch.is_some(), standing.version),
            (kept, i64::from(kept))
        );
    }
    assert_eq!(prune(&*store, keep_for(10), now).await, 0);
}

pub async fn what_is_still_to_be_told_stays(place: Place) {
    let store = place.open().await;
    let mut draft = draft(&rollout("cart", "c"), T0, 0, Outcome::Fail);
    draft
        .events
        .push(sample::event(&draft.verdict, EventKind::Fail, T0));
    draft.deliveries = vec![sample::delivery(&draft.events[1], "chat", T0)];
    let id = draft.deliveries[0].id;
    store.keep(draft).await.unwrap();
    let now = T0 + 100 * DAY;
    prune(&*store, keep_for(10), now).await;
    let left = store.events(0, 9).await.unwrap();
    assert_eq!((left.len(), left[0].kind), (1, EventKind::Fail));
    let claimed = store.claim("chat", now, now + 1, 9).await.unwrap();
    assert_eq!(claimed[0].first.delivery.id, id);
    store.settle(id, Tried::Delivered, now, None).await.unwrap();
    prune(&*store, keep_for(10), now).await;
    assert_eq!(store.events(0, 9).await.unwrap(), []);
    assert_eq!(
        store
            .deliveries(Some(Progress::Delivered), None, None, 9)
            .await
            .unwrap(),
        []
    );
    // places are not given twice
    let mut draft = crate::store::sample::draft(&rollout("pay", "c"), now, 0, Outcome::Pass);
    draft.latch = None;
    store.keep(draft).await.unwrap();
    assert!(store.last_event().await.unwrap() > left[0].seq);
}

pub async fn the_oldest_go_by_size(place: Place) {
    let store = place.open().await;
    for n in 0..300 {
        let mut draft = draft(&rollout("cart", "c"), T0 + n, n, Outcome::Pass);
        draft.run = Some(sample::named(&["run", &n.to_string()]));
        draft.chunks[0].run = draft.run.unwrap();
        draft.chunks[0].payload = noise(10_000, n as u64);
        draft.inputs = noise(30_000, n as u64);
        store.keep(draft).await.unwrap();
    }
    let full = store.bytes().await.unwrap();
    assert!(full > 11 * MIB, "{full}");
    let retention = Retention {
        max_age: DAY,
        max_bytes: 6 * MIB,
        batch: 20,
    };
    prune(&*store, retention, T0 + 60_000).await;
    let lines = store.history(&Filter::default(), None, 1000).await.unwrap();
    let oldest = lines.last().unwrap().at - T0;
    assert_eq!(
        oldest + lines.len() as i64,
        300,
        "the newest stay, without a gap"
    );
    // 40 kB each: about 150 fit; PostgreSQL keeps a fifth free
    assert!((90..=160).contains(&lines.len()), "{}", lines.len());
    let first = sample::named(&["run", "0"]);
    assert_eq!(store.chunks(first).await.unwrap(), []);
    let last = sample::named(&["run", "299"]);
    assert_eq!(store.chunks(last).await.unwrap().len(), 1);
    assert!(store.rollout("shop", "cart").await.unwrap().is_some());
    if place.kind == Kind::Sqlite {
        let after = store.bytes().await.unwrap();
        assert!(after < 7 * MIB, "{after}: the file shrinks");
        let log = place
            .settings
            .url
            .as_ref()
            .unwrap()
            .replace("sqlite://", "");
        let log = std::fs::metadata(format!("{log}-wal")).unwrap().len();
        assert!(log < MIB, "{log}: so does the log");
    }
    // the rest of a full disk: more verdicts do not make it grow
    for n in 300..450 {
        let mut draft = draft(&rollout("cart", "c"), T0 + n, n, Outcome::Pass);
        draft.inputs = noise(40_000, n as u64);
        store.keep(draft).await.unwrap();
        if n % 50 == 0 {
            prune(&*store, retention, T0 + 60_000).await;
        }
    }
    assert!(store.bytes().await.unwrap() < full * 3 / 2);
}

pub async fn the_oldest_of_every_table_go_by_size(place: Place) {
    let store = place.open().await;
    for n in 0..300 {
        let rollout = rollout(&format!("r{n:03}"), "c");
        let mut draft = draft(&rollout, T0 + n, 0, Outcome::Fail);
        draft
            .question
            .labels
            .insert("image".into(), format!("i{n}"));
        draft.inputs = noise(20_000, n as u64);
        store.keep(draft).await.unwrap();
    }
    let retention = Retention {
        max_age: DAY,
        max_bytes: 3 * MIB,
        batch: 40,
    };
    let now = T0 + 60_000;
    let (mut verdicts, mut events) = (0, 0);
    loop {
        let pruned = store.prune(retention, now).await.unwrap();
        if pruned.rows == 0 {
            break;
        }
        verdicts += pruned.verdicts;
        events += pruned.events;
        assert!(pruned.by_size || pruned.verdicts == 0);
    }
    let everything = Filter::default();
    let lines = store.history(&everything, None, 1000).await.unwrap();
    let left = lines.len();
    assert_eq!((verdicts, events), (300 - left as u64, 300 - left as u64));
    assert!((60..=150).contains(&left), "{left}");
    assert_eq!(lines.last().unwrap().at - T0, 300 - left as i64);
    // nothing older than the oldest verdict
    let rollouts = store.rollouts(&everything, None, 1000).await.unwrap();
    assert_eq!(rollouts.len(), left);
    assert_eq!(store.events(0, 1000).await.unwrap().len(), left);
    assert_eq!(
        store.lineage(&everything, 1000).await.unwrap().len(),
        2 * left
    );
    for n in [0, 299 - left as i64, 300 - left as i64, 299] {
        let question = sample::question(&rollout(&format!("r{n:03}"), "c"), now);
        let standing = store.recall(&question, "rev-1", Uuid::nil()).await;
        let standing = standing.unwrap();
        let kept = n >= 300 - left as i64;
        assert_eq!(
            (standing.latch.is_some(), standing.state.is_some()),
            (kept, kept)
        );
    }
}

pub async fn a_fail_stays_while_its_canary_is_known(place: Place) {
    let store = place.open().await;
    let cart = rollout("cart", "c");
    store
        .keep(draft(&cart, T0, 0, Outcome::Fail))
        .await
        .unwrap();
    let mut later = draft(&cart, T0 + 20 * DAY, 1, Outcome::Fail);
    later.latch = None;
    store.keep(later).await.unwrap();
    let question = sample::question(&cart, T0 + 21 * DAY);
    for (days, verdicts, latched) in [(25, 1, true), (31, 0, false)] {
        prune(&*store, keep_for(10), T0 + days * DAY).await;
        let left = store.history(&Filter::default(), None, 9).await.unwrap();
        assert_eq!(left.len(), verdicts);
        let standing = store.recall(&question, "rev-1", Uuid::nil()).await;
        assert_eq!(standing.unwrap().latch.is_some(), latched, "day {days}");
    }
}

/// Bytes that no compression makes smaller.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}
