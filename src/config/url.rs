//! Addresses that are written in clear.

/// An address in clear holds neither a password nor a query, which often is one; `cure` says what to do instead.
pub fn plain(url: &str, cure: &'static str) -> Result<(), &'static str> {
    let Some((_, rest)) = url
        .split_once("://")
        .filter(|(scheme, _)| ["http", "https"].contains(scheme))
    else {
        return Err("is not a URL; begin with `http://` or `https://`");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err("has no host; give for example `https://judge.example.org`");
    }
    if authority.contains('@') || rest.contains(['?', '#']) {
        return Err(cure);
    }
    Ok(())
}
