//! The settings of `serve`: one struct for each concern.

use super::{
    check::loopback,
    receivers::{AlertSettings, ReceiverSettings, RouteSettings},
    secrets::Secret,
    source::{AnySource, HeaderValue},
    store::StoreSettings,
    units::{HumanBytes, HumanDuration},
    write_back::WriteBackSettings,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The HTTP edge.
    pub server: ServerSettings,
    /// Metric sources by name; policies choose one by `spec.source`.
    pub sources: BTreeMap<String, AnySource>,
    /// Where policies are.
    pub policies: PolicySettings,
    /// Who may call.
    pub auth: AuthSettings,
    /// Logs, traces, metrics.
    pub telemetry: TelemetrySettings,
    /// Evidence kept between calls.
    pub evidence_cache: CacheSettings,
    /// Where verdicts are kept, and for how long.
    pub store: StoreSettings,
    /// Where verdicts are drawn beside the traffic.
    pub write_back: WriteBackSettings,
    /// Not in this version; only `enabled: false`.
    pub kubernetes: KubernetesSettings,
    /// Who can be told, by name; policies and routes name them.
    pub receivers: BTreeMap<String, ReceiverSettings>,
    /// Who is told what, beside what policies say.
    pub routes: Vec<RouteSettings>,
    /// Numbers of telling.
    pub alerts: AlertSettings,
}

/// `server`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServerSettings {
    /// Address and port.
    pub listen: String,
    /// How links in answers begin; `http://` and `listen` where it is absent.
    pub public_url: Option<String>,
    /// Every verdict is answered inside this: 500ms to 30s.
    pub deadline: HumanDuration,
    /// Calls under way at the same time; more are answered with 429.
    pub max_concurrent: usize,
    /// Largest request body.
    pub body_limit: HumanBytes,
    /// Event streams and exports open at the same time; more are answered with 429.
    pub max_streams: usize,
    /// The longest override: 1m to 90d.
    pub max_override: HumanDuration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            public_url: None,
            deadline: HumanDuration(Duration::from_secs(8)),
            max_concurrent: 256,
            body_limit: HumanBytes(64 * 1024),
            max_streams: 64,
            max_override: HumanDuration(Duration::from_hours(7 * 24)),
        }
    }
}

impl ServerSettings {
    /// How links in answers begin.
    pub fn public_url(&self) -> String {
        self.public_url.as_deref().map_or_else(
            || format!("http://{}", self.listen),
            |url| url.trim_end_matches('/').to_owned(),
        )
    }

    /// Can only this machine reach it?
    pub fn on_loopback(&self) -> bool {
        loopback(&self.listen).unwrap_or(false)
    }
}

/// `policies`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PolicySettings {
    /// Files, and folders of `.yaml` and `.yml` files.
    pub paths: Vec<PathBuf>,
    /// How often changes are looked for.
    pub reload: HumanDuration,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            reload: HumanDuration(Duration::from_secs(2)),
        }
    }
}

/// `auth`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuthSettings {
    /// Tokens that may call.
    pub tokens: Vec<TokenSettings>,
    /// Everybody may call although the service does not listen on loopback.
    pub open: bool,
    /// How long a sign-in to the dashboard lasts: 1m to 30d.
    pub session_ttl: HumanDuration,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            open: false,
            session_ttl: HumanDuration(Duration::from_hours(12)),
        }
    }
}

/// One entry of `auth.tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenSettings {
    /// Who holds it; shown in logs.
    pub name: String,
    /// Where it is kept.
    pub token: Secret,
    /// Namespaces that it may ask about; all where it is absent.
    #[serde(default)]
    pub namespaces: Option<Vec<String>>,
    /// May its holder overrule the judge?
    #[serde(default)]
    pub may_override: bool,
}

/// `telemetry`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TelemetrySettings {
    /// Log lines.
    pub log: LogSettings,
    /// Traces; off where it is absent.
    pub otlp: Option<OtlpSettings>,
    /// The metrics page.
    pub metrics: MetricsSettings,
}

/// `telemetry.log`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LogSettings {
    /// How lines look.
    pub format: Format,
    /// Which lines: `info`, or `warn,rollout_judge=debug`.
    pub filter: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: Format::Text,
            filter: "info".to_owned(),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `telemetry.otlp`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OtlpSettings {
    /// Base URL of the collector: `http://otel-collector:4318`.
    pub endpoint: String,
    /// Extra headers.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
    /// Time for one export.
    #[serde(default = "otlp_timeout")]
    pub timeout: HumanDuration,
    /// Share of requests that are traced, 0 to 1.
    #[serde(default = "everything")]
    pub sample: f64,
    /// `service.name` of the spans.
    #[serde(default = "service_name")]
    pub service_name: String,
}

fn otlp_timeout() -> HumanDuration {
    HumanDuration(Duration::from_secs(5))
}

fn everything() -> f64 {
    1.0
}

fn service_name() -> String {
    "rollout-judge".to_owned()
}

/// `telemetry.metrics`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MetricsSettings {
    /// Rollouts whose objectives are shown as gauges at the same time.
    pub max_rollouts: usize,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { max_rollouts: 500 }
    }
}

/// `evidenceCache`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CacheSettings {
    /// Rollouts kept at the same time.
    pub max_rollouts: u64,
    /// Bytes kept.
    pub max_bytes: HumanBytes,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            max_rollouts: 1000,
            max_bytes: HumanBytes(64 << 20),
        }
    }
}

/// `kubernetes`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KubernetesSettings {
    /// Read Rollouts from the API server.
    pub enabled: bool,
}
