//! A metric source that scrapes by itself: `kind: scrape`. Names are those of Prometheus' configuration.

use super::{
    source::{Auth, ClientCertificate, HeaderValue},
    units::{HumanBytes, HumanDuration},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// One entry of `sources` with `kind: scrape`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScrapeSettings {
    /// Always `scrape`.
    pub kind: ScrapeKind,
    /// Distance of two scrapes of one target.
    #[serde(default = "scrape_interval")]
    pub scrape_interval: HumanDuration,
    /// One scrape may take this long; where it is absent, the interval, and at most 10s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_timeout: Option<HumanDuration>,
    /// The `job` label; where it is absent, the name of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
    /// For targets that do not say.
    #[serde(default)]
    pub scheme: Scheme,
    /// For targets that do not say.
    #[serde(default = "metrics_path")]
    pub metrics_path: String,
    /// Where a target's own label has the name of one of ours: keep the target's? Else it becomes `exported_NAME`.
    #[serde(default)]
    pub honor_labels: bool,
    /// Use the timestamps that targets give?
    #[serde(default = "yes")]
    pub honor_timestamps: bool,
    /// Further request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
    /// How we show targets who we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Certificate authorities (PEM) to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Our certificate, where targets ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
    /// Samples are kept this long.
    #[serde(default = "retention")]
    pub retention: HumanDuration,
    /// Most samples kept, of all targets.
    #[serde(default = "max_samples")]
    pub max_samples: u64,
    /// Most series kept, of all targets.
    #[serde(default = "max_series")]
    pub max_series: u64,
    /// Most targets; a longer list is refused as a whole.
    #[serde(default = "target_limit")]
    pub target_limit: usize,
    /// Most samples in one scrape; a scrape with more is refused as a whole.
    #[serde(default = "sample_limit")]
    pub sample_limit: usize,
    /// Largest answer of a target, after decompression.
    #[serde(default = "body_size_limit")]
    pub body_size_limit: HumanBytes,
    /// Targets that are known.
    #[serde(default, rename = "static")]
    pub targets: Vec<StaticTargets>,
    /// Targets that are found.
    #[serde(default)]
    pub discovery: DiscoverySettings,
}

/// The one kind of this shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScrapeKind {
    /// Scrapes targets itself and keeps their samples in memory.
    #[default]
    Scrape,
}

/// How a target is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// In clear.
    #[default]
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// One entry of `static`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StaticTargets {
    /// `HOST:PORT`, or a whole URL.
    pub targets: Vec<String>,
    /// Added to all their series.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// `discovery`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DiscoverySettings {
    /// How often targets are looked for.
    pub refresh_interval: HumanDuration,
    /// Addresses that answer `[{"targets": [..], "labels": {..}}]`.
    pub http: Vec<String>,
    /// Files with the same, as JSON or YAML.
    pub file: Vec<PathBuf>,
    /// Pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<PodSettings>,
}

impl Default for DiscoverySettings {
    fn default() -> Self {
        Self {
            refresh_interval: HumanDuration(Duration::from_secs(15)),
            http: Vec::new(),
            file: Vec::new(),
            kubernetes: None,
        }
    }
}

/// `discovery.kubernetes`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PodSettings {
    /// Where pods are looked for; the service's own namespace where it is empty.
    pub namespaces: Vec<String>,
    /// Only pods with these labels: `app=shop,tier!=batch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<String>,
    /// Only pods annotated `prometheus.io/scrape: "true"`; pods annotated `"false"` are never scraped.
    pub annotated_only: bool,
    /// Number or name of the port, where no annotation `prometheus.io/port` says; else every declared TCP port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<PodPort>,
    /// The API server; in a pod it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_server: Option<String>,
    /// The token of the service account, read at each request.
    pub token_file: PathBuf,
    /// The authority of the API server.
    pub ca_file: PathBuf,
}

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

impl Default for PodSettings {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            label_selector: None,
            annotated_only: false,
            port: None,
            api_server: None,
            token_file: PathBuf::from(ACCOUNT).join("token"),
            ca_file: PathBuf::from(ACCOUNT).join("ca.crt"),
        }
    }
}

/// A port of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a port is a number or a name")]
pub enum PodPort {
    /// Whether the pod declares it or not.
    Number(u16),
    /// As the pod declares it.
    Name(String),
}

impl Default for ScrapeSettings {
    fn default() -> Self {
        Self {
            kind: ScrapeKind::Scrape,
            scrape_interval: scrape_interval(),
            scrape_timeout: None,
            job_name: None,
            scheme: Scheme::Http,
            metrics_path: metrics_path(),
            honor_labels: false,
            honor_timestamps: true,
            headers: BTreeMap::new(),
            auth: None,
            ca: None,
            client_certificate: None,
            retention: retention(),
            max_samples: max_samples(),
            max_series: max_series(),
            target_limit: target_limit(),
            sample_limit: sample_limit(),
            body_size_limit: body_size_limit(),
            targets: Vec::new(),
            discovery: DiscoverySettings::default(),
        }
    }
}

impl ScrapeSettings {
    /// Time for one scrape.
    pub fn timeout(&self) -> Duration {
        let usual = self.scrape_interval.0.min(Duration::from_secs(10));
        self.scrape_timeout.map_or(usual, |t| t.0)
    }
}

fn scrape_interval() -> HumanDuration {
    HumanDuration(Duration::from_secs(5))
}

fn metrics_path() -> String {
    "/metrics".to_owned()
}

fn yes() -> bool {
    true
}

fn retention() -> HumanDuration {
    HumanDuration(Duration::from_hours(3))
}

fn max_samples() -> u64 {
    10_000_000
}

fn max_series() -> u64 {
    100_000
}

fn target_limit() -> usize {
    500
}

fn sample_limit() -> usize {
    20_000
}

fn body_size_limit() -> HumanBytes {
    HumanBytes(16 << 20)
}
