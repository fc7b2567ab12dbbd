//! The one place that reads the environment.

/// The value of an environment variable, if it is set and is Unicode.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
