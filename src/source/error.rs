//! Why a source cannot be made from its settings.

/// Why a source cannot be made from its settings. `Display` never holds credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// `url` is not an HTTP address without credentials.
    #[error("metric source `{name}`: `url` {detail}")]
    Url {
        /// Name in the configuration.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// A setting that cannot be.
    #[error("metric source `{name}`: `{setting}` {detail}")]
    Setting {
        /// Name in the configuration.
        name: String,
        /// The setting.
        setting: String,
        /// What is wrong.
        detail: String,
    },
    /// A certificate or key that cannot be read or used.
    #[error("metric source `{name}`: `{setting}` cannot be used: {detail}")]
    Certificate {
        /// Name in the configuration.
        name: String,
        /// The setting.
        setting: String,
        /// What is wrong.
        detail: String,
    },
}
