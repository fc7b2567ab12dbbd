//! The effective settings as JSON (which is YAML), with every secret hidden.

use super::settings::Settings;
use serde_json::Value;

const HIDDEN: &str = "***";
/// Keys whose values are addresses.
const ADDRESSES: [&str; 6] = [
    "url",
    "endpoint",
    "publicUrl",
    "http",
    "targets",
    "apiServer",
];

/// What `serve --print-config` prints.
pub fn show(settings: &Settings) -> String {
    let mut value = serde_json::to_value(settings).unwrap_or_default();
    hide(&mut value, "");
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}

fn hide(value: &mut Value, key: &str) {
    match value {
        Value::Object(map) if key == "headers" => {
            for header in map.values_mut() {
                *header = Value::String(HIDDEN.to_owned());
            }
        }
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                hide(inner, key);
            }
        }
        Value::Array(items) => {
            for item in items {
                hide(item, key);
            }
        }
        Value::String(text) if ADDRESSES.contains(&key) => *text = without_secrets(text),
        _ => {}
    }
}

/// A URL whose user name and password are hidden, and what it asks for, unless it is that of a store.
fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (shown, host) = match authority.rsplit_once('@') {
        Some((_, host)) => (format!("{HIDDEN}@"), host),
        None => (String::new(), authority),
    };
    let query = tail.find(['?', '#']).filter(|_| scheme.starts_with("http"));
    let tail = match query.map(|at| tail.split_at(at)) {
        Some((path, _)) => format!("{path}?{HIDDEN}"),
        None => tail.to_owned(),
    };
    format!("{scheme}://{shown}{host}{tail}")
}
