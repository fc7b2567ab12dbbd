//! Overrides: who may, what they must say, how they end.

use super::{
    double::{NOW, call, get, post, problem},
    ground::{Ground, Judged},
    history::{json, with_token},
};
use axum::{body::Body, http::Request};
use rollout_judge::http::Limits;
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/v1/rollouts/shop/checkout/override";

fn body(change: impl FnOnce(&mut Value)) -> String {
    let mut value =
        json!({"verdict": "pass", "reason": "known bug of the test client", "expires": "2h"});
    change(&mut value);
    value.to_string()
}

fn delete() -> Request<Body> {
    Request::delete(PATH).body(Body::empty()).unwrap()
}

async fn made(ground: &Ground, token: &str, text: String) -> Value {
    let (head, body) = call(ground.router(), with_token(post(PATH, text), token)).await;
    let text = String::from_utf8(body).unwrap();
    assert_eq!(head.status(), 201, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn an_override_is_made_listed_told_and_taken_back() {
    let ground = Ground::new().await.tokens();
    ground.keep(Judged::default()).await;
    let first = made(&ground, "ann", body(|_| {})).await;
    assert_eq!(
        (&first["author"], &first["verdict"], &first["canaryHash"]),
        (&"ann".into(), &"pass".into(), &"6c9f8d7b5".into())
    );
    assert_eq!(
        (&first["at"], &first["expires"], &first["inForce"]),
        (
            &"2026-01-02T00:00:00Z".into(),
            &"2026-01-02T02:00:00Z".into(),
            &true.into()
        )
    );
    ground.clock.set(NOW + 1000);
    let second = made(&ground, "ann", body(|b| b["verdict"] = "fail".into())).await;
    let list = |ground: &Ground| {
        let router = ground.router();
        async move {
            let (_, body) = call(router, with_token(get(PATH), "shop")).await;
            serde_json::from_slice::<Value>(&body).unwrap()["overrides"].clone()
        }
    };
    let all = list(&ground).await;
    assert_eq!(
        (&all[0]["id"], &all[0]["inForce"]),
        (&second["id"], &true.into())
    );
    // of one canary only the newest counts: it takes the place of the one before, which does not come back
    assert_eq!(
        (&all[1]["id"], &all[1]["inForce"]),
        (&first["id"], &false.into())
    );
    assert_eq!(
        (&all[1]["revokedAt"], &all[1]["revokedBy"]),
        (&"2026-01-02T00:00:01Z".into(), &"ann".into())
    );

    ground.clock.set(NOW + 2000);
    let (head, text) = call(ground.router(), with_token(delete(), "ann")).await;
    assert_eq!(head.status(), 200);
    let taken: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(
        (&taken["id"], &taken["revokedBy"], &taken["inForce"]),
        (&second["id"], &"ann".into(), &false.into())
    );
    let (status, code, _, _) = problem(ground.router(), with_token(delete(), "ann")).await;
    assert_eq!((status, code.as_str()), (404, "no-override"));
    assert_eq!(list(&ground).await[0]["revokedAt"], "2026-01-02T00:00:02Z");

    let (_, text) = call(
        ground.router(),
        with_token(get("/v1/rollouts/shop/checkout"), "shop"),
    )
    .await;
    let one: Value = serde_json::from_slice(&text).unwrap();
    let told: Vec<&str> = one["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "ann took the override to fail back",
            "ann overrode the judge to fail until 2026-01-02T02:00:01Z (replaces the override of ann to pass until 2026-01-02T02:00:00Z): known bug of the test client",
            "ann overrode the judge to pass until 2026-01-02T02:00:00Z: known bug of the test client",
        ]
    );
    assert!(
        one["timeline"][0]["kind"] == "override-ended" && one["timeline"][0]["author"] == "ann"
    );
    assert_eq!(one["overrides"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_override_that_expires_is_ended_although_nobody_asks() {
    let ground = Ground::new().await;
    ground.keep(Judged::default()).await;
    let (head, _) = call(ground.router(), post(PATH, body(|_| {}))).await;
    assert_eq!(head.status(), 201);
    let (rollout, latest) = (
        "/v1/rollouts/shop/checkout",
        "/v1/verdicts/latest?namespace=shop&rollout=checkout",
    );
    let hours = |hours: i64| NOW + hours * 3_600_000;
    // minutes after the override, is it told that it is in force, and how often that it ended
    for (now, in_force, ended) in [
        (hours(1), true, 0),
        (hours(2), false, 1),
        (hours(3), false, 1),
    ] {
        ground.watch(now).await;
        let found = json(&ground.router(), rollout).await;
        assert_eq!(found["open"]["override"].is_string(), in_force, "{found}");
        let timeline = found["timeline"].as_array().unwrap();
        let ends: Vec<&Value> = timeline
            .iter()
            .filter(|e| e["kind"] == "override-ended")
            .collect();
        assert_eq!(ends.len(), ended, "{found}");
        for end in ends {
            assert_eq!(
                (&end["author"], &end["at"]),
                (&"anonymous".into(), &"2026-01-02T02:00:00Z".into())
            );
        }
        // kept before the override: its answer says so while that is in force
        let found = json(&ground.router(), latest).await;
        let warned = found["warnings"].to_string();
        let said = warned.contains("pass by override of anonymous until 2026-01-02T02:00:00Z");
        assert_eq!(said, in_force, "{warned}");
    }
}

#[tokio::test]
async fn only_those_who_may() {
    let ground = Ground::new().await.tokens();
    ground.keep(Judged::default()).await;
    for (token, path, code) in [
        ("all", PATH, "may-not-override"),
        ("shop", PATH, "may-not-override"),
        ("ann", "/v1/rollouts/bank/ledger/override", "forbidden"),
    ] {
        let request = with_token(post(path, body(|_| {})), token);
        let (status, found, _, value) = problem(ground.router(), request).await;
        assert_eq!((status, found.as_str()), (403, code), "{token}");
        let cure = value["detail"].as_str().unwrap();
        assert!(cure.contains("mayOverride: true") || cure.contains("namespaces"));
    }
    let (status, _, _, _) = problem(ground.router(), with_token(delete(), "shop")).await;
    assert_eq!(status, 403);
    let (status, _, _, _) = problem(ground.router(), post(PATH, body(|_| {}))).await;
    assert_eq!(status, 401);
    // without tokens: whoever reaches this machine, or nobody
    let open = Ground::new().await;
    open.keep(Judged::default()).await;
    let (head, text) = call(open.router(), post(PATH, body(|_| {}))).await;
    assert_eq!(head.status(), 201);
    assert!(
        String::from_utf8(text)
            .unwrap()
            .contains(r#""author":"anonymous""#)
    );
    let closed = Ground::new().await.auth(rollout_judge::http::Auth::open());
    let (status, code, _, _) = problem(closed.router(), post(PATH, body(|_| {}))).await;
    assert_eq!((status, code.as_str()), (403, "may-not-override"));
}

#[tokio::test]
async fn mistakes_have_a_cure() {
    let ground = Ground::new().await;
    ground.keep(Judged::default()).await;
    let set = |key: &'static str, value: Value| body(move |b| b[key] = value);
    let rows = [
        (
            set("verdict", "passed".into()),
            400,
            "invalid-field",
            "verdict",
            "give `pass`",
        ),
        (
            set("verdict", "".into()),
            400,
            "missing-field",
            "verdict",
            "give `pass`",
        ),
        (
            set("reason", " ".into()),
            400,
            "missing-field",
            "reason",
            "say why",
        ),
        (
            set("reason", "a\nb".into()),
            400,
            "invalid-field",
            "reason",
            "printable",
        ),
        (
            set("reason", "x".repeat(501).into()),
            400,
            "invalid-field",
            "reason",
            "500",
        ),
        (
            set("expires", Value::Null),
            400,
            "missing-field",
            "expires",
            "`2h`",
        ),
        (
            set("expires", "soon".into()),
            400,
            "invalid-field",
            "expires",
            "`2h`",
        ),
        (
            set("expires", "0s".into()),
            400,
            "invalid-field",
            "expires",
            "future",
        ),
        (
            set("expires", "2026-01-02T00:00:00Z".into()),
            400,
            "invalid-field",
            "expires",
            "future",
        ),
        (
            set("expires", "169h".into()),
            400,
            "invalid-field",
            "expires",
            "server.maxOverride",
        ),
        (
            set("expires", (NOW / 1000 + 604_801).into()),
            400,
            "invalid-field",
            "expires",
            "server.maxOverride",
        ),
        (
            set("canaryHash", "A".into()),
            400,
            "invalid-field",
            "canaryHash",
            "[a-z0-9]",
        ),
        (
            set("canaryHash", "never".into()),
            409,
            "unknown-canary",
            "canaryHash",
            "`6c9f8d7b5`",
        ),
        (
            set("resaon", "x".into()),
            400,
            "unknown-field",
            "resaon",
            "did you mean `reason`?",
        ),
        ("[]".into(), 400, "malformed-json", "", "expires"),
        (
            r#"{"verdict":"pass","verdict":"fail"}"#.into(),
            400,
            "malformed-json",
            "",
            "duplicate",
        ),
    ];
    for (text, status, code, field, cure) in rows {
        let found = problem(ground.router(), post(PATH, text.clone())).await;
        assert_eq!(
            (found.0, found.1.as_str(), found.2.as_str()),
            (status, code, field),
            "{text}: {}",
            found.3
        );
        assert!(
            found.3["detail"].as_str().unwrap().contains(cure),
            "{}",
            found.3
        );
    }
    for accepted in [
        set("expires", "168h".into()),
        set("expires", (NOW / 1000 + 604_800).into()),
        set("expires", "2026-01-02T00:00:01Z".into()),
        set("reason", "ü".repeat(500).into()),
        set("canaryHash", "6c9f8d7b5".into()),
    ] {
        let (head, _) = call(ground.router(), post(PATH, accepted)).await;
        assert_eq!(head.status(), 201);
    }
    let never = "/v1/rollouts/shop/nobody/override";
    let (status, code, _, _) = problem(ground.router(), post(never, body(|_| {}))).await;
    assert_eq!((status, code.as_str()), (404, "no-verdict"));
    let (status, code, _, _) = problem(ground.router(), get(never)).await;
    assert_eq!((status, code.as_str()), (404, "no-verdict"));
    // what any page in a browser may send
    let mut sneaky = post(PATH, body(|_| {}));
    sneaky
        .headers_mut()
        .insert("content-type", "text/plain".parse().unwrap());
    let (status, code, _, _) = problem(ground.router(), sneaky).await;
    assert_eq!((status, code.as_str()), (415, "unsupported-media-type"));
}

#[tokio::test]
async fn the_longest_override_is_a_setting() {
    let limits = Limits {
        max_override: Duration::from_hours(1),
        ..Limits::default()
    };
    let ground = Ground::new().await.limits(limits);
    ground.keep(Judged::default()).await;
    let (status, _, field, value) = problem(ground.router(), post(PATH, body(|_| {}))).await;
    assert_eq!((status, field.as_str()), (400, "expires"));
    assert!(value["detail"].as_str().unwrap().contains("1h"), "{value}");
}

#[tokio::test]
async fn an_earlier_canary_can_be_meant_and_counts_for_itself() {
    let ground = Ground::new().await;
    let old = Judged {
        canary: "old".into(),
        at: NOW - 60_000,
        ..Judged::default()
    };
    ground.keep(old).await;
    ground.keep(Judged::default()).await;
    let text = body(|b| b["canaryHash"] = "old".into());
    assert_eq!(
        call(ground.router(), post(PATH, text)).await.0.status(),
        201
    );
    assert_eq!(
        call(ground.router(), post(PATH, body(|_| {})))
            .await
            .0
            .status(),
        201
    );
    let all = json(&ground.router(), PATH).await;
    for one in all["overrides"].as_array().unwrap() {
        assert_eq!(one["inForce"], true, "{one}");
    }
}

#[tokio::test]
async fn a_short_override_ends_the_long_one_before_it() {
    let ground = Ground::new().await.tokens();
    ground.keep(Judged::default()).await;
    let text = body(|b| b["verdict"] = "fail".into());
    made(&ground, "ann", text).await;
    ground.clock.set(NOW + 2500);
    made(&ground, "ann", body(|b| b["expires"] = "3s".into())).await;
    for (second, in_force) in [(3, Some("pass")), (5, Some("pass")), (6, None), (60, None)] {
        ground.clock.set(NOW + second * 1000);
        let (_, found) = call(ground.router(), with_token(get(PATH), "shop")).await;
        let found: Value = serde_json::from_slice(&found).unwrap();
        let all = found["overrides"].as_array().unwrap();
        let mut counts = all.iter().filter(|one| one["inForce"] == true);
        assert_eq!(
            counts.next().and_then(|one| one["verdict"].as_str()),
            in_force,
            "{found}"
        );
        assert!(counts.next().is_none());
        // when each ended is written
        assert_eq!(all[1]["revokedAt"], "2026-01-02T00:00:02Z");
        assert!(all[0].get("revokedAt").is_none());
    }
}
