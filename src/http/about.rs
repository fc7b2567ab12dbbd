//! What the pages tell about the configuration. No secrets.

use crate::domain::SourceKind;

/// The configured ends of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Metric sources, in order of name.
    pub sources: Vec<SourceAbout>,
    /// Receivers of alerts, in order of name.
    pub receivers: Vec<ReceiverAbout>,
}

impl About {
    /// The source of this name.
    pub fn source(&self, name: &str) -> Option<&SourceAbout> {
        self.sources.iter().find(|source| source.name == name)
    }
}

/// One metric source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAbout {
    /// Its name in the configuration.
    pub name: String,
    /// Which API it speaks.
    pub kind: SourceKind,
    /// Where it is asked, without credentials and query; `None`: it is in this process.
    pub address: Option<String>,
    /// How links for people begin, where it has pages of its own.
    pub link: Option<String>,
}

/// One receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverAbout {
    /// Its name in the configuration.
    pub name: String,
    /// What it is: `slack`. Its address may be a secret.
    pub kind: String,
}
