//! The one way to an HTTP client: no redirects, no proxy, no tries of its own.

use super::words::causes;
use reqwest::{Certificate, ClientBuilder, Identity, redirect, retry};
use std::{path::Path, time::Duration};

/// Installs the cryptography of this process; a second call does nothing.
pub fn install_provider() {
    // the error says "already installed", which is what we want
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Whom we trust, and how we show who we are. All PEM files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust<'a> {
    /// Authorities to trust instead of the system's.
    pub ca: Option<&'a Path>,
    /// Our certificate chain and its key.
    pub certificate: Option<(&'a Path, &'a Path)>,
    /// Only plain HTTP is spoken: the system's authorities, which a bare image may lack, are not needed.
    pub plain: bool,
}

/// A file that cannot be read or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` cannot be used: {detail}")]
pub struct ClientError {
    /// The setting at fault.
    pub setting: &'static str,
    /// What is wrong.
    pub detail: String,
}

/// A client that is nearly made. It follows no redirect and asks no proxy.
pub fn client(connect_timeout: Duration, trust: Trust<'_>) -> Result<ClientBuilder, ClientError> {
    install_provider();
    let refuse = |setting, detail| ClientError { setting, detail };
    let read = |setting, path: &Path| {
        std::fs::read(path).map_err(|e| refuse(setting, format!("`{}`: {e}", path.display())))
    };
    let mut client = reqwest::Client::builder()
        .user_agent(concat!("rollout-judge/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .connect_timeout(connect_timeout);
    if let Some(path) = trust.ca {
        let pem = read("ca", path)?;
        let authorities =
            Certificate::from_pem_bundle(&pem).map_err(|e| refuse("ca", causes(e)))?;
        if authorities.is_empty() {
            let detail = format!("`{}` holds no certificate", path.display());
            return Err(refuse("ca", detail));
        }
        client = client.tls_certs_only(authorities);
    } else if trust.plain {
        client = client.tls_certs_only([]);
    }
    if let Some((cert, key)) = trust.certificate {
        let mut pem = read("clientCertificate.cert", cert)?;
        pem.push(b'\n');
        pem.extend(read("clientCertificate.key", key)?);
        let identity =
            Identity::from_pem(&pem).map_err(|e| refuse("clientCertificate", causes(e)))?;
        client = client.identity(identity);
    }
    Ok(client)
}
