//! Reads of what was kept: lists, pages, exports, one verdict, rollouts, lineage.

use super::{
    double::{NOW, call, get, problem},
    ground::{Ground, Judged},
};
use axum::{Router, body::Body, http::Request};
use rollout_judge::domain::{EventKind, Outcome};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The JSON of a 200.
pub async fn json(router: &Router, path: &str) -> Value {
    let (head, body) = call(router.clone(), get(path)).await;
    let text = String::from_utf8(body).unwrap();
    assert_eq!(head.status(), 200, "{path}: {text}");
    assert!(!text.contains("null"), "{text}");
    serde_json::from_str(&text).unwrap()
}

pub fn with_token(mut request: Request<Body>, token: &str) -> Request<Body> {
    let value = format!("Bearer {token}-secret").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    request
}

fn ids(page: &Value) -> Vec<String> {
    let lines = page["verdicts"].as_array().unwrap().iter();
    lines
        .map(|line| line["id"].as_str().unwrap().to_owned())
        .collect()
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn at(minute: i64) -> Judged {
    Judged {
        at: NOW - 3_600_000 + minute * 60_000,
        ..Judged::default()
    }
}

/// Six verdicts: five of the shop, one of the bank.
async fn some() -> Ground {
    let ground = Ground::new().await;
    let version = |n: &str| labels(&[("modelVersion", n), ("image", "shop:1.4")]);
    for judged in [
        Judged {
            labels: version("6"),
            canary: "old".into(),
            ..at(0)
        },
        Judged {
            labels: version("7"),
            outcome: Outcome::Inconclusive,
            kinds: vec![EventKind::Verdict, EventKind::Started],
            ..at(1)
        },
        Judged {
            labels: version("7"),
            outcome: Outcome::Fail,
            kinds: vec![EventKind::Verdict, EventKind::Changed, EventKind::Fail],
            ..at(2)
        },
        Judged {
            namespace: "bank".into(),
            rollout: "ledger".into(),
            ..at(3)
        },
        Judged {
            rollout: "cart".into(),
            policy: "other".into(),
            ..at(4)
        },
        Judged {
            labels: version("7"),
            weight: 25.0,
            kinds: vec![EventKind::Verdict, EventKind::Weight],
            ..at(5)
        },
    ] {
        ground.keep(judged).await;
    }
    ground
}

#[tokio::test]
async fn the_list_is_narrowed_by_everything_that_is_given() {
    let router = some().await.router();
    let since = NOW / 1000 - 3600 + 120;
    for (query, count) in [
        (String::new(), 6),
        ("?namespace=shop".into(), 5),
        ("?namespace=shop&rollout=checkout".into(), 4),
        ("?policy=other".into(), 1),
        ("?verdict=fail".into(), 1),
        ("?canaryHash=old".into(), 1),
        ("?label.modelVersion=7".into(), 3),
        ("?param.modelVersion=7&label.image=shop%3A1.4".into(), 3),
        ("?param.zone=a&verdict=inconclusive".into(), 1),
        ("?label.modelVersion=8".into(), 0),
        (format!("?since={since}"), 4),
        (format!("?until={since}"), 2),
        (
            "?since=2026-01-01T23:03:00Z&until=2026-01-01T23%3A05%3A00Z".into(),
            2,
        ),
        ("?namespace=&verdict=".into(), 6),
    ] {
        let page = json(&router, &format!("/v1/verdicts{query}")).await;
        assert_eq!(ids(&page).len(), count, "{query}");
        assert!(page.get("next").is_none(), "{query}");
    }
    let page = json(&router, "/v1/verdicts?verdict=fail").await;
    let line = &page["verdicts"][0];
    assert_eq!(
        (&line["at"], &line["reason"], &line["rollout"]["name"]),
        (
            &"2026-01-01T23:02:00Z".into(),
            &"fail at 5".into(),
            &"checkout".into()
        )
    );
    let url = format!(
        "http://127.0.0.1:8080/verdicts/{}",
        line["id"].as_str().unwrap()
    );
    assert_eq!(line["url"], url);
}

#[tokio::test]
async fn pages_meet_without_gap_or_overlap_while_new_verdicts_arrive() {
    let ground = some().await;
    let router = ground.router();
    let whole = ids(&json(&router, "/v1/verdicts").await);
    let (mut seen, mut path, mut pages) = (Vec::new(), "/v1/verdicts?limit=2".to_owned(), 0);
    loop {
        let page = json(&router, &path).await;
        seen.extend(ids(&page));
        pages += 1;
        ground.keep(at(10 + pages)).await; // newer than all of them
        let Some(next) = page.get("next") else { break };
        path = format!("/v1/verdicts?limit=2&cursor={}", next.as_str().unwrap());
    }
    assert_eq!((seen, pages), (whole, 3));
}

#[tokio::test]
async fn mistakes_in_a_query_have_a_cure() {
    let router = some().await.router();
    for (query, field, cure) in [
        ("verdicts?limit=0", "limit", "give 1 to 500"),
        ("verdicts?limit=501", "limit", "give 1 to 500"),
        ("verdicts?limit=ten", "limit", "give 1 to 500"),
        ("verdicts?cursor=abc", "cursor", "begin anew"),
        ("verdicts?verdict=passed", "verdict", "give `pass`"),
        ("verdicts?rolout=a", "rolout", "did you mean `rollout`?"),
        ("verdicts?label.=a", "label.", "label.modelVersion=7"),
        ("verdicts?label.a=1&param.a=2", "param.a", "give it once"),
        ("verdicts?policy=a&policy=b", "policy", "give it once"),
        ("verdicts?since=yesterday", "since", "RFC 3339"),
        ("verdicts?since=20&until=10", "since", "exchange"),
        ("verdicts?namespace=Shop", "namespace", "lower-case"),
        ("verdicts?canaryHash=a-b", "canaryHash", "[a-z0-9]"),
        ("verdicts?format=csv", "format", "`ndjson`"),
        ("verdicts?format=ndjson&limit=3", "limit", "since"),
        ("verdicts?full=true", "full", "ndjson"),
        ("rollouts?label.a=1", "label.a", "there is"),
        ("rollouts?cursor=dgAA", "cursor", "begin anew"),
        ("rollouts/shop/checkout?changes=some", "changes", "`true`"),
        ("lineage", "label", "label.modelVersion=7"),
        ("lineage?label.a=1&limit=101", "limit", "give 1 to 100"),
        ("verdicts/019b7a1e-0000-7000-8000-000000000001?x=1", "x", ""),
    ] {
        let (status, code, at, value) = problem(router.clone(), get(&format!("/v1/{query}"))).await;
        let found = (status, code.as_str(), at.as_str());
        assert_eq!(found, (400, "invalid-query", field), "{query}");
        assert!(value["detail"].as_str().unwrap().contains(cure), "{value}");
    }
    let many: Vec<String> = (0..33).map(|n| format!("label.a{n}=1")).collect();
    let path = format!("/v1/verdicts?{}", many.join("&"));
    let (_, _, field, value) = problem(router, get(&path)).await;
    assert_eq!(field, "label");
    assert!(value["detail"].as_str().unwrap().contains("at most 32"));
}

#[tokio::test]
async fn one_verdict_has_its_question() {
    let ground = Ground::new().await;
    let kept = ground
        .keep(Judged {
            labels: labels(&[("gitRevision", "1f3a")]),
            ..at(0)
        })
        .await;
    let router = ground.router();
    let one = json(&router, &format!("/v1/verdicts/{}", kept.id)).await;
    assert_eq!(one.as_object().unwrap().len(), 16);
    assert_eq!(one["id"], kept.id.to_string());
    assert_eq!(one["objectives"][0]["name"], "error-rate");
    let record = &one["record"];
    assert_eq!(
        record,
        &serde_json::json!({
            "at": "2026-01-01T23:00:00Z", "keptAt": "2026-01-01T23:00:00.04Z", "revision": kept.revision, "weight": 5.0,
            "params": {"zone": "a"}, "labels": {"gitRevision": "1f3a"}, "analysisRun": "checkout-1",
        })
    );
    let latest = json(
        &router,
        "/v1/verdicts/latest?namespace=shop&rollout=checkout",
    )
    .await;
    assert_eq!(latest["id"], one["id"]);
    assert!(latest.get("record").is_none());
    for unknown in ["019b7a1e-0000-7000-8000-00000000000f", "nonsense"] {
        let (status, code, _, _) =
            problem(router.clone(), get(&format!("/v1/verdicts/{unknown}"))).await;
        assert_eq!((status, code.as_str()), (404, "unknown-verdict"));
    }
}

#[tokio::test]
async fn an_export_has_every_verdict_once() {
    let ground = Ground::new().await;
    let count = 450; // more than two pages
    for n in 0..count {
        let kept = at(n % 60);
        ground
            .keep(Judged {
                weight: n as f64 / 10.0,
                ..kept
            })
            .await;
    }
    let router = ground.router();
    let by_header = {
        let mut request = get("/v1/verdicts?namespace=shop");
        let kind = "application/x-ndjson".parse().unwrap();
        request.headers_mut().insert("accept", kind);
        request
    };
    for request in [by_header, get("/v1/verdicts?format=ndjson&full=true")] {
        let full = request.uri().query().unwrap().contains("full");
        let (head, body) = call(router.clone(), request).await;
        assert_eq!(head.headers()["content-type"], "application/x-ndjson");
        let text = String::from_utf8(body).unwrap();
        assert!(text.ends_with("}\n"));
        let lines: Vec<Value> = text
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        let ids: BTreeSet<&str> = lines.iter().map(|l| l["id"].as_str().unwrap()).collect();
        assert_eq!((lines.len(), ids.len()), (450, 450));
        assert_eq!(lines[0].get("record").is_some(), full);
        assert_eq!(lines[0].get("objectives").is_some(), full);
    }
    let (head, body) = call(router, get("/v1/verdicts?format=ndjson&namespace=bank")).await;
    assert_eq!((head.status().as_u16(), body.len()), (200, 0));
}

#[tokio::test]
async fn rollouts_where_they_stand() {
    let router = some().await.router();
    let names = |page: &Value| -> Vec<String> {
        let rollouts = page["rollouts"].as_array().unwrap().iter();
        rollouts
            .map(|r| r["name"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, expected) in [
        ("", &["ledger", "cart", "checkout"][..]),
        ("?namespace=shop", &["cart", "checkout"]),
        ("?policy=other", &["cart"]),
        ("?verdict=fail", &[]),
        ("?q=C", &["cart", "checkout"]),
        ("?q=edge", &["ledger"]),
    ] {
        let page = json(&router, &format!("/v1/rollouts{query}")).await;
        assert_eq!(names(&page), expected, "{query}");
        assert!(page.get("next").is_none());
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/rollouts?limit=1&q=c".to_owned());
    loop {
        let page = json(&router, &path).await;
        seen.extend(names(&page));
        let Some(next) = page.get("next") else { break };
        path = format!("/v1/rollouts?limit=1&q=c&cursor={}", next.as_str().unwrap());
    }
    assert_eq!(seen, ["cart", "checkout"]);
}

#[tokio::test]
async fn the_way_of_a_rollout() {
    let router = some().await.router();
    let one = json(&router, "/v1/rollouts/shop/checkout").await;
    assert_eq!(one["latest"]["verdict"], "pass");
    assert_eq!(one["latest"]["at"], "2026-01-01T23:05:00Z");
    assert_eq!(one["open"]["fail http-service"], "2026-01-01T23:05:00Z");
    assert_eq!(one["steps"][0]["weight"], 25.0);
    assert_eq!(one["url"], "http://127.0.0.1:8080/rollouts/shop/checkout");
    let kinds = |page: &Value| -> Vec<String> {
        let events = page["timeline"].as_array().unwrap().iter();
        events
            .map(|e| e["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds(&one), ["weight", "fail", "changed", "started"]);
    assert_eq!(one["timeline"][1]["severity"], "critical");
    assert_eq!(one["timeline"][1]["verdict"], "fail");
    let all = json(&router, "/v1/rollouts/shop/checkout?changes=false").await;
    assert_eq!(kinds(&all).len(), 8);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = json(
            &router,
            &format!("/v1/rollouts/shop/checkout?limit=3{cursor}"),
        )
        .await;
        seen.extend(kinds(&page));
        let Some(next) = page.get("next") else { break };
        cursor = format!("&cursor={}", next.as_str().unwrap());
    }
    assert_eq!(seen, ["weight", "fail", "changed", "started"]);
    let (status, code, _, _) = problem(router, get("/v1/rollouts/shop/nobody")).await;
    assert_eq!((status, code.as_str()), (404, "no-verdict"));
}

#[tokio::test]
async fn which_model_version_was_live_when() {
    let router = some().await.router();
    let found = json(&router, "/v1/lineage?label.modelVersion=7").await;
    let versions = found["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 1);
    let one = &versions[0];
    let words = ["label", "value", "canaryHash", "first", "last"].map(|k| one[k].as_str().unwrap());
    let expected = [
        "modelVersion",
        "7",
        "6c9f8d7b5",
        "2026-01-01T23:01:00Z",
        "2026-01-01T23:05:00Z",
    ];
    assert_eq!(words, expected);
    assert_eq!(one["newest"]["verdict"], "pass");
    assert_eq!(one["newest"]["window"]["end"], "2026-01-02T00:00:00Z");
    assert_eq!(one["newest"]["labels"]["image"], "shop:1.4");
    let found = json(&router, "/v1/lineage?label.modelVersion=7&namespace=bank").await;
    assert_eq!(found["versions"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_token_sees_its_namespaces_only() {
    let router = some().await.tokens().router();
    let bank = {
        let request = with_token(get("/v1/verdicts?namespace=bank"), "all");
        let (_, body) = call(router.clone(), request).await;
        let page: Value = serde_json::from_slice(&body).unwrap();
        ids(&page).pop().unwrap()
    };
    let count = |path: &'static str, token: &'static str| {
        let router = router.clone();
        async move {
            let (head, body) = call(router, with_token(get(path), token)).await;
            assert_eq!(head.status(), 200, "{path}");
            String::from_utf8(body).unwrap().matches("\"bank\"").count()
        }
    };
    for path in ["/v1/verdicts", "/v1/verdicts?format=ndjson", "/v1/rollouts"] {
        assert_eq!(count(path, "all").await, 1, "{path}");
        assert_eq!(count(path, "shop").await, 0, "{path}");
    }
    for path in [
        "/v1/verdicts?namespace=bank",
        "/v1/rollouts?namespace=bank",
        "/v1/rollouts/bank/ledger",
        "/v1/rollouts/bank/ledger/override",
        "/v1/lineage?label.a=1&namespace=bank",
        "/v1/events?namespace=bank",
    ] {
        let (status, code, _, _) = problem(router.clone(), with_token(get(path), "shop")).await;
        assert_eq!((status, code.as_str()), (403, "forbidden"), "{path}");
        let (status, _, _, _) = problem(router.clone(), get(path)).await;
        assert_eq!(status, 401, "{path}");
    }
    let path = format!("/v1/verdicts/{bank}");
    let (status, code, _, _) = problem(router, with_token(get(&path), "shop")).await;
    assert_eq!((status, code.as_str()), (404, "unknown-verdict"));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told() {
    let ground = some().await;
    let router = ground.router();
    let ready = json(&router, "/readyz").await;
    assert_eq!(ready["store"]["up"], true);
    ground.store.cut(true);
    for path in [
        "/v1/verdicts",
        "/v1/verdicts?format=ndjson",
        "/v1/verdicts/019b7a1e-0000-7000-8000-000000000001",
        "/v1/verdicts/latest?namespace=shop&rollout=checkout",
        "/v1/rollouts",
        "/v1/rollouts/shop/checkout",
        "/v1/rollouts/shop/checkout/override",
        "/v1/lineage?label.a=1",
        "/v1/events",
    ] {
        let (status, code, _, _) = problem(router.clone(), get(path)).await;
        assert_eq!(
            (status, code.as_str()),
            (503, "store-unavailable"),
            "{path}"
        );
    }
    // another edge over the same store has not asked it a moment ago
    let (head, body) = call(ground.restarted(), get("/readyz")).await;
    let text = String::from_utf8(body).unwrap();
    assert_eq!(head.status(), 503, "{text}");
    assert!(text.contains(r#""up":false"#), "{text}");
}
