//! One metric source.

use super::{
    error::{carried, carry},
    scrape::ScrapeSettings,
    secrets::Secret,
    units::{HumanBytes, HumanDuration},
};
use crate::domain::SourceKind;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// One entry of `sources`: its keys depend on its `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum AnySource {
    /// A database that is asked.
    Api(Box<SourceSettings>),
    /// Targets that we scrape ourselves.
    Scrape(Box<ScrapeSettings>),
}

impl AnySource {
    /// The database, if it is one.
    pub fn api(&self) -> Option<&SourceSettings> {
        match self {
            Self::Api(settings) => Some(settings),
            Self::Scrape(_) => None,
        }
    }

    /// The scraper, if it is one.
    pub fn scrape(&self) -> Option<&ScrapeSettings> {
        match self {
            Self::Api(_) => None,
            Self::Scrape(settings) => Some(settings),
        }
    }

    /// Headers and credentials that are sent.
    pub fn shown(&self) -> (&BTreeMap<String, HeaderValue>, Option<&Auth>) {
        match self {
            Self::Api(settings) => (&settings.headers, settings.auth.as_ref()),
            Self::Scrape(settings) => (&settings.headers, settings.auth.as_ref()),
        }
    }
}

impl<'de> Deserialize<'de> for AnySource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // the kind may stand anywhere, so everything is read before the shape is chosen
        let tree = config::Value::deserialize(deserializer)?;
        let kind = match &tree.kind {
            config::ValueKind::Table(keys) => keys.get("kind"),
            _ => None,
        };
        let kind = kind.map(ToString::to_string);
        let read = match kind.as_deref() {
            Some("scrape") => ScrapeSettings::deserialize(tree).map(|s| Self::Scrape(Box::new(s))),
            None | Some("victoriametrics" | "prometheus") => {
                SourceSettings::deserialize(tree).map(|s| Self::Api(Box::new(s)))
            }
            // before any key that only the right kind has
            Some(kind) => {
                let words = format!("does not have variant constructor {kind}");
                return Err(D::Error::custom(carried("kind", &words)));
            }
        };
        read.map_err(|error| D::Error::custom(carry(&error)))
    }
}

/// One entry of `sources` that is a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceSettings {
    /// Which API it speaks.
    pub kind: Kind,
    /// Where it is; may have a path, such as `/select/0/prometheus`. `/api/v1/query` is appended.
    pub url: String,
    /// Where people open it in a browser: links of the dashboard begin so. Absent: `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Further request headers, for example a tenant's `X-Scope-OrgID`.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
    /// How we show who we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Certificate authorities (PEM) to trust instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Our certificate, where the source asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
    /// One try of one query may take this long.
    #[serde(default = "timeout")]
    pub timeout: HumanDuration,
    /// A connection must be there after this long.
    #[serde(default = "connect_timeout")]
    pub connect_timeout: HumanDuration,
    /// Queries in flight at once; more wait, inside their deadline. A poll is one small query per selector.
    #[serde(default = "max_concurrent")]
    pub max_concurrent: usize,
    /// Largest answer, after decompression.
    #[serde(default = "max_bytes")]
    pub max_bytes: HumanBytes,
    /// Most series in one answer.
    #[serde(default = "max_series")]
    pub max_series: u64,
    /// Labels that only tell replicas of the collector apart: not those of pods, arms, metrics or buckets.
    #[serde(default)]
    pub replica_labels: Vec<String>,
    /// Ask for gzip. For slow networks: near the database it costs both sides more time than it saves.
    #[serde(default)]
    pub compression: bool,
    /// Further tries after a broken connection, a 5xx or a 429: at most 10.
    #[serde(default = "retries")]
    pub retries: usize,
}

/// The API that a source speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// VictoriaMetrics, single node or cluster.
    VictoriaMetrics,
    /// Prometheus, or something that speaks exactly its API.
    Prometheus,
}

impl From<Kind> for SourceKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::VictoriaMetrics => Self::VictoriaMetrics,
            Kind::Prometheus => Self::Prometheus,
        }
    }
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a header's value is a string, `{ file: PATH }` or `{ env: NAME }`"
)]
pub enum HeaderValue {
    /// Sent as written.
    Literal(String),
    /// Read when it is sent.
    Secret(Secret),
}

impl HeaderValue {
    /// The secret, where it is one.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Secret(secret) => Some(secret),
            Self::Literal(_) => None,
        }
    }
}

/// How we show who we are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Auth {
    /// `Authorization: Bearer`, with a token that may be rotated.
    Bearer(Secret),
    /// `Authorization: Basic`.
    Basic(Basic),
}

/// User name and password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basic {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// A certificate and its key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientCertificate {
    /// The certificate chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl SourceSettings {
    /// A source with every default.
    pub fn new(kind: Kind, url: impl Into<String>) -> Self {
        Self {
            kind,
            url: url.into(),
            public_url: None,
            headers: BTreeMap::new(),
            auth: None,
            ca: None,
            client_certificate: None,
            timeout: timeout(),
            connect_timeout: connect_timeout(),
            max_concurrent: max_concurrent(),
            max_bytes: max_bytes(),
            max_series: max_series(),
            replica_labels: Vec::new(),
            compression: false,
            retries: retries(),
        }
    }
}

impl SourceSettings {
    /// Where it is asked, in words: never with a user name, a password or a query.
    pub fn address(&self) -> String {
        bare(&self.url)
    }

    /// How links for people begin: as careful.
    pub fn link(&self) -> String {
        bare(self.public_url.as_deref().unwrap_or(&self.url))
    }
}

fn bare(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return String::new();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", path.trim_end_matches('/'))
}

fn timeout() -> HumanDuration {
    HumanDuration(Duration::from_secs(5))
}

fn connect_timeout() -> HumanDuration {
    HumanDuration(Duration::from_secs(2))
}

fn max_concurrent() -> usize {
    96
}

fn max_bytes() -> HumanBytes {
    HumanBytes(256 << 20)
}

fn max_series() -> u64 {
    20_000
}

fn retries() -> usize {
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_has_every_default() {
        let text = "{ kind: victoriametrics, url: http://127.0.0.1:8428 }";
        let read: SourceSettings = serde_saphyr::from_str(text).unwrap();
        let made = SourceSettings::new(Kind::VictoriaMetrics, "http://127.0.0.1:8428");
        assert_eq!(read, made);
    }

    #[test]
    fn links_hold_no_secret() {
        for (url, public, expected) in [
            ("http://vm:8428/", None, "http://vm:8428"),
            (
                "https://ann:pw@vm.example.org/select/0/prometheus/?key=1#x",
                None,
                "https://vm.example.org/select/0/prometheus",
            ),
            ("http://u:p@x@vm/a@b", None, "http://vm/a@b"),
            (
                "http://vm:8428",
                Some("https://metrics.example.org/vm/"),
                "https://metrics.example.org/vm",
            ),
        ] {
            let mut source = SourceSettings::new(Kind::VictoriaMetrics, url);
            source.public_url = public.map(str::to_owned);
            assert_eq!(source.link(), expected);
        }
    }

    #[test]
    fn the_long_form() {
        let text = "
kind: prometheus
url: https://thanos.example.org/prometheus
publicUrl: https://metrics.example.org
headers: { X-Scope-OrgID: shop, X-Key: { env: KEY } }
auth: { basic: { username: judge, password: { file: /run/secret } } }
ca: /etc/ca.pem
clientCertificate: { cert: /c.pem, key: /k.pem }
timeout: 1m30s
connectTimeout: 250ms
maxConcurrent: 4
maxBytes: 64MiB
maxSeries: 10
replicaLabels: [replica]
compression: true
retries: 0
";
        let read: SourceSettings = serde_saphyr::from_str(text).unwrap();
        assert_eq!(read.timeout.0, Duration::from_secs(90));
        assert_eq!(read.max_bytes.0, 64 << 20);
        assert!(matches!(read.auth, Some(Auth::Basic(_))));
        assert!(matches!(
            read.headers.get("X-Key"),
            Some(HeaderValue::Secret(_))
        ));
        assert!(!format!("{read:?}").contains("/run/secret"));
    }

    #[test]
    fn what_is_refused() {
        for bad in [
            "{ kind: influx, url: x }",
            "{ kind: prometheus }",
            "{ kind: prometheus, url: x, timout: 5s }",
            "{ kind: prometheus, url: x, timeout: 5 }",
            "{ kind: prometheus, url: x, auth: { bearer: in-clear } }",
            "{ kind: prometheus, url: x, headers: { a: { value: b } } }",
        ] {
            assert!(
                serde_saphyr::from_str::<SourceSettings>(bad).is_err(),
                "{bad}"
            );
        }
    }
}
