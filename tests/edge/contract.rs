//! The OpenAPI document and the code. Every answer of `double::call` is held against it too.

use super::{
    deliveries::filled,
    double::{GOOD, NOW, call, get, post},
    ground::{Ground, Judged},
    openapi::{Told, component, mistakes, operation},
};
use rollout_judge::http::openapi_document;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Every source file of a folder.
fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|end| end == "rs") {
            out.push(path);
        }
    }
}

/// The type that a line of a source declares for the document, also inside our macros.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches("pub ");
    let word = |text: &str| {
        let end = text
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(text.len());
        text.split_at(end).0.len()
    };
    for head in ["struct ", "enum "] {
        if let Some(rest) = line.strip_prefix(head) {
            return rest.get(..word(rest)).filter(|name| !name.is_empty());
        }
    }
    // `numbers! { Name from Other {` and `loose! { Name = || ...`
    let (name, rest) = line.split_once(' ')?;
    let named = name.chars().all(char::is_alphanumeric) && name.starts_with(char::is_uppercase);
    let made = rest.starts_with("= ||") || (rest.starts_with("from ") && rest.ends_with('{'));
    (named && made).then_some(name)
}

/// utoipa gives each type its own name and lets the last of two with one name stand for both.
#[test]
fn no_two_types_have_one_name_in_the_document() {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        if text.contains("ToSchema") {
            for name in text.lines().filter_map(declared) {
                let known = places.entry(name.to_owned()).or_default();
                known.push(file.clone());
            }
        }
    }
    let document: Value = serde_json::from_str(&openapi_document()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.len() > 40);
    for name in schemas.keys() {
        let found = places.get(name).map_or(&[][..], Vec::as_slice);
        assert_eq!(found.len(), 1, "`{name}` is declared in {found:?}");
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    let step = json!({"weight": 5.0, "first": "2026-01-01T00:00:00Z", "last": "2026-01-01T00:00:00Z", "passed": true});
    assert_eq!(component("StepAnswer", &step), [""; 0]);
    for (key, value, said) in [
        ("weight", json!("5"), "against `type`"),
        ("weight", json!(101), "against `maximum`"),
        ("first", json!("yesterday"), "against `format`"),
        ("more", json!(1), "`more` is not in the document"),
    ] {
        let mut wrong = step.clone();
        wrong[key] = value;
        let told = component("StepAnswer", &wrong);
        assert!(told.len() == 1 && told[0].contains(said), "{told:?}");
    }
    let told = component("StepAnswer", &json!({"weight": 5}));
    assert!(told[0].contains("against `required`"), "{told:?}");
    let told = mistakes(Told {
        method: "GET",
        path: "/v1/policies?x=1",
        status: 299,
        content_type: "application/json",
        body: b"{}",
    });
    assert!(told[0].contains("GET /v1/policies 299"), "{told:?}");
    assert_eq!(
        operation("GET", "/v1/verdicts/latest").unwrap().0,
        "/v1/verdicts/latest"
    );
}

/// Every operation of the document, as `get /v1/verdicts`.
fn operations() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&openapi_document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| -> Vec<String> {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| format!("{method} {path}")).collect()
    };
    paths.iter().flat_map(of).collect()
}

#[tokio::test]
async fn every_operation_answers_as_the_document_says() {
    let ground = Ground::new().await;
    let verdict = ground
        .keep(Judged {
            at: NOW - 60_000,
            labels: BTreeMap::from([("image".into(), "shop:1".into())]),
            ..Judged::default()
        })
        .await;
    filled(&ground).await;
    let router = ground.router();
    let (id, dead) = (verdict.id, uuid::Uuid::from_u128(100));
    let rollout = "/v1/rollouts/shop/checkout";
    let overrule = r#"{"verdict":"pass","reason":"known","expires":"2h"}"#;
    let policy = "kind: JudgePolicy";
    let mut seen = BTreeSet::new();
    for (status, request) in [
        (200, post("/v1/verdicts", GOOD)),
        (
            200,
            get("/v1/verdicts/latest?namespace=shop&rollout=checkout"),
        ),
        (200, get("/v1/verdicts")),
        (200, get("/v1/verdicts?format=ndjson")),
        (200, get("/v1/verdicts?format=ndjson&full=true")),
        (200, get(&format!("/v1/verdicts/{id}"))),
        (410, get(&format!("/v1/verdicts/{id}/bundle"))),
        (200, get("/v1/rollouts")),
        (201, post(&format!("{rollout}/override"), overrule)),
        (200, get(&format!("{rollout}/override"))),
        (200, get(&format!("{rollout}?changes=false"))),
        (
            200,
            axum::http::Request::delete(format!("{rollout}/override"))
                .body(axum::body::Body::empty())
                .unwrap(),
        ),
        (200, get("/v1/lineage?label.image=shop:1")),
        (200, get("/v1/deliveries")),
        (200, post(&format!("/v1/deliveries/{dead}/retry"), "")),
        (200, get("/v1/policies")),
        (200, get("/v1/policies/http-service")),
        (200, post("/v1/policies/check", policy)),
        (422, post("/v1/policies/check", "nothing")),
        (404, get("/v1/policies/%ff")),
        (404, get("/v1/verdicts/a%C3")),
        (404, get("/v1/policies/%C3%A9")),
        (200, get("/healthz")),
        (200, get("/readyz")),
        (200, get("/metrics")),
        (200, get("/openapi.json")),
    ] {
        let (method, path) = (
            request.method().to_string(),
            request.uri().path().to_owned(),
        );
        let (head, body) = call(router.clone(), request).await;
        let text = String::from_utf8_lossy(&body);
        assert_eq!(head.status(), status, "{method} {path}: {text}");
        let template = operation(&method, &path).unwrap().0;
        seen.insert(format!("{} {template}", method.to_lowercase()));
    }
    // an endless answer: see `events`
    seen.insert("get /v1/events".to_owned());
    assert_eq!(seen, operations());
}
