//! What is sent, what is left out, and that nothing is lost between.

use super::{Item, Pace, Pump, SendError, Tally, Target, series};
use crate::{
    config::store::StoreSettings,
    domain::{Change, Event, EventKind, Outcome, VerdictStore, ports::BoxFuture},
    store,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use uuid::Uuid;

/// What a target was sent, and how it answers: refuses batches with an event of this reason, fails this often first.
#[derive(Default)]
struct Script {
    taken: Mutex<Vec<String>>,
    refuses: &'static str,
    fails: Mutex<u32>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

struct Scripted(Arc<Script>);

impl Target for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }
    fn wants(&self, event: &Event) -> bool {
        event.kind != EventKind::Weight
    }
    fn most(&self) -> usize {
        5
    }
    fn send<'a>(&'a self, batch: &'a [Item]) -> BoxFuture<'a, Result<u64, SendError>> {
        Box::pin(async move {
            let mut fails = self.0.fails.lock().unwrap();
            if *fails > 0 {
                *fails -= 1;
                return Err(SendError::Later {
                    detail: "it answered 500".into(),
                    after: None,
                });
            }
            if batch.iter().any(|i| i.event.reason == self.0.refuses) {
                return Err(SendError::Refused {
                    detail: "out of order".into(),
                });
            }
            let reasons = batch.iter().map(|i| i.event.reason.clone());
            self.0.taken.lock().unwrap().extend(reasons);
            Ok(batch.len() as u64)
        })
    }
}

impl Tally for Script {
    fn written(&self, _: &'static str, count: u64) {
        *self.counts.lock().unwrap().entry("written").or_default() += count;
    }
    fn dropped(&self, _: &'static str) {
        *self.counts.lock().unwrap().entry("dropped").or_default() += 1;
    }
    fn failed(&self, _: &'static str) {
        *self.counts.lock().unwrap().entry("failed").or_default() += 1;
    }
}

fn event(number: u32, kind: EventKind) -> Event {
    Event {
        seq: 0,
        id: Uuid::from_u128(u128::from(number) + 1),
        at: 1_767_225_600_000 + i64::from(number),
        kind,
        namespace: "shop".into(),
        rollout: "web".into(),
        policy: "p".into(),
        canary_hash: "c".into(),
        weight: 5.0,
        outcome: Some(Outcome::Fail),
        verdict: None,
        author: None,
        ruling: None,
        still: Vec::new(),
        reason: number.to_string(),
    }
}

async fn happen(store: &Arc<dyn VerdictStore>, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let kind = if number % 5 == 4 {
            EventKind::Weight
        } else {
            EventKind::Changed
        };
        let events = vec![event(number, kind)];
        let change = Change {
            events,
            ..Change::default()
        };
        store.change(change).await.unwrap();
    }
}

#[tokio::test]
async fn a_bad_item_is_left_out_and_everything_else_arrives_in_order_over_failures_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let settings = StoreSettings {
        url: Some(format!(
            "sqlite://{}",
            folder.path().join("judge.db").display()
        )),
        ..StoreSettings::default()
    };
    let store = store::open(&settings).await.unwrap();
    happen(&store, 0..3).await;
    let script = Arc::new(Script {
        refuses: "12",
        fails: Mutex::new(3),
        ..Script::default()
    });
    let pump = || {
        let pace = Pace {
            first: Duration::from_millis(1),
            ..Pace::default()
        };
        let target = Box::new(Scripted(Arc::clone(&script)));
        Pump::new(Arc::clone(&store), target, script.clone(), pace)
    };
    assert!(
        !pump().turn().await.unwrap(),
        "it begins with what happens from now on"
    );
    happen(&store, 3..20).await;
    assert!(pump().turn().await.unwrap());
    assert!(!pump().turn().await.unwrap());
    happen(&store, 20..23).await;
    assert!(pump().turn().await.unwrap());
    let expected: Vec<String> = (3..23)
        .filter(|n| n % 5 != 4 && *n != 12)
        .map(|n| n.to_string())
        .collect();
    assert_eq!(*script.taken.lock().unwrap(), expected);
    let counts = BTreeMap::from([
        ("dropped", 1),
        ("failed", 3),
        ("written", expected.len() as u64),
    ]);
    assert_eq!(*script.counts.lock().unwrap(), counts);
}

#[test]
fn pauses_grow_to_a_bound() {
    let pace = Pace::default();
    for (failures, seconds) in [(1, 1), (2, 2), (6, 32), (7, 60), (40, 60), (u32::MAX, 60)] {
        assert_eq!(
            pace.after(failures),
            Duration::from_secs(seconds),
            "{failures}"
        );
    }
}

#[test]
fn an_event_without_a_verdict_has_no_samples() {
    let item = Item {
        event: event(1, EventKind::Verdict),
        record: None,
    };
    assert!(series::wanted(&item.event));
    assert_eq!(series::count(&series::batch(&[item], &BTreeMap::new())), 0);
}
