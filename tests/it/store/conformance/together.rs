//! Many at the same time, as replicas are.

use crate::store::{
    place::Place,
    sample::{self, T0, draft, rollout},
};
use rollout_judge::domain::{Filter, Kept, Outcome};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use uuid::Uuid;

pub async fn no_verdict_but_fail_is_kept_after_a_latch(place: Place) {
    let stores = [place.open().await, place.open().await];
    let rollout = rollout("cart", "c");
    let tasks: Vec<_> = (0..40_i64)
        .map(|n| {
            let store = Arc::clone(&stores[n as usize % 2]);
            let rollout = rollout.clone();
            tokio::spawn(async move {
                // judges as the service does: what is latched is a fail, number 17 sees harm
                loop {
                    let question = sample::question(&rollout, T0 + n);
                    let known = store.recall(&question, "rev-1", Uuid::nil()).await.unwrap();
                    let fails = known.latch.is_some() || n == 17;
                    let outcome = if fails { Outcome::Fail } else { Outcome::Pass };
                    let mut draft = draft(&rollout, T0 + n, known.version, outcome);
                    if known.latch.is_some() {
                        draft.latch = None;
                    }
                    // questions about earlier moments leave the state
                    if n % 3 == 0 {
                        draft.state = None;
                    }
                    if store.keep(draft).await.unwrap() != Kept::Stale {
                        break;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let lines = stores[0]
        .history(&Filter::default(), None, 100)
        .await
        .unwrap();
    assert_eq!(lines.len(), 40);
    // the log tells in which order they were kept
    let outcomes: Vec<Outcome> = stores[0]
        .events(0, 100)
        .await
        .unwrap()
        .iter()
        .map(|event| event.outcome.unwrap())
        .collect();
    let first = outcomes.iter().position(|o| *o == Outcome::Fail).unwrap();
    assert!(
        outcomes[first..].iter().all(|o| *o == Outcome::Fail),
        "{outcomes:?}"
    );
}

pub async fn two_hundred_at_once(place: Place) {
    let store = place.open().await;
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let store = Arc::clone(&store);
            let draft = draft(&rollout(&format!("r{n}"), "c"), T0 + n, 0, Outcome::Pass);
            tokio::spawn(async move { store.keep(draft).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Kept::Written(_)));
    }
    let lines = store.history(&Filter::default(), None, 500).await.unwrap();
    assert_eq!(lines.len(), 200);
}

pub async fn a_reader_of_the_log_misses_nothing(place: Place) {
    let stores = [place.open().await, place.open().await];
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, done) = (place.open().await, Arc::clone(&done));
        tokio::spawn(async move {
            let (mut seen, mut last) = (Vec::new(), 0);
            loop {
                let end = done.load(Ordering::SeqCst);
                let page = store.events(last, 5).await.unwrap();
                last = page.last().map_or(last, |event| event.seq);
                let over = end && page.is_empty();
                seen.extend(page.into_iter().map(|event| event.id));
                if over {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        })
    };
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let store = Arc::clone(&stores[n % 2]);
            tokio::spawn(async move {
                for version in 0..8 {
                    let rollout = rollout(&format!("r{n}"), "c");
                    let draft = draft(&rollout, T0 + version, version, Outcome::Pass);
                    let kept = store.keep(draft).await.unwrap();
                    assert!(matches!(kept, Kept::Written(_)));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    let all = stores[0].events(0, 1000).await.unwrap();
    let all: Vec<Uuid> = all.iter().map(|event| event.id).collect();
    assert_eq!(all.len(), 160);
    assert_eq!(seen, all);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 160);
}

pub async fn programs_that_start_together_make_the_tables_once(place: Place) {
    let place = Arc::new(place);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let place = Arc::clone(&place);
            tokio::spawn(async move { place.try_open().await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(()));
    }
    place.open().await.ping().await.unwrap();
}
