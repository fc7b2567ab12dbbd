//! `writeBack`: where verdicts go to be drawn beside the traffic.

use super::{
    error::Mistakes,
    secrets::Secret,
    source::{Auth, HeaderValue},
    units::HumanDuration,
    url::plain,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Labels that we give ourselves.
const OURS: [&str; 7] = [
    "namespace",
    "rollout",
    "policy",
    "canary_hash",
    "objective",
    "track",
    "bound",
];

/// `writeBack`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WriteBackSettings {
    /// Prometheus remote write 1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_write: Option<TargetSettings>,
    /// `/api/v1/import` of VictoriaMetrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<TargetSettings>,
    /// Annotations of Grafana.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grafana: Option<GrafanaSettings>,
    /// Further labels of each series, and tags of each annotation.
    pub labels: BTreeMap<String, String>,
}

/// `writeBack.remoteWrite` and `writeBack.import`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetSettings {
    /// The whole address: `http://prometheus:9090/api/v1/write`.
    pub url: String,
    /// How we show who we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Further request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
    /// Certificate authorities (PEM) to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// One try may take this long.
    #[serde(default = "timeout")]
    pub timeout: HumanDuration,
}

/// `writeBack.grafana`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrafanaSettings {
    /// Base address: `https://grafana.example.org`.
    pub url: String,
    /// Token of a service account that may write annotations.
    pub token: Secret,
    /// The dashboard that is annotated; the whole organisation where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard_uid: Option<String>,
    /// Certificate authorities (PEM) to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// One try may take this long.
    #[serde(default = "timeout")]
    pub timeout: HumanDuration,
}

fn timeout() -> HumanDuration {
    HumanDuration(Duration::from_secs(10))
}

/// Every key, for the environment.
pub(super) fn known() -> serde_json::Value {
    let secret = serde_json::json!({"file": "", "env": ""});
    let target = serde_json::json!({
        "url": "", "headers": {}, "ca": "", "timeout": "",
        "auth": {"bearer": secret, "basic": {"username": "", "password": secret}},
    });
    serde_json::json!({
        "remoteWrite": target, "import": target, "labels": {},
        "grafana": {"url": "", "token": secret, "dashboardUid": "", "ca": "", "timeout": ""},
    })
}

const TARGET: &str = "must not hold credentials or a query, which may hold a secret; use `auth` or `headers`, and `writeBack.labels` for labels";
const GRAFANA: &str = "must not hold credentials or a query, which may hold a secret; use `token`";

/// Finds what cannot work.
pub(super) fn check(settings: &WriteBackSettings, found: &mut Mistakes<'_>) {
    let target = |name, one: &TargetSettings| (name, one.url.clone(), one.timeout);
    let all = [
        settings
            .remote_write
            .as_ref()
            .map(|t| target("remoteWrite", t)),
        settings.import.as_ref().map(|t| target("import", t)),
        settings
            .grafana
            .as_ref()
            .map(|g| ("grafana", g.url.clone(), g.timeout)),
    ];
    for (name, url, timeout) in all.into_iter().flatten() {
        let mut wrong =
            |key: &str, message: &str| found.add(&format!("writeBack.{name}.{key}"), message);
        let cure = if name == "grafana" { GRAFANA } else { TARGET };
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        match plain(&url, cure) {
            Err(words) => wrong("url", words),
            Ok(()) if path.is_empty() && name == "import" => wrong(
                "url",
                "has no path; give the whole address, such as `http://victoria:8428/api/v1/import`",
            ),
            Ok(()) if path.is_empty() && name != "grafana" => wrong(
                "url",
                "has no path; give the whole address, such as `http://prometheus:9090/api/v1/write`",
            ),
            Ok(()) => {}
        }
        if timeout.0 < Duration::from_millis(100) || timeout.0 > Duration::from_mins(5) {
            wrong("timeout", "is out of range; give 100ms to 5m");
        }
    }
    for name in settings.labels.keys() {
        let mut letters = name.chars();
        let first = letters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let sound = first && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
        let key = format!("writeBack.labels.{name}");
        if !sound || name.starts_with("__") {
            found.add(
                &key,
                "is not the name of a label; use letters, digits and `_`, no digit first and no `__`",
            );
        }
        if OURS.contains(&name.as_str()) {
            found.add(
                &key,
                "is a label that every series has already; take another name",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Settings, load_from, show};

    const REST: &str =
        "sources: { default: { kind: prometheus, url: 'http://p' } }\npolicies: { paths: [p] }\n";

    fn load(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let text = format!("{REST}writeBack: {text}\n");
        let variables: Vec<_> = variables
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        load_from(Some(("judge.yaml", &text)), &variables).map_err(|e| e.to_string())
    }

    #[test]
    fn everything_is_read_and_no_secret_is_shown() {
        let settings = load(
            "{ remoteWrite: { url: 'http://p:9090/api/v1/write', auth: { bearer: { file: /run/secret1 } }, headers: { X-Scope-OrgID: shopkey } },
  import: { url: 'https://v/api/v1/import', timeout: 3s }, grafana: { url: 'http://g/sub', token: { env: GRAFANA_SECRET }, dashboardUid: a },
  labels: { cluster: eu } }",
            &[("ROLLOUT_JUDGE__WRITEBACK__IMPORT__TIMEOUT", "4s")],
        )
        .unwrap();
        let back = &settings.write_back;
        assert_eq!(back.import.as_ref().unwrap().timeout.0.as_secs(), 4);
        assert_eq!(back.remote_write.as_ref().unwrap().timeout.0.as_secs(), 10);
        let text = show(&settings);
        for hidden in ["secret1", "shopkey", "GRAFANA_SECRET"] {
            assert!(!text.contains(hidden), "{text}");
        }
        assert!(
            text.contains("http://g/sub") && text.contains("\"cluster\": \"eu\""),
            "{text}"
        );
    }

    #[test]
    fn what_is_refused() {
        for (text, words) in [
            (
                "{ remoteWrite: { url: ftp://p/x } }",
                "writeBack.remoteWrite.url: is not a URL",
            ),
            ("{ remoteWrite: { url: 'http://' } }", "has no host"),
            ("{ remoteWrite: { url: 'http://p:9090' } }", "/api/v1/write"),
            ("{ import: { url: 'http://p:9090/' } }", "/api/v1/import"),
            (
                "{ import: { url: 'http://u:pa55@p/x' } }",
                "writeBack.import.url: must not hold credentials or a query",
            ),
            (
                "{ import: { url: 'http://p/x?key=pa55' } }",
                "writeBack.import.url: must not hold credentials or a query",
            ),
            (
                "{ grafana: { url: 'http://g/?key=pa55', token: { env: X } } }",
                "writeBack.grafana.url: must not hold credentials or a query",
            ),
            (
                "{ import: { url: 'http://p/x', timeout: 1h } }",
                "give 100ms to 5m",
            ),
            (
                "{ import: { url: 'http://p/x', tiemout: 1s } }",
                "did you mean `timeout`?",
            ),
            ("{ grafana: { url: 'http://g' } }", "token"),
            (
                "{ grafana: { url: 'http://g', token: in-clear } }",
                "a secret is never written here",
            ),
            ("{ labels: { 'a-b': c } }", "is not the name of a label"),
            ("{ labels: { __a: c } }", "is not the name of a label"),
            ("{ labels: { rollout: c } }", "take another name"),
            (
                "{ remotewrite: { url: 'http://p/x' } }",
                "did you mean `remoteWrite`?",
            ),
        ] {
            let error = load(text, &[]).unwrap_err();
            assert!(
                error.contains(words) && !error.contains("pa55") && !error.contains("in-clear"),
                "{text}: {error}"
            );
        }
    }
}
