//! What a request may hold. Everything here is in the documentation and in `/openapi.json`.

/// Most entries of `params`.
pub const MAX_PARAMS: usize = 32;
/// Longest value of a `params` entry, in characters.
pub const MAX_PARAM_VALUE: usize = 256;
/// Longest name of a `params` entry, in characters.
pub const MAX_PARAM_NAME: usize = 64;
/// Longest pod-template hash, in characters.
pub const MAX_HASH: usize = 63;
/// Longest namespace, in characters (DNS-1123 label).
pub const MAX_NAMESPACE: usize = 63;
/// Longest name of a Rollout or policy, in characters (DNS-1123 subdomain).
pub const MAX_NAME: usize = 253;
/// `at` may be this far ahead of our clock, in milliseconds.
pub const CLOCK_TOLERANCE: i64 = 2_000;
/// Largest Unix time in seconds that is taken; more is likely milliseconds.
pub const MAX_UNIX_SECONDS: f64 = 99_999_999_999.0;
/// Longest `reason`, in characters.
pub const MAX_REASON: usize = 200;
/// The edge answers 503 this long after the deadline, if the service has not answered by then.
pub const BACKSTOP: std::time::Duration = std::time::Duration::from_millis(500);

/// A silent stream of events gets a comment this often.
pub const HEARTBEAT: std::time::Duration = std::time::Duration::from_secs(15);

/// Is this a DNS-1123 label?
pub fn is_dns_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NAMESPACE
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Is this a DNS-1123 subdomain: labels with dots between?
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.split('.').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        })
}

/// Is this a pod-template hash?
pub fn is_hash(text: &str) -> bool {
    (1..=MAX_HASH).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Is this the name of a policy variable?
pub fn is_param_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= MAX_PARAM_NAME
        && bytes
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
