//! What became of messages: how receivers stand, what waits behind what, and dead letters put back all at once.

use super::{
    dashboard::{page, shown},
    dashboard_detail::text,
    dashboard_forms::{OWN, form, opened},
    double::{NOW, call, get},
    ground::Ground,
    history::with_token,
};
use rollout_judge::{
    domain::{Delivery, Event, EventKind, Progress, Tried, VerdictStore},
    http::{About, ReceiverAbout},
};
use serde_json::Value;
use uuid::Uuid;

/// Queues one message and gives its id.
async fn told(ground: &Ground, number: u128, (receiver, rollout): (&str, &str)) -> Uuid {
    let (namespace, name) = rollout.split_once('/').unwrap();
    let mut change = super::deliveries::told("worse");
    let id = Uuid::from_u128(number + 1000);
    change.events = vec![Event {
        id: Uuid::from_u128(number),
        at: NOW - 60_000,
        kind: EventKind::Fail,
        namespace: namespace.into(),
        rollout: name.into(),
        ..change.events.remove(0)
    }];
    change.deliveries = vec![Delivery {
        id,
        event: Uuid::from_u128(number),
        receiver: receiver.into(),
        order: rollout.into(),
        due: NOW - 60_000,
    }];
    ground.store.change(change).await.unwrap();
    id
}

fn later(error: &str) -> Tried {
    Tried::Later {
        due: NOW + 30_000,
        error: error.into(),
    }
}

async fn with(names: &[&str]) -> Ground {
    let receivers = names.iter().map(|name| ReceiverAbout {
        name: (*name).into(),
        kind: "webhook".into(),
    });
    let receivers = receivers.collect();
    Ground::new().await.about(About {
        receivers,
        ..About::default()
    })
}

#[tokio::test]
async fn a_receiver_works_or_fails_or_was_never_used() {
    let ground = with(&["good", "down", "back", "fresh", "idle", "long"]).await;
    let settle = async |id, tried, at, took| {
        let settled = ground.store.settle(id, tried, at, Some(took));
        settled.await.unwrap();
    };
    for (number, took) in (1..).zip([80, 120, 2000]) {
        let id = told(&ground, number, ("good", "shop/web")).await;
        settle(id, Tried::Delivered, NOW - 20_000, took).await;
    }
    let id = told(&ground, 10, ("down", "shop/web")).await;
    settle(id, Tried::Delivered, NOW - 50_000, 10).await;
    let id = told(&ground, 11, ("down", "shop/web")).await;
    settle(id, later("answered 500 <b>"), NOW - 40_000, 10).await;
    let id = told(&ground, 20, ("back", "shop/web")).await;
    let dead = Tried::Dead {
        error: "answered 404".into(),
    };
    settle(id, dead, NOW - 40_000, 10).await;
    let id = told(&ground, 21, ("back", "shop/web")).await;
    settle(id, Tried::Delivered, NOW - 30_000, 10).await;
    told(&ground, 30, ("fresh", "shop/web")).await;
    let id = told(&ground, 40, ("long", "shop/web")).await;
    let whole = format!("answered 500: <html>{}", "x".repeat(4000));
    settle(id, later(&whole), NOW - 1000, 10).await;
    // another process over the same store
    let router = {
        let mut other = Ground::over(&ground);
        other = other.about(About {
            receivers: ["good", "down", "back", "fresh", "idle", "long"]
                .map(|name| ReceiverAbout {
                    name: name.into(),
                    kind: "webhook".into(),
                })
                .into(),
            ..About::default()
        });
        other.router()
    };
    let html = shown(&router, "/sources").await;
    let row = |name: &str| {
        let start = format!("<th scope=\"row\"><bdi>{name}</bdi></th>");
        let row = html
            .split(&start)
            .nth(1)
            .unwrap_or_else(|| panic!("no {name}: {html}"));
        text(row.split("</tr>").next().unwrap())
    };
    for (name, words) in [
        ("good", &["works", "20\u{202f}s ago", "120\u{202f}ms"][..]),
        (
            "down",
            &[
                "failing since 2026-01-01 23:59:10 UTC",
                "last try 40\u{202f}s ago: answered 500 <b>",
                "50\u{202f}s ago",
            ],
        ),
        ("back", &["works", "30\u{202f}s ago", "dead 1"]),
        ("fresh", &["not tried yet"]),
        ("idle", &["never used"]),
        ("long", &["failing since", "the other 3820 characters"]),
    ] {
        let row = row(name);
        for word in words {
            assert!(row.contains(word), "{name}, {word}: {row}");
        }
    }
    assert!(
        html.contains("deliveries?state=dead&amp;receiver=back"),
        "{html}"
    );
    let list = shown(&router, "/deliveries").await;
    for word in ["last took 2\u{202f}s", "the other 3820 characters"] {
        assert!(list.contains(word), "{word}: {list}");
    }
    assert!(!html.contains("<html>x") && !list.contains("<html>x"));
}

#[tokio::test]
async fn what_waits_behind_another_counts_no_try() {
    let ground = with(&["chat"]).await;
    let first = told(&ground, 1, ("chat", "shop/web")).await;
    let behind = told(&ground, 2, ("chat", "shop/web")).await;
    let held = told(&ground, 3, ("chat", "shop/api")).await;
    for (id, tried) in [
        (first, later("answered 500")),
        (behind, Tried::Held { due: NOW - 1000 }),
        (held, Tried::Held { due: NOW + 90_000 }),
    ] {
        ground
            .store
            .settle(id, tried, NOW - 1000, None)
            .await
            .unwrap();
    }
    let router = ground.router();
    let (_, body) = call(router.clone(), get("/v1/deliveries")).await;
    let list: Value = serde_json::from_slice(&body).unwrap();
    let of = |id: Uuid| {
        let all = list["deliveries"].as_array().unwrap();
        let one = all.iter().find(|one| one["id"] == id.to_string()).unwrap();
        let word = |key: &str| one.get(key).map_or("–", |v| v.as_str().unwrap()).to_owned();
        (word("wait"), word("due"), one["tries"].as_u64().unwrap())
    };
    assert_eq!(of(first), ("–".into(), "2026-01-02T00:00:30Z".into(), 1));
    assert_eq!(of(behind), ("waiting".into(), "–".into(), 0));
    assert_eq!(of(held), ("held".into(), "2026-01-02T00:01:30Z".into(), 0));
    let list = text(&shown(&router, "/deliveries?state=pending").await);
    for word in [
        "waiting",
        "after the message before it",
        "held",
        "many about this rollout",
        "in 1\u{202f}min 30\u{202f}s",
        "in 30\u{202f}s",
    ] {
        assert!(list.contains(word), "{word}: {list}");
    }
    // the first arrives: the next is due
    let done = ground.store.settle(first, Tried::Delivered, NOW, Some(5));
    done.await.unwrap();
    let pending = ground
        .store
        .deliveries(Some(Progress::Pending), None, None, 9);
    let pending = pending.await.unwrap();
    let next = pending
        .iter()
        .find(|one| one.delivery.id == behind)
        .unwrap();
    assert_eq!((next.wait(NOW), next.tries), (None, 0));
}

async fn dead(ground: &Ground, number: u128, to: (&str, &str)) {
    let id = told(ground, number, to).await;
    let error = "answered 404".into();
    let gone = ground.store.settle(id, Tried::Dead { error }, NOW, None);
    gone.await.unwrap();
}

#[tokio::test]
async fn all_dead_letters_of_a_receiver_are_put_back_at_once() {
    const ALL: &str = "/deliveries/retry-all";
    let ground = with(&["chat", "pager"]).await;
    for (number, to) in (1..).zip([
        ("chat", "shop/web"),
        ("chat", "shop/web"),
        ("chat", "bank/web"),
        ("pager", "shop/web"),
    ]) {
        dead(&ground, number, to).await;
    }
    let router = ground.router();
    let (cookie, token) = opened(&router, ALL).await;
    let headers = [OWN, ("cookie", cookie.as_str())];
    let list = shown(&router, "/deliveries?state=dead&receiver=chat").await;
    assert!(
        list.contains("href=\"./deliveries/retry-all?receiver=chat\""),
        "{list}"
    );
    assert!(!shown(&router, "/deliveries").await.contains("retry-all"));
    let asked = text(&shown(&router, &format!("{ALL}?receiver=chat")).await);
    for word in ["This puts 3 dead letters back", "chat: 3", "Try 3 again"] {
        assert!(asked.contains(word), "{word}: {asked}");
    }
    let count = async |state| {
        let found = ground.store.deliveries(Some(state), None, None, 99).await;
        found.unwrap().len()
    };
    // not from another site, and not without what our forms hold
    let good = format!("form={token}&receiver=chat");
    let foreign = [
        ("sec-fetch-site", "cross-site"),
        ("cookie", cookie.as_str()),
    ];
    for (headers, body) in [
        (&foreign, good.as_str()),
        (&headers, "form=x&receiver=chat"),
    ] {
        assert_eq!(page(&router, form(ALL, headers, body)).await.0, 403);
    }
    assert_eq!(count(Progress::Dead).await, 4);
    let (head, _) = call(router.clone(), form(ALL, &headers, &good)).await;
    assert_eq!(
        (head.status().as_u16(), &head.headers()["location"]),
        (303, &"../deliveries?receiver=chat".parse().unwrap())
    );
    assert_eq!(
        (count(Progress::Dead).await, count(Progress::Pending).await),
        (1, 3)
    );
    let asked = shown(&router, &format!("{ALL}?receiver=chat")).await;
    assert!(asked.contains("There is no dead letter"), "{asked}");
}

#[tokio::test]
async fn only_who_may_overrule_puts_dead_letters_back_and_only_its_own() {
    const ALL: &str = "/deliveries/retry-all";
    let ground = with(&["chat"]).await.tokens();
    dead(&ground, 1, ("chat", "shop/web")).await;
    dead(&ground, 2, ("chat", "bank/web")).await;
    let router = ground.router();
    for (token, status) in [("all", 403), ("shop", 403), ("ann", 200)] {
        let (found, html) = page(&router, with_token(get(ALL), token)).await;
        assert_eq!(found, status, "{token}: {html}");
        assert!(
            status != 200 || html.contains("This puts 1 dead letter back"),
            "{html}"
        );
        let list = with_token(get("/deliveries?state=dead"), token);
        let (_, list) = page(&router, list).await;
        assert_eq!(list.contains("retry-all"), status == 200, "{token}: {list}");
    }
}
