//! Alerts over HTTP: who sees which, and a dead one put back.

use super::{
    double::{NOW, call, get, post, problem},
    ground::Ground,
};
use rollout_judge::{
    domain::{Change, Delivery, Event, EventKind, Outcome, Tried, VerdictStore},
    http::{Auth, Token},
};
use serde_json::Value;
use uuid::Uuid;

/// One alert with this text.
pub fn told(reason: &str) -> Change {
    let id = Uuid::from_u128(77);
    let event = Event {
        seq: 0,
        id,
        at: NOW,
        kind: EventKind::Fail,
        namespace: "shop".into(),
        rollout: "web".into(),
        policy: "http-service".into(),
        canary_hash: "a".into(),
        weight: 5.0,
        outcome: Some(Outcome::Fail),
        verdict: None,
        author: None,
        ruling: None,
        still: Vec::new(),
        reason: reason.into(),
    };
    let delivery = Delivery {
        id: Uuid::from_u128(177),
        event: id,
        receiver: reason.into(),
        order: "shop/web".into(),
        due: NOW,
    };
    Change {
        events: vec![event],
        deliveries: vec![delivery],
        ..Change::default()
    }
}

/// An alert for `chat` of each namespace; those of `shop` are given up.
pub async fn filled(ground: &Ground) {
    for (i, namespace) in ["shop", "bank", ""].into_iter().enumerate() {
        let id = Uuid::from_u128(i as u128 + 1);
        let event = Event {
            seq: 0,
            id,
            at: NOW,
            kind: EventKind::Fail,
            namespace: namespace.into(),
            rollout: "web".into(),
            policy: "http-service".into(),
            canary_hash: "a".into(),
            weight: 5.0,
            outcome: Some(Outcome::Fail),
            verdict: None,
            author: None,
            ruling: None,
            still: Vec::new(),
            reason: "worse <b>".into(),
        };
        let delivery = Delivery {
            id: Uuid::from_u128(i as u128 + 100),
            event: id,
            receiver: "chat".into(),
            order: format!("{namespace}/web"),
            due: NOW,
        };
        let change = Change {
            events: vec![event],
            deliveries: vec![delivery],
            ..Change::default()
        };
        ground.store.change(change).await.unwrap();
    }
    let dead = Tried::Dead {
        error: "answered 404".into(),
    };
    ground
        .store
        .settle(Uuid::from_u128(100), dead, NOW + 5, None)
        .await
        .unwrap();
}

fn with(
    token: &str,
    mut request: axum::http::Request<axum::body::Body>,
) -> axum::http::Request<axum::body::Body> {
    let value = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    request
}

#[tokio::test]
async fn a_list_goes_on_where_the_page_before_ended() {
    let tokens = vec![
        Token::new("all", "all", None),
        Token::new("bank", "bank", Some(vec!["bank".into()])),
    ];
    let ground = Ground::new().await.auth(Auth::tokens(tokens));
    filled(&ground).await;
    for (token, limit, expected) in [("all", 1, 3), ("all", 2, 3), ("all", 3, 3), ("bank", 1, 1)] {
        let (mut path, mut seen) = (format!("/v1/deliveries?limit={limit}"), Vec::new());
        loop {
            let (_, body) = call(ground.router(), with(token, get(&path))).await;
            let page: Value = serde_json::from_slice(&body).unwrap();
            let rows = page["deliveries"].as_array().unwrap();
            assert!(rows.len() <= limit, "{page}");
            seen.extend(rows.iter().map(|row| row["id"].to_string()));
            let Some(next) = page.get("next") else { break };
            path = format!(
                "/v1/deliveries?limit={limit}&cursor={}",
                next.as_str().unwrap()
            );
        }
        let all = seen.len();
        seen.dedup();
        assert_eq!((all, seen.len()), (expected, expected), "{token} {limit}");
    }
    let broken = problem(ground.router(), with("all", get("/v1/deliveries?cursor=x"))).await;
    assert_eq!((broken.0, broken.1.as_str()), (400, "invalid-query"));
}

#[tokio::test]
async fn dead_letters_are_listed_and_put_back() {
    let tokens = vec![
        Token::new("all", "all", None).may_override(true),
        Token::new("shop", "shop", Some(vec!["shop".into()])).may_override(true),
        Token::new("bank", "bank", Some(vec!["bank".into()])).may_override(true),
        Token::new("viewer", "viewer", None),
    ];
    let ground = Ground::new().await.auth(Auth::tokens(tokens));
    filled(&ground).await;
    let list = async |token: &str, query: &str| -> Vec<Value> {
        let (head, body) = call(
            ground.router(),
            with(token, get(&format!("/v1/deliveries{query}"))),
        )
        .await;
        assert_eq!(head.status(), 200, "{}", String::from_utf8_lossy(&body));
        let value: Value = serde_json::from_slice(&body).unwrap();
        value["deliveries"].as_array().unwrap().clone()
    };
    for (token, query, count) in [
        ("all", "", 3),
        ("all", "?state=pending", 2),
        ("all", "?state=dead&receiver=chat", 1),
        ("all", "?receiver=mail", 0),
        ("all", "?limit=1", 1),
        ("shop", "", 1),
        ("bank", "?state=dead", 0),
        ("bank", "?limit=1", 1),
    ] {
        assert_eq!(list(token, query).await.len(), count, "{token} {query}");
    }
    let dead = list("shop", "?state=dead").await.remove(0);
    assert_eq!(
        (&dead["state"], &dead["tries"], &dead["error"]),
        (&"dead".into(), &1.into(), &"answered 404".into())
    );
    assert_eq!(dead["event"]["kind"], "fail");
    assert!(dead.get("due").is_none());
    let path = format!("/v1/deliveries/{}/retry", dead["id"].as_str().unwrap());
    // not for other namespaces, and only once
    assert_eq!(
        problem(ground.router(), with("bank", post(&path, "")))
            .await
            .0,
        404
    );
    // nor for those who may not overrule
    assert_eq!(
        problem(ground.router(), with("viewer", post(&path, "")))
            .await
            .1,
        "may-not-override"
    );
    let (head, body) = call(ground.router(), with("shop", post(&path, ""))).await;
    assert_eq!(head.status(), 200);
    assert_eq!(
        serde_json::from_slice::<Value>(&body).unwrap()["state"],
        "pending"
    );
    assert_eq!(
        problem(ground.router(), with("shop", post(&path, "")))
            .await
            .0,
        404
    );
    assert_eq!(list("all", "?state=pending").await.len(), 3);
    for (request, code) in [
        (get("/v1/deliveries?state=lost"), "invalid-query"),
        (get("/v1/deliveries?limit=0"), "invalid-query"),
        (get("/v1/deliveries?stat=dead"), "invalid-query"),
        (post("/v1/deliveries/nonsense/retry", ""), "not-found"),
    ] {
        assert_eq!(problem(ground.router(), with("all", request)).await.1, code);
    }
    assert_eq!(problem(ground.router(), get("/v1/deliveries")).await.0, 401);
}
