//! Every setting is described, and its default is the one that the README names.

use super::README;
use rollout_judge::config::{load_from, show};
use serde_json::Value;
use std::collections::BTreeMap;

/// One of everything.
const FILE: &str = "
sources:
  api: { kind: prometheus, url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:2', ca: /ca, auth: { bearer: { env: A } },
    clientCertificate: { cert: /c, key: /k } }
  own: { kind: scrape, static: [{ targets: ['127.0.0.1:1'] }], scrapeTimeout: 5s, jobName: own, ca: /ca, auth: { bearer: { env: A } },
    clientCertificate: { cert: /c, key: /k },
    discovery: { kubernetes: { labelSelector: 'a=b', port: 1, apiServer: 'http://127.0.0.1:1' } } }
policies: { paths: [policies] }
receivers:
  webhook: { webhook: { url: 'http://127.0.0.1:1', secrets: [{ env: A }] }, title: a, body: b, ca: /ca }
  pagerduty: { pagerduty: { routingKey: { env: A } } }
  alertmanager: { alertmanager: { url: 'http://127.0.0.1:1' } }
  cloudevents: { cloudevents: { url: 'http://127.0.0.1:1' } }
  email: { email: { host: h, from: a@b, to: [a@b], auth: { username: a, password: { env: A } } } }
routes: [{ match: { severity: info }, to: [email] }]
telemetry: { otlp: { endpoint: 'http://127.0.0.1:1' } }
writeBack:
  remoteWrite: { url: 'http://127.0.0.1:1/w', ca: /ca, auth: { bearer: { env: A } } }
  import: { url: 'http://127.0.0.1:1/i' }
  grafana: { url: 'http://127.0.0.1:1', token: { env: A }, dashboardUid: a, ca: /ca }
";

/// The sections with a table of settings, and what their keys without a section belong to.
const TABLES: [(&str, &str); 4] = [
    ("## Configuration reference", "sources.api"),
    ("## Without a database", "sources.own"),
    ("## The store", "store"),
    ("## Alerts", "receivers"),
];
/// Words of the column of defaults that are no values.
const WORDS: [&str; 5] = ["none", "required", "system", "ours", "off"];

/// A setting of a table: its path, its default, and its row.
struct Setting {
    path: String,
    default: Option<String>,
    row: &'static str,
}

fn section(heading: &str) -> &'static str {
    let from = README.find(&format!("\n{heading}")).unwrap() + 1;
    let section = &README[from..];
    let end = section.find("\n## ").unwrap_or(section.len());
    &section[..end]
}

fn settings(plain: &Value) -> Vec<Setting> {
    let mut all = Vec::new();
    for (heading, base) in TABLES {
        let lines = section(heading).lines();
        let table =
            lines.skip_while(|line| !line.starts_with("| key") || !line.contains("default"));
        let mut before = base.to_owned();
        for row in table.skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = row.split(" | ").collect();
            let names = cells[0].split('`').skip(1).step_by(2);
            let names: Vec<&str> = names.collect();
            let defaults: Vec<&str> = cells[1].split(", ").collect();
            for (i, name) in names.iter().enumerate() {
                let path = path(plain, name, base, &before);
                before = path
                    .rsplit_once('.')
                    .map_or("", |(parent, _)| parent)
                    .to_owned();
                let default = defaults.get(i).filter(|_| defaults.len() == names.len());
                let default = default.map(|text| text.replace('`', ""));
                all.push(Setting { path, default, row });
            }
        }
    }
    all
}

/// The whole path of a name in the first column; `.name` belongs to what the one before it belongs to.
fn path(plain: &Value, name: &str, base: &str, before: &str) -> String {
    let root = name.split('.').next().unwrap();
    if let Some(name) = name.strip_prefix('.') {
        return format!("{before}.{name}");
    }
    if let Some(name) = name.strip_prefix("sources.NAME.") {
        return format!("sources.api.{name}");
    }
    let own = base.split('.').try_fold(plain, |place, key| place.get(key));
    let own = !name.contains('.') && own.is_some_and(|own| own.get(name).is_some());
    if plain.get(root).is_some() && !own {
        return name.to_owned();
    }
    // a receiver of that kind, or any
    match (base, plain[base].get(root)) {
        ("receivers", Some(_)) => format!("{base}.{root}.{name}"),
        ("receivers", None) => format!("{base}.webhook.{name}"),
        _ => format!("{base}.{name}"),
    }
}

/// Everything, with these variables.
fn whole(variables: &[(String, String)]) -> Value {
    let settings = load_from(Some(("judge.yaml", FILE)), variables);
    let settings = settings.unwrap_or_else(|error| panic!("{variables:?}: {error}"));
    serde_json::from_str(&show(&settings)).unwrap()
}

#[test]
fn defaults_are_those_of_the_program() {
    let plain = whole(&[]);
    let mut checked = 0;
    for setting in settings(&plain) {
        let Some(default) = setting.default else {
            continue;
        };
        // the port goes with the protection of the connection
        let told = default.contains(' ') || default.starts_with('.') || default.is_empty();
        if told || WORDS.contains(&default.as_str()) || setting.path.ends_with("email.port") {
            continue;
        }
        let name = setting.path.replace('.', "__").to_uppercase();
        let name = format!("ROLLOUT_JUDGE__{name}");
        assert_eq!(whole(&[(name, default)]), plain, "{}", setting.path);
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}

/// Every path to a value.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, inner) in map {
                leaves(inner, &format!("{path}.{key}"), found);
            }
        }
        _ => found.push(path.trim_start_matches('.').to_owned()),
    }
}

/// What has the same shape everywhere is described once.
fn once(path: String) -> String {
    if path == "sources.own.kind" {
        return "sources.api.kind".to_owned();
    }
    let shared = [".auth.", ".clientCertificate."].into_iter();
    let mut ends = shared.filter_map(|part| path.find(part).map(|at| at + part.len() - 1));
    match ends.next() {
        Some(end) if !path.starts_with("sources.api.") => path[..end].to_owned(),
        _ => path,
    }
}

#[test]
fn every_setting_has_a_row() {
    let plain = whole(&[]);
    let mut rows: BTreeMap<String, &str> = BTreeMap::new();
    for setting in settings(&plain) {
        rows.insert(setting.path, setting.row);
    }
    let mut found = Vec::new();
    leaves(&plain, "", &mut found);
    assert!(found.len() > 100);
    let alerts = section("## Alerts");
    let mut missing = Vec::new();
    for path in found.into_iter().map(once) {
        let key = path.rsplit('.').next().unwrap();
        let above = path.match_indices('.').map(|(at, _)| &path[..at]);
        // in the row of what it is part of, or in the example of the receivers
        let part = above
            .filter_map(|above| rows.get(above))
            .any(|row| row.contains(key));
        let receiver = path.starts_with("receivers.") || path.starts_with("routes");
        let shown = [format!("{key}:"), format!(".{key}`"), format!("`{key}`")];
        let shown = receiver && shown.iter().any(|word| alerts.contains(word));
        let off = path.starts_with("kubernetes");
        if !(rows.contains_key(&path) || part || shown || off) {
            missing.push(path);
        }
    }
    assert!(missing.is_empty(), "README lacks {missing:?}");
}

#[test]
fn every_row_is_a_setting() {
    let plain = whole(&[]);
    for setting in settings(&plain) {
        let mut place = &plain;
        for key in setting.path.split('.') {
            let next = place.get(key);
            // what is absent by default is left out, and named nowhere else
            let optional = ["port", "Retry-After", "dataDir"].contains(&key);
            place = match next {
                Some(next) => next,
                None if optional => break,
                None => panic!("{} is no setting: {}", setting.path, setting.row),
            };
        }
    }
}
