//! TLS: the cryptography of this process, trusted authorities, our certificate.

use super::error::{BuildError, causes};
use crate::config::source::SourceSettings;
use reqwest::{Certificate, Client, Identity, Url, redirect, retry};
use std::path::Path;

/// Connections kept for the next queries: each keeps a buffer of the size of its largest answer.
const IDLE: usize = 32;

/// Installs the cryptography of this process; a second call does nothing.
pub fn install_provider() {
    // the error says "already installed", which is what we want
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// The HTTP client of one source. It follows no redirect and asks no proxy.
pub(super) fn client(
    name: &str,
    url: &Url,
    settings: &SourceSettings,
) -> Result<Client, BuildError> {
    install_provider();
    let refuse = |setting: &str, detail: String| BuildError::Certificate {
        name: name.to_owned(),
        setting: setting.to_owned(),
        detail,
    };
    let read = |setting: &str, path: &Path| {
        std::fs::read(path).map_err(|e| refuse(setting, format!("`{}`: {e}", path.display())))
    };
    let mut client = Client::builder()
        .user_agent(concat!("rollout-judge/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .gzip(settings.compression)
        .pool_max_idle_per_host(IDLE)
        .connect_timeout(settings.connect_timeout.0);
    if let Some(path) = &settings.ca {
        let pem = read("ca", path)?;
        let authorities =
            Certificate::from_pem_bundle(&pem).map_err(|e| refuse("ca", causes(e)))?;
        if authorities.is_empty() {
            let detail = format!("`{}` holds no certificate", path.display());
            return Err(refuse("ca", detail));
        }
        client = client.tls_certs_only(authorities);
    } else if url.scheme() == "http" {
        // no need of the system's authorities, which a bare image may lack
        client = client.tls_certs_only([]);
    }
    if let Some(pair) = &settings.client_certificate {
        let mut pem = read("clientCertificate.cert", &pair.cert)?;
        pem.push(b'\n');
        pem.extend(read("clientCertificate.key", &pair.key)?);
        let identity =
            Identity::from_pem(&pem).map_err(|e| refuse("clientCertificate", causes(e)))?;
        client = client.identity(identity);
    }
    client.build().map_err(|e| refuse("url", causes(e)))
}
