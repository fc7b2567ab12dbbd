//! What was typed into the form when the session was over, in a cookie until it is sent again.

use super::form::Typed;
use crate::http::session;
use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

const COOKIE: &str = "rollout-judge-draft";
/// Browsers keep no larger cookie.
const LARGEST: usize = 3800;
/// Seconds that it is kept.
const LASTS: u32 = 600;

/// The cookie that keeps it; `None` where it is too large for one.
pub fn keep(namespace: &str, name: &str, typed: &Typed, secure: &str) -> Option<String> {
    let text = serde_json::to_vec(&(namespace, name, typed)).ok()?;
    let value = URL_SAFE_NO_PAD.encode(text);
    (value.len() <= LARGEST).then(|| {
        format!("{COOKIE}={value}; Path=/; Max-Age={LASTS}; HttpOnly; SameSite=Strict{secure}")
    })
}

/// What was typed about this rollout.
pub fn of(headers: &HeaderMap, namespace: &str, name: &str) -> Option<Typed> {
    let value = session::cookie(headers, COOKIE)?;
    let text = URL_SAFE_NO_PAD.decode(value).ok()?;
    let (of, called, typed): (String, String, Typed) = serde_json::from_slice(&text).ok()?;
    (of == namespace && called == name).then_some(typed)
}

/// The cookie that forgets it, where there is something to forget.
pub fn over(headers: &HeaderMap) -> Option<String> {
    session::cookie(headers, COOKIE)?;
    Some(format!(
        "{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_comes_back_for_its_rollout_only() {
        let typed = Typed {
            reason: "a; b=\"c\" <é>".to_owned(),
            ..Typed::fresh()
        };
        let cookie = keep("shop", "cart", &typed, "").unwrap();
        let mut headers = HeaderMap::new();
        let pair = cookie.split(';').next().unwrap();
        headers.insert("cookie", pair.parse().unwrap());
        assert_eq!(of(&headers, "shop", "cart"), Some(typed));
        assert_eq!(of(&headers, "shop", "other"), None);
        headers.insert("cookie", format!("{COOKIE}=YQ").parse().unwrap());
        assert_eq!(of(&headers, "shop", "cart"), None);
        let long = Typed {
            reason: "x".repeat(LARGEST),
            ..Typed::default()
        };
        assert_eq!(keep("shop", "cart", &long, ""), None);
        // the longest reason that is taken fits
        let whole = Typed {
            reason: "\u{1f680}".repeat(500),
            ..Typed::fresh()
        };
        assert!(keep(&"n".repeat(63), &"r".repeat(253), &whole, "; Secure").is_some());
    }
}
