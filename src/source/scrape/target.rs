//! What is scraped: an address, and the labels that its series get.

use crate::{
    config::scrape::ScrapeSettings,
    domain::{Labels, LabelsDigest},
};
use reqwest::Url;
use std::{collections::BTreeMap, time::Duration};

/// One target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    labels: Labels,
}

/// An address that cannot be scraped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is no target: {detail}")]
pub struct TargetError {
    /// As it was given.
    pub address: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Target {
    /// From `HOST:PORT` or a whole URL, and labels. As for Prometheus, `__scheme__` and `__metrics_path__` change the
    /// address, `__param_NAME` adds to its query, other labels with `__` in front are left out; `job` and `instance` are added.
    pub fn new(
        address: &str,
        labels: &BTreeMap<String, String>,
        job: &str,
        settings: &ScrapeSettings,
    ) -> Result<Self, TargetError> {
        let refuse = |detail: String| TargetError {
            address: address.chars().take(200).collect(),
            detail,
        };
        let whole = address.starts_with("http://") || address.starts_with("https://");
        let text = if whole {
            address.to_owned()
        } else {
            if address.is_empty() || address.contains(['/', '?', '#', '@', ' ']) {
                return Err(refuse("give `HOST:PORT` or a whole URL".to_owned()));
            }
            let scheme = labels
                .get("__scheme__")
                .map_or(settings.scheme.as_str(), String::as_str);
            let path = labels
                .get("__metrics_path__")
                .unwrap_or(&settings.metrics_path);
            format!("{scheme}://{address}{path}")
        };
        let mut url = Url::parse(&text).map_err(|error| refuse(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(refuse("must be `http` or `https`".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("must not hold credentials".to_owned()));
        }
        if whole && url.path() == "/" {
            url.set_path(&settings.metrics_path);
        }
        for (name, value) in labels {
            if let Some(parameter) = name.strip_prefix("__param_") {
                url.query_pairs_mut().append_pair(parameter, value);
            }
        }
        let port = url.port_or_known_default().unwrap_or_default();
        let instance = format!("{}:{port}", url.host_str().unwrap_or_default());
        let given = labels
            .iter()
            .filter(|(name, value)| !name.starts_with("__") && !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let own = [("job", job), ("instance", instance.as_str())];
        Ok(Self {
            labels: Labels::new(own.into_iter().chain(given)),
            url,
        })
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What its series get.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Tells targets apart: address and labels.
    pub(super) fn key(&self) -> (String, Labels) {
        (self.url.to_string(), self.labels.clone())
    }

    /// How far into each interval it is scraped, so that not all are scraped at once.
    pub(super) fn offset(&self, interval: Duration) -> Duration {
        let text = format!("{}{}", self.url, self.labels);
        let spread = LabelsDigest::of(text.as_bytes()).fraction();
        interval.mul_f64(spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let settings = ScrapeSettings::default();
        let labels = |pairs: &[(&str, &str)]| {
            let owned = pairs
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
            owned.collect::<BTreeMap<_, _>>()
        };
        for (address, given, url, instance) in [
            ("a:1", &[][..], "http://a:1/metrics", "a:1"),
            ("a", &[], "http://a/metrics", "a:80"),
            ("[::1]:9", &[], "http://[::1]:9/metrics", "[::1]:9"),
            ("https://a/x", &[], "https://a/x", "a:443"),
            ("http://a:1", &[], "http://a:1/metrics", "a:1"),
            (
                "a:1",
                &[
                    ("__scheme__", "https"),
                    ("__metrics_path__", "/m"),
                    ("__param_q", "1 2"),
                ],
                "https://a:1/m?q=1+2",
                "a:1",
            ),
            (
                "a:1",
                &[("instance", "pod-1")],
                "http://a:1/metrics",
                "pod-1",
            ),
        ] {
            let target = Target::new(address, &labels(given), "j", &settings).unwrap();
            assert_eq!(target.url().as_str(), url);
            assert_eq!(target.labels().get("instance"), Some(instance));
            assert_eq!(target.labels().get("job"), Some("j"));
            assert!(
                target
                    .labels()
                    .iter()
                    .all(|(name, _)| !name.starts_with("__"))
            );
            let offset = target.offset(Duration::from_secs(5));
            assert!(offset < Duration::from_secs(5));
        }
        for address in [
            "",
            "a/b",
            "ftp://a",
            "u:p@a:1",
            "http://u:p@a",
            "a:b:c",
            "a b",
        ] {
            let made = Target::new(address, &BTreeMap::new(), "j", &settings);
            assert!(made.is_err(), "{address}: {made:?}");
        }
    }
}
