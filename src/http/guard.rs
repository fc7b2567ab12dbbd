//! Does a request that changes something come from where it says? Browsers send what any page tells them to.

use super::problem::Problem;
use axum::http::{HeaderMap, Method, Uri, header};

/// Refuses what a page of another site sent: by `Sec-Fetch-Site`, else by `Origin`; without either it is refused.
pub fn sent_by_own_page(headers: &HeaderMap, uri: &Uri, public_url: &str) -> Result<(), Problem> {
    let refused = |why: &str| {
        Err(Problem::new(
            "cross-site",
            format!("{why}; open the page of this service itself and send the form again"),
        ))
    };
    let origin = word(headers, header::ORIGIN.as_str());
    let own = |origin: &str| {
        let host = authority(origin);
        host.is_some() && (host == host_of(headers, uri) || host == authority(public_url))
    };
    match (word(headers, "sec-fetch-site"), origin) {
        (Some("same-origin"), Some("null")) => refused("the form has no origin"),
        (Some("same-origin"), _) => Ok(()),
        (None, Some(origin)) if own(origin) => Ok(()),
        (Some(_), _) | (None, Some(_)) => refused("the form was sent by a page of another site"),
        (None, None) => refused("the browser does not say which page sent the form"),
    }
}

/// Where nobody needs a token, whoever makes a browser on this machine send something would be let in: the name must be
/// ours, and what changes something must not come from a page of another site. Callers that are no browsers say neither
/// `Origin` nor `Sec-Fetch-Site`.
pub fn sent_by_no_stranger(
    method: &Method,
    headers: &HeaderMap,
    uri: &Uri,
    public_url: &str,
) -> Result<(), Problem> {
    host_is_ours(headers, uri, public_url)?;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let by_page = ["origin", "sec-fetch-site"]
        .iter()
        .any(|name| headers.contains_key(*name));
    if reads || !by_page {
        return Ok(());
    }
    sent_by_own_page(headers, uri, public_url)
}

/// Where nobody needs a token, a name that leads here by a trick of DNS would let any page in: only names of this
/// machine and of `server.publicUrl` count.
pub fn host_is_ours(headers: &HeaderMap, uri: &Uri, public_url: &str) -> Result<(), Problem> {
    let Some(host) = host_of(headers, uri) else {
        return Ok(()); // no browser
    };
    let name = name(host);
    let loopback = name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if loopback || authority(public_url).is_some_and(|own| own.eq_ignore_ascii_case(host)) {
        return Ok(());
    }
    Err(Problem::new(
        "wrong-host",
        "without `auth.tokens` this service answers only to the names of this machine and of `server.publicUrl`; use one of them, or configure a token",
    ))
}

fn word<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|v| v.to_str().unwrap_or("?"))
}

fn host_of<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    word(headers, header::HOST.as_str())
        .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
}

/// `host:port` of a URL.
fn authority(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    rest.split(['/', '?', '#']).next().filter(|a| !a.is_empty())
}

/// The name without its port; an IPv6 address without its brackets.
fn name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(rows: &[(&'static str, &str)]) -> HeaderMap {
        let rows = rows
            .iter()
            .map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()));
        rows.collect()
    }

    #[test]
    fn only_own_pages_send_forms() {
        let uri = Uri::from_static("/x");
        let public = "https://judge.example.org/base";
        let host = ("host", "judge:8080");
        for (rows, accepted) in [
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "none")], false),
            (
                vec![host, ("sec-fetch-site", "same-origin"), ("origin", "null")],
                false,
            ),
            (vec![host, ("origin", "http://judge:8080")], true),
            (vec![host, ("origin", "https://judge.example.org")], true),
            (vec![host, ("origin", "http://judge:8081")], false),
            (
                vec![host, ("origin", "https://judge.example.org.evil.org")],
                false,
            ),
            (vec![host, ("origin", "null")], false),
            (vec![host], false),
        ] {
            let found = sent_by_own_page(&headers(&rows), &uri, public);
            assert_eq!(found.is_ok(), accepted, "{rows:?}");
        }
    }

    #[test]
    fn no_stranger_speaks_through_a_browser() {
        let uri = Uri::from_static("/v1/verdicts");
        let host = ("host", "127.0.0.1:8080");
        let cross = ("sec-fetch-site", "cross-site");
        for (method, rows, accepted) in [
            (Method::POST, vec![host], true),
            (Method::POST, vec![("host", "evil.org")], false),
            (Method::POST, vec![host, cross], false),
            (
                Method::POST,
                vec![host, ("origin", "http://evil.org")],
                false,
            ),
            (
                Method::POST,
                vec![host, ("origin", "http://127.0.0.1:8080")],
                true,
            ),
            (Method::GET, vec![host, cross], true), // the browser shows no answer to that page
            (Method::GET, vec![("host", "evil.org:8080")], false),
        ] {
            let found = sent_by_no_stranger(&method, &headers(&rows), &uri, "");
            assert_eq!(found.is_ok(), accepted, "{method} {rows:?}");
        }
    }

    #[test]
    fn a_name_must_be_ours() {
        let uri = Uri::from_static("/x");
        for (host, accepted) in [
            ("localhost:8080", true),
            ("127.0.0.1:8080", true),
            ("127.8.8.8", true),
            ("[::1]:8080", true),
            ("a.localhost", true),
            ("judge.example.org", true),
            ("JUDGE.example.org", true),
            ("judge.example.org:81", false),
            ("evil.example.org:8080", false),
            ("127.0.0.1.evil.org", false),
            ("localhost.evil.org", false),
            ("", false),
        ] {
            let found = host_is_ours(
                &headers(&[("host", host)]),
                &uri,
                "https://judge.example.org",
            );
            assert_eq!(found.is_ok(), accepted, "{host}");
        }
    }
}
