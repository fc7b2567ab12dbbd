//! Annotations of Grafana: transitions, fails, overrides.

use super::{BuildError, Item, SendError, Target, client::Http};
use crate::{
    config::{source::Auth, write_back::GrafanaSettings},
    domain::{Event, EventKind, ports::BoxFuture},
};
use reqwest::{Method, Url};
use serde::Serialize;
use std::collections::BTreeMap;

/// Grafana keeps tags of this many characters.
const TAG: usize = 100;

/// A Grafana.
pub struct Grafana {
    http: Http,
    annotations: Url,
    dashboard: Option<String>,
    labels: BTreeMap<String, String>,
    public_url: String,
}

#[derive(Serialize)]
struct Annotation<'a> {
    #[serde(rename = "dashboardUID", skip_serializing_if = "Option::is_none")]
    dashboard: Option<&'a str>,
    time: i64,
    tags: Vec<String>,
    text: String,
}

impl Grafana {
    /// A Grafana; `labels` become tags, links begin with `public_url`.
    pub fn new(
        settings: &GrafanaSettings,
        labels: &BTreeMap<String, String>,
        public_url: &str,
    ) -> Result<Self, BuildError> {
        let http = Http::new(
            "grafana",
            &settings.url,
            Some(Auth::Bearer(settings.token.clone())),
            BTreeMap::new(),
            (settings.ca.as_ref(), settings.timeout.0),
        )?;
        let mut annotations = http.url.clone();
        let path = annotations.path().trim_end_matches('/').to_owned();
        annotations.set_path(&format!("{path}/api/annotations"));
        annotations.set_query(None);
        Ok(Self {
            http,
            annotations,
            dashboard: settings.dashboard_uid.clone(),
            labels: labels.clone(),
            public_url: public_url.trim_end_matches('/').to_owned(),
        })
    }

    fn annotation(&self, event: &Event) -> Annotation<'_> {
        let named = [
            ("namespace", &event.namespace),
            ("rollout", &event.rollout),
            ("policy", &event.policy),
            ("canary", &event.canary_hash),
        ];
        let named = named.into_iter().filter(|(_, value)| !value.is_empty());
        let labels = self.labels.iter().map(|(n, v)| (n.as_str(), v));
        let mut tags = vec!["rollout-judge".to_owned(), event.kind.as_str().to_owned()];
        tags.extend(event.outcome.map(|outcome| outcome.as_str().to_owned()));
        tags.extend(named.chain(labels).map(|(name, value)| {
            let tag = format!("{name}:{value}");
            tag.chars().take(TAG).collect()
        }));
        tags.push(mark(event));
        Annotation {
            dashboard: self.dashboard.as_deref(),
            time: event.at,
            tags,
            text: self.text(event),
        }
    }

    /// Grafana shows it as HTML.
    fn text(&self, event: &Event) -> String {
        let mut text = format!(
            "{}/{} {}",
            event.namespace,
            event.rollout,
            event.kind.as_str()
        );
        if event.namespace.is_empty() {
            text = format!("{} {}", event.rollout, event.kind.as_str());
        }
        if let Some(author) = &event.author {
            text = format!("{text} by {author}");
        }
        if !event.reason.is_empty() {
            text = format!("{text}: {}", event.told());
        }
        let text = escaped(&text);
        match event.verdict {
            Some(id) => format!(
                "{text}\n<a href=\"{}/verdicts/{id}\">verdict</a>",
                escaped(&self.public_url)
            ),
            None => text,
        }
    }

    /// Is it there already? A try whose answer was lost, another replica, or a restart may have written it.
    async fn known(&self, event: &Event) -> Result<bool, SendError> {
        let mut url = self.annotations.clone();
        url.query_pairs_mut()
            .append_pair("tags", &mark(event))
            .append_pair("limit", "1");
        let found = self.http.call(Method::GET, url, |request| request).await?;
        let found: Result<Vec<serde_json::Value>, _> = serde_json::from_slice(&found);
        found
            .map(|found| !found.is_empty())
            .map_err(|error| SendError::Later {
                detail: format!("its list of annotations cannot be read: {error}"),
                after: None,
            })
    }

    async fn annotate(&self, event: &Event) -> Result<u64, SendError> {
        if self.known(event).await? {
            return Ok(0);
        }
        let body = serde_json::to_vec(&self.annotation(event)).unwrap_or_default();
        self.http
            .call(Method::POST, self.annotations.clone(), |request| {
                request
                    .header("content-type", "application/json")
                    .body(body)
            })
            .await?;
        Ok(1)
    }
}

/// The tag that only this event has.
fn mark(event: &Event) -> String {
    format!("rollout-judge-event:{}", event.id)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

impl Target for Grafana {
    fn name(&self) -> &'static str {
        "grafana"
    }

    fn wants(&self, event: &Event) -> bool {
        !matches!(
            event.kind,
            EventKind::Verdict | EventKind::Delivered | EventKind::DeadLetter
        )
    }

    fn most(&self) -> usize {
        1
    }

    fn send<'a>(&'a self, items: &'a [Item]) -> BoxFuture<'a, Result<u64, SendError>> {
        Box::pin(async move {
            let mut count = 0;
            for item in items {
                count += self.annotate(&item.event).await?;
            }
            Ok(count)
        })
    }
}
