//! What leaves the edge.

use super::double::{Double, GOOD, app, call, get, plain, post, problem};
use rollout_judge::{
    http::{Auth, CODES, Limits, Token, openapi_document},
    service::JudgeError,
};
use serde_json::Value;
use std::time::Duration;

/// The keys of an object in the order in which they stand in the text.
fn keys(text: &str) -> Vec<String> {
    let (mut depth, mut out, mut rest) = (0, Vec::new(), text);
    while let Some(at) = rest.find(['{', '}', '[', ']', '"']) {
        let (c, tail) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = tail;
        match c {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {
                let end = rest.find('"').unwrap();
                let (word, after) = (&rest[..end], &rest[end + 1..]);
                if depth == 1 && after.starts_with(':') {
                    out.push(word.to_owned());
                }
                rest = after;
            }
        }
    }
    out
}

fn no_null(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().all(no_null),
        Value::Object(map) => map.values().all(no_null),
        _ => true,
    }
}

#[tokio::test]
async fn the_answer_has_the_shape_of_the_contract() {
    let (head, body) = call(plain().await, post("/v1/verdicts", GOOD)).await;
    let text = String::from_utf8(body).unwrap();
    assert_eq!(head.status(), 200, "{text}");
    assert_eq!(head.headers()["content-type"], "application/json");
    assert!(head.headers().get("connection").is_none());
    let expected = [
        "id",
        "verdict",
        "ok",
        "score",
        "reason",
        "result",
        "action",
        "weight",
        "nextWeight",
        "policy",
        "rollout",
        "window",
        "objectives",
        "warnings",
        "url",
    ];
    assert_eq!(keys(&text), expected);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(no_null(&value), "{text}");
    for sign in ['<', '>', '&'] {
        assert!(!text.contains(sign), "{text}");
    }
    let reason = value["reason"].as_str().unwrap();
    assert_eq!(reason.chars().count(), 200);
    assert!(reason.starts_with("‹b›fine and well"));
    assert_eq!(value["result"], serde_json::json!([100.0, "pass", reason]));
    assert_eq!(
        (&value["ok"], &value["score"], &value["weight"]),
        (&true.into(), &100.0.into(), &5.0.into())
    );
    assert_eq!(
        value["url"],
        "http://127.0.0.1:8080/verdicts/019b7a1e-0000-7000-8000-000000000001"
    );
    assert_eq!(value["window"]["end"], "2026-01-02T00:00:00Z");
    let whole = &value["objectives"][0];
    let inner = [
        "name",
        "kind",
        "outcome",
        "code",
        "reason",
        "critical",
        "unit",
        "canary",
        "stable",
        "effect",
        "margin",
        "limit",
        "evidence",
        "needs",
        "fixedHorizon",
    ];
    assert_eq!(
        keys(&text[text.find(r#"{"name":"error-rate""#).unwrap()..])[..15],
        inner
    );
    assert_eq!(whole["evidence"].as_object().unwrap().len(), 8);
    assert_eq!(
        whole["needs"],
        serde_json::json!({"requests": 0.0, "seconds": 0.0})
    );
    let hollow = &value["objectives"][1];
    assert_eq!(hollow["canary"], serde_json::json!({}));
    assert_eq!(hollow["effect"], serde_json::json!({}));
    for absent in ["margin", "limit", "fixedHorizon"] {
        assert!(hollow.get(absent).is_none(), "{absent}");
    }
    assert!(hollow["evidence"].get("logEFail").is_none());
}

#[tokio::test]
async fn a_missing_weight_is_still_a_number() {
    let body = GOOD.replace(r#","weight":"5""#, "");
    let (_, body) = call(plain().await, post("/v1/verdicts", body)).await;
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["weight"], 0.0);
}

#[tokio::test]
async fn errors_of_the_service() {
    let rows = [
        (
            JudgeError::UnknownPolicy {
                name: "http-servce".into(),
                known: vec!["http-service".into()],
            },
            404,
            "unknown-policy",
            "did you mean `http-service`?",
        ),
        (
            JudgeError::CannotPlan {
                detail: "objective `x` has no series".into(),
            },
            422,
            "cannot-plan",
            "objective `x`",
        ),
        (
            JudgeError::Overloaded,
            429,
            "too-many-requests",
            "try again",
        ),
    ];
    for (error, status, code, part) in rows {
        let router = app(
            Double {
                error: Some(error),
                ..Double::default()
            },
            Auth::open(),
            Limits::default(),
        )
        .await
        .0;
        let (found, word, _, value) = problem(router, post("/v1/verdicts", GOOD)).await;
        assert_eq!((found, word.as_str()), (status, code));
        assert!(value["detail"].as_str().unwrap().contains(part), "{value}");
    }
    for error in [JudgeError::SourceDown, JudgeError::ShuttingDown] {
        let router = app(
            Double {
                error: Some(error),
                ..Double::default()
            },
            Auth::open(),
            Limits::default(),
        )
        .await
        .0;
        let (head, body) = call(router, post("/v1/verdicts", GOOD)).await;
        assert_eq!((head.status().as_u16(), body.len()), (503, 0));
        assert_eq!(head.headers()["connection"], "close");
    }
}

#[tokio::test]
async fn a_panic_is_a_problem() {
    let router = app(
        Double {
            panic: true,
            ..Double::default()
        },
        Auth::open(),
        Limits::default(),
    )
    .await
    .0;
    let (status, code, _, _) = problem(router, post("/v1/verdicts", GOOD)).await;
    assert_eq!((status, code.as_str()), (500, "internal"));
}

#[tokio::test]
async fn a_late_service_is_cut_off() {
    let limits = Limits {
        deadline: Duration::from_millis(100),
        ..Limits::default()
    };
    let router = app(
        Double {
            wait: Some(Duration::from_mins(1)),
            ..Double::default()
        },
        Auth::open(),
        limits,
    )
    .await
    .0;
    let begun = std::time::Instant::now();
    let (head, body) = call(router, post("/v1/verdicts", GOOD)).await;
    assert_eq!((head.status().as_u16(), body.len()), (503, 0));
    // well before the answer that it waits for
    assert!((550..30_000).contains(&begun.elapsed().as_millis()));
}

#[tokio::test]
async fn paths_and_methods() {
    let (status, code, _, _) = problem(plain().await, get("/v2/verdicts")).await;
    assert_eq!((status, code.as_str()), (404, "not-found"));
    let (status, code, _, _) = problem(plain().await, post("/v1/verdicts/latest", "")).await;
    assert_eq!((status, code.as_str()), (405, "method-not-allowed"));
    let (head, _) = call(plain().await, get("/v1/policies/check")).await;
    assert_eq!(
        (
            head.status().as_u16(),
            head.headers()["allow"].to_str().unwrap()
        ),
        (405, "POST")
    );
}

#[tokio::test]
async fn latest_reads_without_judging() {
    let (status, code, _, _) = problem(
        plain().await,
        get("/v1/verdicts/latest?namespace=shop&rollout=checkout"),
    )
    .await;
    assert_eq!((status, code.as_str()), (404, "no-verdict"));
    let (_, code, field, _) =
        problem(plain().await, get("/v1/verdicts/latest?namespace=shop")).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("missing-field", "rollout")
    );
    let (_, code, _, _) = problem(
        plain().await,
        get("/v1/verdicts/latest?namespace=shop&rolout=a"),
    )
    .await;
    assert_eq!(code, "invalid-query");
}

#[tokio::test]
async fn policies() {
    let (_, body) = call(plain().await, get("/v1/policies")).await;
    let list: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(list["policies"][0]["objectives"][0]["kind"], "errorRatio");
    let (_, body) = call(plain().await, get("/v1/policies/http-service")).await;
    let one: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (
            &one["horizon"],
            &one["objectives"][0]["passMargin"]["relative"]
        ),
        (&7200.0.into(), &0.5.into())
    );
    assert!(no_null(&one));
    let (status, code, _, _) = problem(plain().await, get("/v1/policies/nobody")).await;
    assert_eq!((status, code.as_str()), (404, "unknown-policy"));
    let (head, body) = call(
        plain().await,
        post("/v1/policies/check", "kind: JudgePolicy"),
    )
    .await;
    assert_eq!(
        (
            head.status().as_u16(),
            serde_json::from_slice::<Value>(&body).unwrap()["valid"].clone()
        ),
        (200, true.into())
    );
    let (head, body) = call(plain().await, post("/v1/policies/check", "x: y")).await;
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (head.status().as_u16(), &value["diagnostics"][0]["line"]),
        (422, &1.into())
    );
    assert_eq!(value["rendered"], "error: no kind");
}

#[tokio::test]
async fn tokens() {
    let auth = || {
        Auth::tokens(vec![
            Token::new("all", "s3cret", None),
            Token::new("shop-only", "other", Some(vec!["shop".into()])),
        ])
    };
    let ask = async |token: &str, body: String| {
        let mut request = post("/v1/verdicts", body);
        if !token.is_empty() {
            request
                .headers_mut()
                .insert("authorization", token.parse().unwrap());
        }
        (
            app(Double::default(), auth(), Limits::default()).await.0,
            request,
        )
    };
    for wrong in [
        "",
        "s3cret",
        "Bearer ",
        "Bearer nope",
        "Basic s3cret",
        "Bearer s3cret2",
    ] {
        let (router, request) = ask(wrong, GOOD.into()).await;
        let (status, code, _, value) = problem(router, request).await;
        assert_eq!((status, code.as_str()), (401, "unauthenticated"), "{wrong}");
        assert!(!value.to_string().contains("s3cret"));
    }
    for right in ["Bearer s3cret", "bearer other"] {
        let (router, request) = ask(right, GOOD.into()).await;
        assert_eq!(call(router, request).await.0.status(), 200, "{right}");
    }
    let (router, request) = ask("Bearer other", GOOD.replace("shop", "bank")).await;
    let (status, code, _, _) = problem(router, request).await;
    assert_eq!((status, code.as_str()), (403, "forbidden"));
    for open in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        let router = app(Double::default(), auth(), Limits::default()).await.0;
        assert_eq!(call(router, get(open)).await.0.status(), 200, "{open}");
    }
    let router = app(Double::default(), auth(), Limits::default()).await.0;
    assert_eq!(call(router, get("/v1/policies")).await.0.status(), 401);
}

#[tokio::test]
async fn readiness() {
    let (router, health) = app(Double::default(), Auth::open(), Limits::default()).await;
    let (head, body) = call(router.clone(), get("/readyz")).await;
    let value: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (head.status().as_u16(), &value["ready"], &value["policies"]),
        (200, &true.into(), &1.into())
    );
    health.stop();
    let (head, body) = call(router, get("/readyz")).await;
    assert_eq!(head.status(), 503);
    assert!(String::from_utf8(body).unwrap().contains("shutting down"));
}

#[test]
fn the_openapi_document_is_committed() {
    let (path, now) = (
        concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/openapi.json"),
        openapi_document(),
    );
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == now,
        "fixtures/openapi.json is not what the code says; run the test with UPDATE=1"
    );
    let value: Value = serde_json::from_str(&now).unwrap();
    assert_eq!(value["openapi"], "3.1.0");
    for path in [
        "/v1/verdicts",
        "/v1/verdicts/latest",
        "/v1/policies",
        "/v1/policies/{name}",
        "/v1/policies/check",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
    ] {
        let path = value["paths"][path].as_object().unwrap();
        assert!(
            path.values()
                .all(|operation| operation["summary"].is_string()),
            "{path:?}"
        );
    }
    assert_eq!(
        value["x-problem-codes"].as_array().unwrap().len(),
        CODES.len()
    );
    let weight = &value["components"]["schemas"]["VerdictRequest"]["properties"];
    assert!(weight.to_string().contains("canaryHash"));
}
