//! Pods, listed from the API server with the service account's token.

use super::{PATIENCE, group::Group, http::body, pods};
use crate::{
    config::{env, scrape::PodSettings, secrets::Secret},
    net::{self, Trust, causes},
};
use reqwest::{Client, Url, header};
use secrecy::ExposeSecret;

/// The way to one API server.
pub(super) struct Cluster {
    settings: PodSettings,
    /// The client, and the authority that it trusts: a rotated one makes a new client.
    client: Option<(Vec<u8>, Client)>,
}

impl Cluster {
    pub(super) fn new(settings: PodSettings) -> Self {
        Self {
            settings,
            client: None,
        }
    }

    /// Lists the pods anew.
    pub(super) async fn look(&mut self) -> Result<Vec<Group>, String> {
        let server = self.server()?;
        let client = self.client(&server)?;
        let token = Secret::File(self.settings.token_file.clone())
            .read()
            .map_err(|error| error.to_string())?;
        let mut groups = Vec::new();
        for namespace in self.namespaces()? {
            let url = self.address(&server, &namespace)?;
            let request = client
                .get(url)
                .bearer_auth(token.expose_secret())
                .header(header::ACCEPT, "application/json")
                .timeout(PATIENCE);
            let body = body(request).await.map_err(|why| {
                format!("pods of namespace `{namespace}` cannot be listed: {why}")
            })?;
            groups.extend(pods::groups(&body, &self.settings)?);
        }
        Ok(groups)
    }

    fn server(&self) -> Result<String, String> {
        if let Some(server) = &self.settings.api_server {
            return Ok(server.trim_end_matches('/').to_owned());
        }
        let known = env::var("KUBERNETES_SERVICE_HOST").zip(env::var("KUBERNETES_SERVICE_PORT"));
        let (host, port) = known.ok_or(
            "this is not a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; give `apiServer`",
        )?;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host
        };
        Ok(format!("https://{host}:{port}"))
    }

    fn client(&mut self, server: &str) -> Result<Client, String> {
        let plain = server.starts_with("http://");
        let ca = if plain {
            Vec::new()
        } else {
            let path = &self.settings.ca_file;
            std::fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))?
        };
        if let Some((_, client)) = self.client.as_ref().filter(|(known, _)| *known == ca) {
            return Ok(client.clone());
        }
        let trust = Trust {
            ca: (!plain).then_some(self.settings.ca_file.as_path()),
            certificate: None,
            plain,
        };
        let client = net::client(PATIENCE, trust)
            .map_err(|error| error.to_string())?
            .gzip(true)
            .build()
            .map_err(causes)?;
        self.client = Some((ca, client.clone()));
        Ok(client)
    }

    /// Those of the settings, or our own.
    fn namespaces(&self) -> Result<Vec<String>, String> {
        if !self.settings.namespaces.is_empty() {
            return Ok(self.settings.namespaces.clone());
        }
        let path = self.settings.token_file.with_file_name("namespace");
        let own = std::fs::read_to_string(&path)
            .map_err(|error| format!("`{}`: {error}; give `namespaces`", path.display()))?;
        Ok(vec![own.trim().to_owned()])
    }

    fn address(&self, server: &str, namespace: &str) -> Result<Url, String> {
        let mut url = Url::parse(server).map_err(|error| format!("`{server}`: {error}"))?;
        {
            let mut path = url
                .path_segments_mut()
                .map_err(|()| format!("`{server}` is not a URL"))?;
            path.pop_if_empty().extend(["api", "v1"]);
            if namespace != "*" {
                path.extend(["namespaces", namespace]);
            }
            path.push("pods");
        }
        let mut query = url.query_pairs_mut();
        // from the API server's memory, not from its database
        query.append_pair("resourceVersion", "0");
        if let Some(selector) = &self.settings.label_selector {
            query.append_pair("labelSelector", selector);
        }
        drop(query);
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let cluster = Cluster::new(PodSettings {
            label_selector: Some("app in (a,b),x!=y".to_owned()),
            ..PodSettings::default()
        });
        let address = |server, namespace| cluster.address(server, namespace).unwrap().to_string();
        let query = "resourceVersion=0&labelSelector=app+in+%28a%2Cb%29%2Cx%21%3Dy";
        assert_eq!(
            address("https://a:1", "shop"),
            format!("https://a:1/api/v1/namespaces/shop/pods?{query}")
        );
        assert_eq!(
            address("https://a/k8s/", "*"),
            format!("https://a/k8s/api/v1/pods?{query}")
        );
        assert!(address("https://a", "../x").contains("/namespaces/..%2Fx/pods"));
    }
}
