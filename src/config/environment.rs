//! `ROLLOUT_JUDGE__SECTION__KEY`: camelCase keys are matched whatever the case of the variable.

use super::{
    error::Places,
    file::flow,
    receivers::ReceiverSettings,
    scrape::{PodSettings, ScrapeSettings},
    settings::{OtlpSettings, Settings},
    source::{Kind, SourceSettings},
    units::HumanDuration,
    write_back,
};
use config::{Map, Value, ValueKind};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

/// How the variables begin.
pub const PREFIX: &str = "ROLLOUT_JUDGE__";

/// The tree of the variables; `base` is the tree of the file, whose source names are reused.
pub fn tree(
    variables: &[(String, String)],
    base: &Map<String, Value>,
    places: &mut Places,
) -> Map<String, Value> {
    let known = known();
    let mut root = Map::new();
    for (name, text) in variables {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let mut node = Some(&known);
        let mut path = Vec::new();
        for segment in rest.split("__") {
            let parent = path.join(".");
            let (key, next) = resolve(segment, node, &parent, base);
            path.push(key);
            node = next;
        }
        places.insert(path.join("."), format!("environment variable {name}"));
        insert(&mut root, &path, value(text, node));
    }
    root
}

/// The key that a segment means, and what is known below it.
fn resolve<'a>(
    segment: &str,
    node: Option<&'a serde_json::Value>,
    parent: &str,
    base: &Map<String, Value>,
) -> (String, Option<&'a serde_json::Value>) {
    let simple = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let map = node.and_then(serde_json::Value::as_object);
    if let Some((key, next)) =
        map.and_then(|m| m.iter().find(|(key, _)| simple(key) == simple(segment)))
    {
        return (key.clone(), Some(next));
    }
    let any = map.and_then(|m| m.get("*"));
    let written = match base.get(parent).map(|v| &v.kind) {
        Some(ValueKind::Table(names)) => names
            .keys()
            .find(|key| simple(key) == simple(segment))
            .cloned(),
        _ => None,
    };
    (written.unwrap_or_else(|| segment.to_lowercase()), any)
}

/// Every key there is, with `*` for free names and a list where a list belongs.
fn known() -> serde_json::Value {
    let mut tree = serde_json::to_value(Settings::default()).unwrap_or_default();
    let source = SourceSettings::new(Kind::Prometheus, "");
    let mut source = serde_json::to_value(source).unwrap_or_default();
    let scrape = serde_json::to_value(ScrapeSettings::default()).unwrap_or_default();
    for (key, known) in scrape.as_object().into_iter().flatten() {
        put(&mut source, key, known.clone());
    }
    put(&mut source, "scrapeTimeout", json!(""));
    put(&mut source, "jobName", json!(""));
    if let Some(discovery) = source.get_mut("discovery") {
        let mut pods = serde_json::to_value(PodSettings::default()).unwrap_or_default();
        for key in ["labelSelector", "port", "apiServer"] {
            put(&mut pods, key, json!(""));
        }
        put(discovery, "kubernetes", pods);
    }
    for key in ["auth", "ca", "clientCertificate"] {
        put(&mut source, key, json!({}));
    }
    put(
        &mut source,
        "auth",
        json!({"bearer": {"file": "", "env": ""}, "basic": {"username": "", "password": {"file": "", "env": ""}}}),
    );
    put(
        &mut source,
        "clientCertificate",
        json!({"cert": "", "key": ""}),
    );
    put(&mut tree, "sources", json!({"*": source}));
    put(&mut tree, "receivers", json!({"*": receiver()}));
    put(&mut tree, "writeBack", write_back::known());
    if let Some(store) = tree.get_mut("store") {
        put(store, "password", json!({"file": "", "env": ""}));
    }
    let otlp = OtlpSettings {
        endpoint: String::new(),
        headers: BTreeMap::new(),
        timeout: HumanDuration(Duration::ZERO),
        sample: 1.0,
        service_name: String::new(),
    };
    if let Some(telemetry) = tree.get_mut("telemetry") {
        put(telemetry, "otlp", json!(otlp));
    }
    tree
}

/// Every key of a receiver.
fn receiver() -> serde_json::Value {
    let mut receiver = json!(ReceiverSettings::default());
    let secret = json!({"file": "", "env": ""});
    for key in ["slack", "teams", "discord"] {
        put(&mut receiver, key, json!({"url": secret}));
    }
    for (key, known) in [
        ("title", json!("")),
        ("body", json!("")),
        ("ca", json!("")),
        (
            "webhook",
            json!({"url": secret, "secrets": [], "headers": {}}),
        ),
        ("pagerduty", json!({"routingKey": secret, "url": ""})),
        (
            "alertmanager",
            json!({"url": secret, "lasts": "", "repeat": "", "labels": {}, "headers": {}}),
        ),
        (
            "cloudevents",
            json!({"url": secret, "mode": "", "source": "", "headers": {}}),
        ),
        (
            "email",
            json!({"host": "", "port": 0, "tls": "", "from": "", "to": [],
            "auth": {"username": "", "password": secret}}),
        ),
    ] {
        put(&mut receiver, key, known);
    }
    receiver
}

fn put(tree: &mut serde_json::Value, key: &str, value: serde_json::Value) {
    if let Some(map) = tree.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

fn value(text: &str, known: Option<&serde_json::Value>) -> Value {
    let begins = text.trim_start();
    if (begins.starts_with('[') || begins.starts_with('{'))
        && let Some(value) = flow(text)
    {
        return value;
    }
    if known.is_some_and(serde_json::Value::is_array) {
        let items = text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        return Value::new(
            None,
            ValueKind::Array(items.map(|item| Value::new(None, item)).collect()),
        );
    }
    Value::new(None, text)
}

fn insert(map: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        map.insert(first.clone(), value);
        return;
    }
    let child = map
        .entry(first.clone())
        .or_insert_with(|| Value::new(None, ValueKind::Table(Map::new())));
    if !matches!(child.kind, ValueKind::Table(_)) {
        *child = Value::new(None, ValueKind::Table(Map::new()));
    }
    if let ValueKind::Table(inner) = &mut child.kind {
        insert(inner, rest, value);
    }
}
