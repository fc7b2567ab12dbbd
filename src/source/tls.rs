//! The HTTP client of one source.

use super::error::BuildError;
use crate::{
    config::source::SourceSettings,
    net::{self, ClientError, Trust, causes},
};
use reqwest::{Client, Url};

pub use net::install_provider;

/// Connections kept for the next queries: each keeps a buffer of the size of its largest answer.
const IDLE: usize = 32;

/// It follows no redirect and asks no proxy.
pub(super) fn client(
    name: &str,
    url: &Url,
    settings: &SourceSettings,
) -> Result<Client, BuildError> {
    let refuse = |setting: &str, detail: String| BuildError::Certificate {
        name: name.to_owned(),
        setting: setting.to_owned(),
        detail,
    };
    let trust = Trust {
        ca: settings.ca.as_deref(),
        certificate: settings
            .client_certificate
            .as_ref()
            .map(|pair| (pair.cert.as_path(), pair.key.as_path())),
        plain: url.scheme() == "http",
    };
    net::client(settings.connect_timeout.0, trust)
        .map_err(|ClientError { setting, detail }| refuse(setting, detail))?
        .gzip(settings.compression)
        .pool_max_idle_per_host(IDLE)
        .build()
        .map_err(|e| refuse("url", causes(e)))
}
