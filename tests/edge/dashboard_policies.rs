//! A rollout that several policies judge, what is not over of it, and an override before the next question.

use super::{
    dashboard::shown,
    dashboard_detail::text,
    dashboard_forms::{OWN, form, opened},
    double::{NOW, call, get},
    ground::{Ground, Judged},
};
use axum::Router;
use rollout_judge::domain::{
    Change, Delivery, Event, EventKind, Filter, Outcome, Tried, VerdictStore,
};
use serde_json::Value;
use uuid::Uuid;

fn two(policy: &str, outcome: Outcome, at: i64) -> Judged {
    Judged {
        rollout: "two".into(),
        policy: policy.into(),
        outcome,
        at,
        kinds: vec![EventKind::Verdict],
        ..Judged::default()
    }
}

async fn json(router: &Router, path: &str) -> Value {
    let (head, body) = call(router.clone(), get(path)).await;
    assert_eq!(head.status(), 200, "{path}");
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_later_pass_of_another_policy_hides_no_fail() {
    let ground = Ground::new().await;
    let failed = ground.keep(two("aa-bad", Outcome::Fail, NOW - 2000)).await;
    ground.keep(two("zz-ok", Outcome::Pass, NOW - 1000)).await;
    let router = ground.router();
    let listed = json(&router, "/v1/rollouts").await;
    let one = &listed["rollouts"][0];
    assert_eq!(one["latest"]["verdict"], "fail");
    assert_eq!(one["latest"]["id"], failed.id.to_string());
    assert_eq!(one["policy"]["name"], "aa-bad");
    assert_eq!(one["policies"]["aa-bad"]["verdict"], "fail");
    assert_eq!(one["policies"]["zz-ok"]["verdict"], "pass");
    for (query, found) in [
        ("verdict=fail", 1),
        ("verdict=pass", 0),
        ("policy=aa-bad", 1),
        ("policy=zz-ok", 1),
        ("policy=zz-ok&verdict=fail", 1),
        ("policy=zz", 0),
        ("policy=aa-bad%7Czz-o", 0),
    ] {
        let listed = json(&router, &format!("/v1/rollouts?{query}")).await;
        assert_eq!(
            listed["rollouts"].as_array().unwrap().len(),
            found,
            "{query}"
        );
    }
    let list = text(&shown(&router, "/rollouts").await);
    assert!(
        list.contains("1 shown: 1 fail, 0 inconclusive, 0 pass"),
        "{list}"
    );
    assert!(
        list.contains("aa-bad: fail") && list.contains("zz-ok: pass"),
        "{list}"
    );
    let own = shown(&router, "/rollouts/shop/two").await;
    let standing = own.split("class=\"standing\"").nth(1).unwrap();
    assert!(
        standing.contains("badge fail") && own.contains("?policy=zz-ok"),
        "{own}"
    );
    let other = shown(&router, "/rollouts/shop/two?policy=zz-ok").await;
    assert!(
        other.contains("The rollout stands where the worst of its policies stands"),
        "{other}"
    );

    // both policies know that they judge it
    for policy in ["aa-bad", "zz-ok"] {
        let filter = Filter {
            policy: Some(policy.into()),
            ..Filter::default()
        };
        let users = ground.store.rollouts(&filter, None, 9).await.unwrap();
        assert_eq!(users.len(), 1, "{policy}");
        let whole = shown(&router, &format!("/policies/{policy}")).await;
        let users = whole.split("data-live=\"users\"").nth(1).unwrap();
        let word = if policy == "zz-ok" {
            "badge pass"
        } else {
            "badge fail"
        };
        let own = users.split("</div>").next().unwrap();
        assert!(own.contains("shop/two") && own.contains(word), "{own}");
    }
}

#[tokio::test]
async fn where_several_policies_judge_it_each_word_says_whose_it_is() {
    let ground = Ground::new().await;
    ground.keep(two("aa-bad", Outcome::Fail, NOW - 2000)).await;
    let fail = |policy: &str| Judged {
        kinds: vec![EventKind::Verdict, EventKind::Fail],
        ..two(policy, Outcome::Fail, NOW - 1500)
    };
    ground.keep(fail("aa-bad")).await;
    let router = ground.router();
    let over = "/rollouts/shop/two/override";
    let one = text(&shown(&router, "/rollouts/shop/two").await);
    let form = text(&shown(&router, over).await);
    for word in ["by policy", "Worst of", "policies"] {
        let known = |text: &str| text.replace("Policies", "").contains(word);
        assert!(
            !known(&one) && (word == "policies" || !known(&form)),
            "{word}: {one} {form}"
        );
    }
    ground.keep(two("zz-ok", Outcome::Pass, NOW - 1000)).await;
    for (path, words) in [
        (
            "/rollouts/shop/two",
            &[
                "Worst of 2 policies: fail (aa-bad)",
                "by policy aa-bad",
                "verdicts of this canary, by policy aa-bad",
            ][..],
        ),
        (
            "/rollouts/shop/two?policy=zz-ok",
            &["One of several policies: pass (zz-ok)", "by policy zz-ok"],
        ),
        (
            over,
            &[
                "worst of its policies: fail (aa-bad)",
                "aa-bad fail, zz-ok pass",
                "for all 2 policies that judge it",
            ],
        ),
    ] {
        let page = text(&shown(&router, path).await);
        for word in words {
            assert!(page.contains(word), "{path}, {word}: {page}");
        }
    }
}

#[tokio::test]
async fn all_events_of_a_rollout_can_be_read() {
    let ground = Ground::new().await;
    let verdict = ground.keep(two("p", Outcome::Pass, NOW - 2000)).await;
    let change = Change {
        events: (0..260)
            .map(|number| Event {
                id: Uuid::from_u128(number + 1),
                at: NOW,
                kind: EventKind::Weight,
                namespace: "shop".into(),
                rollout: "two".into(),
                canary_hash: verdict.rollout.canary_hash.clone(),
                reason: format!("number {number:04}."),
                ..super::deliveries::told("x").events.remove(0)
            })
            .collect(),
        ..Change::default()
    };
    ground.store.change(change).await.unwrap();
    let router = ground.router();
    let numbers = |page: &str| -> Vec<u32> {
        let found = page.split("number ").skip(1);
        found
            .filter_map(|rest| rest.get(..4)?.parse().ok())
            .collect()
    };
    let link = |page: &str, words: &str| {
        let before = page.split(words).next().filter(|before| *before != page)?;
        let to = before.rsplit("href=\"").next()?.split('"').next()?;
        Some(
            to.trim_start_matches("../")
                .trim_start_matches("./")
                .to_owned(),
        )
    };
    let mut page = shown(&router, "/rollouts/shop/two").await;
    let mut seen = numbers(&page);
    assert_eq!(seen.len(), 50);
    let mut next = link(&page, ">Earlier events<");
    while let Some(to) = next {
        page = shown(&router, &format!("/{}", to.trim_start_matches("../"))).await;
        seen.extend(numbers(&page));
        next = link(&page, ">Next page<");
    }
    assert_eq!(seen, (0..260).rev().collect::<Vec<_>>());
    let broken = call(router, get("/rollouts/shop/two/events?before=x")).await;
    assert_eq!(broken.0.status(), 400);
}

#[tokio::test]
async fn what_is_not_over_says_since_when_and_who_was_told() {
    let ground = Ground::new().await;
    let began = NOW - 300_000;
    for at in [began, NOW - 1000] {
        let mut judged = two("http-service", Outcome::Fail, at);
        if at == began {
            judged.kinds.push(EventKind::Fail);
        }
        ground.keep(judged).await;
    }
    let router = ground.router();
    let own = text(&shown(&router, "/rollouts/shop/two").await);
    let since = "Not over: fail (http-service), since";
    assert!(
        own.contains(since) && own.contains("Nobody was told"),
        "{own}"
    );
    let note = own.split(since).nth(1).unwrap();
    let minute = "2026-01-01 23:55:00 UTC, for 5\u{202f}min";
    assert!(note.trim().starts_with(minute), "{note}");

    // another, whose fail has three receivers
    let ground = Ground::new().await;
    let verdict = ground.keep(two("http-service", Outcome::Fail, NOW)).await;
    let id = |name: &str| Uuid::from_u128(name.bytes().map(u128::from).sum());
    let event = Event {
        seq: 0,
        id: id("event"),
        at: NOW,
        kind: EventKind::Fail,
        namespace: "shop".into(),
        rollout: "two".into(),
        policy: "http-service".into(),
        canary_hash: verdict.rollout.canary_hash.clone(),
        weight: 5.0,
        outcome: Some(Outcome::Fail),
        verdict: Some(verdict.id),
        author: None,
        ruling: None,
        still: Vec::new(),
        reason: "fail".into(),
    };
    let to = |receiver: &str| Delivery {
        id: id(receiver),
        event: event.id,
        receiver: receiver.into(),
        order: "shop/two".into(),
        due: NOW,
    };
    let change = Change {
        deliveries: ["pager", "slack", "mail"].map(to).into(),
        events: vec![event.clone()],
        ..Change::default()
    };
    ground.store.change(change).await.unwrap();
    let dead = Tried::Dead {
        error: "gone".into(),
    };
    for (receiver, tried) in [("pager", dead), ("slack", Tried::Delivered)] {
        ground
            .store
            .settle(id(receiver), tried, NOW, None)
            .await
            .unwrap();
    }
    let router = ground.router();
    let own = text(&shown(&router, "/rollouts/shop/two").await);
    for words in [
        "Told slack.",
        "Not delivered yet to mail.",
        "Given up, not told: pager.",
    ] {
        assert!(own.contains(words), "{words}: {own}");
    }
}

#[tokio::test]
async fn an_override_is_seen_before_the_next_question() {
    const PATH: &str = "/rollouts/shop/two/override";
    let ground = Ground::new().await;
    ground
        .keep(two("http-service", Outcome::Fail, NOW - 1000))
        .await;
    let router = ground.router();
    let (cookie, token) = opened(&router, PATH).await;
    let headers = [OWN, ("cookie", cookie.as_str())];
    let fields =
        format!("form={token}&canary=6c9f8d7b5&verdict=pass&reason=known&preset=2h&expires=");
    let (head, _) = call(router.clone(), form(PATH, &headers, &fields)).await;
    assert_eq!(head.status(), 303);
    let said = head.headers()["set-cookie"].to_str().unwrap();
    let said = said.split(';').next().unwrap().to_owned();
    // a page that is open in another tab looks for news first
    for (live, told) in [(true, false), (false, true)] {
        let mut next = get("/rollouts/shop/two");
        next.headers_mut().insert("cookie", said.parse().unwrap());
        if live {
            let one = "1".parse().unwrap();
            next.headers_mut().insert("x-rollout-judge-live", one);
        }
        let (head, body) = call(router.clone(), next).await;
        let text = String::from_utf8(body).unwrap();
        assert_eq!(text.contains("The override is in force"), told);
        let cookies = head.headers().get_all("set-cookie").iter();
        let ended = cookies.filter(|c| c.to_str().unwrap().starts_with("rollout-judge-said=;"));
        assert_eq!(ended.count(), usize::from(told));
    }
    let own = shown(&router, "/rollouts/shop/two").await;
    assert!(
        own.contains("; the next answer says so") && own.contains("Overridden to"),
        "{own}"
    );
    let list = text(&shown(&router, "/rollouts").await);
    assert!(list.contains("overridden"), "{list}");
}
