//! The effective settings as JSON (which is YAML), with every secret hidden.

use super::settings::Settings;
use serde_json::Value;

const HIDDEN: &str = "***";

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
        Value::String(text) if key == "url" || key == "endpoint" || key == "publicUrl" => {
            *text = without_password(text);
        }
        _ => {}
    }
}

/// A URL whose user name and password are hidden.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{HIDDEN}@{host}{tail}"),
        None => url.to_owned(),
    }
}
