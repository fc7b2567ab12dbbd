//! The one place that reads the environment.

/// The value of an environment variable, if it is set and is Unicode.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Every variable whose name begins with `prefix`, in order of name. Values that are not Unicode are left out.
pub fn vars(prefix: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(prefix))
        .collect();
    found.sort();
    found
}

/// The running program, by its path or at least by its name.
pub fn program() -> String {
    let path = std::env::current_exe();
    path.map_or_else(
        |_| "rollout-judge".to_owned(),
        |path| path.display().to_string(),
    )
}
