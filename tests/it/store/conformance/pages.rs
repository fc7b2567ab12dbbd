//! What is read in pages.

use crate::store::{
    place::Place,
    sample::{self, T0, draft, labels, rollout},
};
use rollout_judge::domain::{
    Change, Draft, EventKind, Filter, Kept, Line, Millis, Outcome, VerdictStore,
};
use std::sync::Arc;
use uuid::Uuid;

async fn keep(store: &dyn VerdictStore, draft: Draft) {
    let kept = store.keep(draft).await.unwrap();
    assert!(matches!(kept, Kept::Written(_)), "{kept:?}");
}

/// Moments of the lines of a page, since `T0`.
async fn moments(store: &dyn VerdictStore, filter: &Filter) -> Vec<Millis> {
    let lines = store.history(filter, None, 100).await.unwrap();
    lines.iter().map(|line| line.at - T0).collect()
}

pub async fn filters_of_history(place: Place) {
    let store = place.open().await;
    for (at, namespace, name, canary, policy, outcome) in [
        (1, "shop", "cart", "c1", "http", Outcome::Inconclusive),
        (2, "shop", "cart", "c1", "http", Outcome::Fail),
        (3, "shop", "pay", "c1", "http", Outcome::Pass),
        (4, "bank", "pay", "c2", "kpi", Outcome::Pass),
        (5, "bank", "cart", "c3", "http", Outcome::Inconclusive),
    ] {
        let mut rollout = rollout(name, canary);
        rollout.namespace = namespace.to_owned();
        let mut draft = draft(&rollout, T0 + at, 0, outcome);
        draft.verdict.policy = policy.to_owned();
        draft.state = None;
        draft.latch = None;
        keep(&*store, draft).await;
    }
    let all = Filter::default;
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (all(), vec![5, 4, 3, 2, 1]),
        (
            Filter {
                namespace: text("shop"),
                ..all()
            },
            vec![3, 2, 1],
        ),
        (
            Filter {
                rollout: text("cart"),
                ..all()
            },
            vec![5, 2, 1],
        ),
        (
            Filter {
                namespace: text("shop"),
                rollout: text("cart"),
                ..all()
            },
            vec![2, 1],
        ),
        (
            Filter {
                policy: text("kpi"),
                ..all()
            },
            vec![4],
        ),
        (
            Filter {
                canary_hash: text("c1"),
                ..all()
            },
            vec![3, 2, 1],
        ),
        (
            Filter {
                outcome: Some(Outcome::Fail),
                ..all()
            },
            vec![2],
        ),
        (
            Filter {
                since: Some(T0 + 4),
                ..all()
            },
            vec![5, 4],
        ),
        (
            Filter {
                until: Some(T0 + 4),
                ..all()
            },
            vec![3, 2, 1],
        ),
        (
            Filter {
                since: Some(T0 + 2),
                until: Some(T0 + 4),
                ..all()
            },
            vec![3, 2],
        ),
        (
            Filter {
                visible: Some(vec!["bank".to_owned(), "x".to_owned()]),
                ..all()
            },
            vec![5, 4],
        ),
        (
            Filter {
                visible: Some(vec![]),
                ..all()
            },
            vec![],
        ),
        (
            Filter {
                visible: Some(vec!["bank".to_owned()]),
                namespace: text("shop"),
                ..all()
            },
            vec![],
        ),
        (
            Filter {
                policy: text("http"),
                outcome: Some(Outcome::Inconclusive),
                ..all()
            },
            vec![5, 1],
        ),
    ] {
        assert_eq!(moments(&*store, &filter).await, expected, "{filter:?}");
    }
    let lines = store.history(&all(), None, 1).await.unwrap();
    let expected = Line {
        id: lines[0].id,
        at: T0 + 5,
        rollout: rollout_judge::domain::RolloutRef {
            namespace: "bank".to_owned(),
            ..rollout("cart", "c3")
        },
        policy: "http".to_owned(),
        revision: "rev-1".to_owned(),
        outcome: Outcome::Inconclusive,
        score: 77.25,
        weight: 5.0,
        reason: "checked".to_owned(),
    };
    assert_eq!(lines, [expected]);
}

pub async fn labels_of_history(place: Place) {
    let store = place.open().await;
    // a rare label and one that everybody has
    for n in 0..100 {
        let canary = format!("c{n}");
        let mut draft = draft(&rollout("cart", &canary), T0 + n, n, Outcome::Pass);
        draft.question.params = labels(&[("team", "shop")]);
        if n % 40 == 7 {
            draft.question.labels = labels(&[("model", "m7"), ("commit", &canary)]);
        }
        keep(&*store, draft).await;
    }
    let with = |pairs: &[(&str, &str)]| Filter {
        labels: labels(pairs),
        ..Filter::default()
    };
    assert_eq!(
        moments(&*store, &with(&[("model", "m7")])).await,
        [87, 47, 7]
    );
    let all: Vec<Millis> = (0..100).rev().collect();
    assert_eq!(moments(&*store, &with(&[("team", "shop")])).await, all);
    let both = with(&[("model", "m7"), ("team", "shop")]);
    assert_eq!(moments(&*store, &both).await, [87, 47, 7]);
    let one = with(&[("model", "m7"), ("commit", "c47")]);
    assert_eq!(moments(&*store, &one).await, [47]);
    assert!(moments(&*store, &with(&[("model", "m8")])).await.is_empty());
    let hidden = Filter {
        visible: Some(vec!["bank".to_owned()]),
        ..with(&[("model", "m7")])
    };
    assert!(moments(&*store, &hidden).await.is_empty());
    let bounded = Filter {
        until: Some(T0 + 87),
        ..with(&[("model", "m7")])
    };
    assert_eq!(moments(&*store, &bounded).await, [47, 7]);
}

pub async fn pages_of_history_are_stable_while_verdicts_are_kept(place: Place) {
    let store = place.open().await;
    for n in 0..60 {
        keep(
            &*store,
            draft(&rollout("old", "c"), T0 + n, n, Outcome::Pass),
        )
        .await;
    }
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0..60 {
                let draft = draft(&rollout("new", "c"), T0 + 100 + n, n, Outcome::Pass);
                keep(&*store, draft).await;
            }
        })
    };
    let mut seen = Vec::new();
    let mut before: Option<Uuid> = None;
    loop {
        let page = store.history(&Filter::default(), before, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page.iter().map(|line| line.at - T0));
    }
    writer.await.unwrap();
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    let old: Vec<Millis> = seen.into_iter().filter(|at| *at < 100).collect();
    assert_eq!(old, (0..60).rev().collect::<Vec<_>>());
}

pub async fn pages_of_rollouts(place: Place) {
    let store = place.open().await;
    for (n, (namespace, name)) in [("b", "x"), ("a", "z"), ("B", "x"), ("a", "a"), ("a-b", "c")]
        .into_iter()
        .enumerate()
    {
        let mut rollout = rollout(name, &format!("c{n}"));
        rollout.namespace = namespace.to_owned();
        keep(&*store, draft(&rollout, T0 + n as i64, 0, Outcome::Pass)).await;
    }
    let mut seen = Vec::new();
    let mut after: Option<(String, String)> = None;
    loop {
        let from = after.as_ref().map(|(a, b)| (a.as_str(), b.as_str()));
        let page = store.rollouts(&Filter::default(), from, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.namespace.clone(), last.name.clone()));
        seen.extend(
            page.into_iter()
                .map(|state| format!("{}/{}", state.namespace, state.name)),
        );
    }
    assert_eq!(seen, ["B/x", "a/a", "a/z", "a-b/c", "b/x"]);
    let count = async |filter: Filter| store.rollouts(&filter, None, 9).await.unwrap().len();
    let all = Filter::default;
    for (filter, expected) in [
        (
            Filter {
                visible: Some(vec!["a".to_owned()]),
                ..all()
            },
            2,
        ),
        (
            Filter {
                namespace: Some("b".to_owned()),
                ..all()
            },
            1,
        ),
        (
            Filter {
                rollout: Some("x".to_owned()),
                ..all()
            },
            2,
        ),
        (
            Filter {
                part: Some("x".to_owned()),
                ..all()
            },
            2,
        ),
        (
            Filter {
                part: Some("_".to_owned()),
                ..all()
            },
            0,
        ),
        (
            Filter {
                part: Some("%".to_owned()),
                ..all()
            },
            0,
        ),
        (
            Filter {
                canary_hash: Some("c1".to_owned()),
                ..all()
            },
            1,
        ),
        (
            Filter {
                outcome: Some(Outcome::Fail),
                ..all()
            },
            0,
        ),
        (
            Filter {
                since: Some(T0 + 3),
                ..all()
            },
            2,
        ),
        (
            Filter {
                until: Some(T0 + 3),
                ..all()
            },
            3,
        ),
        (
            Filter {
                labels: labels(&[("region", "eu")]),
                ..all()
            },
            5,
        ),
        (
            Filter {
                labels: labels(&[("region", "us")]),
                ..all()
            },
            0,
        ),
    ] {
        assert_eq!(count(filter.clone()).await, expected, "{filter:?}");
    }
    // of each policy that judges it, whole and as it is written
    for (policy, expected) in [
        ("http", 5),
        ("p", 5),
        ("P", 0),
        ("htt", 0),
        ("p|http", 0),
        ("", 0),
    ] {
        let filter = Filter {
            policy: Some(policy.to_owned()),
            ..all()
        };
        assert_eq!(count(filter).await, expected, "{policy}");
    }
}

pub async fn lineage_of_labels(place: Place) {
    let store = place.open().await;
    for (n, (canary, model)) in [("c1", "m1"), ("c1", "m1"), ("c2", "m2"), ("c3", "m1")]
        .into_iter()
        .enumerate()
    {
        let mut draft = draft(
            &rollout("cart", canary),
            T0 + n as i64,
            n as i64,
            Outcome::Pass,
        );
        draft.question.params.clear();
        draft.question.labels = labels(&[("model", model), ("team", "shop")]);
        keep(&*store, draft).await;
    }
    let with = |pairs: &[(&str, &str)]| Filter {
        labels: labels(pairs),
        ..Filter::default()
    };
    let found = store.lineage(&with(&[("model", "m1")]), 10).await.unwrap();
    let seen: Vec<_> = found
        .iter()
        .map(|l| (&*l.canary_hash, l.first - T0, l.last - T0))
        .collect();
    assert_eq!(seen, [("c3", 3, 3), ("c1", 0, 1)]);
    let newest = store.record(found[1].verdict).await.unwrap().unwrap();
    assert_eq!(newest.question.at, T0 + 1);
    let both = with(&[("model", "m1"), ("team", "shop")]);
    assert_eq!(store.lineage(&both, 10).await.unwrap().len(), 4);
    assert_eq!(
        store.lineage(&Filter::default(), 10).await.unwrap().len(),
        6
    );
    assert_eq!(store.lineage(&Filter::default(), 2).await.unwrap().len(), 2);
    let of_policy = |policy: &str| Filter {
        policy: Some(policy.to_owned()),
        ..with(&[("model", "m1")])
    };
    assert_eq!(store.lineage(&of_policy("http"), 9).await.unwrap().len(), 2);
    assert_eq!(store.lineage(&of_policy("kpi"), 9).await.unwrap().len(), 0);
    let hidden = Filter {
        visible: Some(vec![]),
        ..with(&[("model", "m1")])
    };
    assert_eq!(store.lineage(&hidden, 9).await.unwrap(), []);
}

pub async fn events_and_timelines(place: Place) {
    let store = place.open().await;
    for n in 0..6 {
        let mut draft = draft(&rollout("cart", "c"), T0 + n, n, Outcome::Pass);
        if n % 2 == 0 {
            let event = sample::event(&draft.verdict, EventKind::Changed, T0 + n);
            draft.events.push(event);
        }
        if n == 3 {
            let event = sample::event(&draft.verdict, EventKind::Delivered, T0 + n);
            draft.events.push(event);
        }
        keep(&*store, draft).await;
    }
    let mut source = sample::event(
        &sample::verdict(
            &sample::question(&rollout("cart", "c"), T0),
            9,
            Outcome::Fail,
        ),
        EventKind::SourceDown,
        T0,
    );
    (source.namespace, source.rollout) = (String::new(), "default".to_owned());
    (source.outcome, source.verdict, source.author) = (None, None, Some("anna".to_owned()));
    let change = Change {
        events: vec![source.clone()],
        ..Change::default()
    };
    let written = store.change(change).await.unwrap();
    source.seq = written[0].seq;
    assert_eq!(written, [source.clone()]);

    let all = store.events(0, 100).await.unwrap();
    assert_eq!(all.len(), 11);
    assert!(all.is_sorted_by_key(|event| event.seq));
    assert_eq!(all.last(), Some(&source));
    assert_eq!(store.events(all[3].seq, 2).await.unwrap(), all[4..6]);
    let line = store
        .timeline("shop", "cart", None, false, 100)
        .await
        .unwrap();
    let mut expected = all[..10].to_vec();
    expected.reverse();
    assert_eq!(line, expected);
    let before = Some(line[3].seq);
    assert_eq!(
        store
            .timeline("shop", "cart", before, false, 2)
            .await
            .unwrap(),
        line[4..6]
    );
    let changes = store
        .timeline("shop", "cart", None, true, 100)
        .await
        .unwrap();
    assert_eq!(changes.len(), 3);
    assert!(changes.iter().all(|event| event.kind == EventKind::Changed));
}

pub async fn looks_are_spread_over_time(place: Place) {
    let store = place.open().await;
    let rollout = rollout("cart", "c1");
    // crowded at first, then rare
    let moments: Vec<Millis> = (0..40).chain((1..=40).map(|i| 100 * i)).collect();
    for at in &moments {
        let mut draft = draft(&rollout, T0 + at, 0, Outcome::Inconclusive);
        draft.state = None;
        draft.latch = None;
        keep(&*store, draft).await;
    }
    let filter = Filter {
        canary_hash: Some("c1".to_owned()),
        ..Filter::default()
    };
    let at = async |filter: &Filter, most| -> Vec<Millis> {
        let looks = store.looks(filter, most).await.unwrap();
        for (question, verdict) in &looks {
            assert_eq!(question.rollout, verdict.rollout);
        }
        looks.iter().map(|(q, _)| q.at - T0).collect()
    };
    assert_eq!(at(&filter, 100).await, moments);
    assert_eq!(at(&filter, 80).await, moments);
    let some = at(&filter, 21).await;
    assert_eq!((some.first(), some.last()), (Some(&0), Some(&4000)));
    assert!(some.is_sorted() && some.len() <= 21, "{some:?}");
    // every stretch has its newest
    assert_eq!(some.len(), 21, "{some:?}");
    assert_eq!(at(&filter, 0).await, [0, 4000]);
    let until = Filter {
        until: Some(T0 + 40),
        ..filter.clone()
    };
    let early = at(&until, 10).await;
    assert_eq!((early.len(), early[0], early[9]), (10, 0, 39));
    let nobody = Filter {
        canary_hash: Some("c9".to_owned()),
        ..filter
    };
    assert!(at(&nobody, 10).await.is_empty());
}
