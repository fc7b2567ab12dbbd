//! What the pages tell about the configuration. No secrets.

/// The configured ends of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Metric sources, in order of name.
    pub sources: Vec<SourceAbout>,
    /// Receivers of alerts, in order of name.
    pub receivers: Vec<ReceiverAbout>,
}

/// One metric source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAbout {
    /// Its name in the configuration.
    pub name: String,
    /// Which API it speaks.
    pub kind: String,
    /// Where it is, without credentials and query.
    pub url: String,
}

/// One receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverAbout {
    /// Its name in the configuration.
    pub name: String,
    /// What it is: `slack`. Its address may be a secret.
    pub kind: String,
}

impl SourceAbout {
    /// A source of our own: it scrapes its targets itself.
    pub fn own(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: "scrape".to_owned(),
            url: "in this process".to_owned(),
        }
    }

    /// A source; user, password, query and fragment of the URL are left out.
    pub fn new(name: &str, kind: &str, url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let host = authority.rsplit('@').next().unwrap_or_default();
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            url: format!("{scheme}://{host}{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_left_out() {
        for (url, shown) in [
            ("http://vm:8428", "http://vm:8428"),
            (
                "https://u:p@vm/select/0/prometheus?token=x#y",
                "https://vm/select/0/prometheus",
            ),
            ("http://u:p@x@vm/a@b", "http://vm/a@b"),
        ] {
            assert_eq!(SourceAbout::new("a", "prometheus", url).url, shown);
        }
    }
}
