//! A session of the pages: `name.expiry.signature`, signed with the digest of the token. Any replica can check it,
//! nobody keeps it, and it dies with its token.

use crate::domain::Millis;
use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Name of the cookie.
pub const COOKIE: &str = "rollout-judge-session";

/// What a cookie claims.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim {
    /// Name of the token.
    pub name: String,
    /// Not valid from this moment on.
    pub expires: Millis,
    signature: Vec<u8>,
}

/// The value of a new cookie.
pub fn make(name: &str, key: &[u8], expires: Millis) -> String {
    let signature = sign(key, &signed(name, expires));
    format!(
        "{}.{expires}.{}",
        URL_SAFE_NO_PAD.encode(name),
        URL_SAFE_NO_PAD.encode(signature)
    )
}

/// Reads the value of a cookie. Nothing is checked yet.
pub fn read(value: &str) -> Option<Claim> {
    let mut parts = value.splitn(3, '.');
    let (name, expires, signature) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Claim {
        name: String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?,
        expires: expires.parse().ok()?,
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
    })
}

impl Claim {
    /// Was it made with this key, and is it not over?
    pub fn holds(&self, key: &[u8], now: Millis) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            return false;
        };
        mac.update(signed(&self.name, self.expires).as_bytes());
        // in constant time
        mac.verify_slice(&self.signature).is_ok() && now < self.expires
    }
}

/// What a form of this session must hold, so that no other page can send one.
pub fn form_token(key: &[u8], session: &str) -> String {
    URL_SAFE_NO_PAD.encode(sign(key, &format!("rollout-judge form 1\n{session}")))
}

/// The value of a cookie of a request.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn signed(name: &str, expires: Millis) -> String {
    format!("rollout-judge session 1\n{name}\n{expires}")
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    // a key of any length will do, so there is always a signature
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_holds_for_its_key_and_time_only() {
        let value = make("ops: \"a\"; é", b"key", 1000);
        assert!(
            value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        );
        let claim = read(&value).unwrap();
        assert_eq!(
            (claim.name.as_str(), claim.expires),
            ("ops: \"a\"; é", 1000)
        );
        assert!(claim.holds(b"key", 999));
        assert!(!claim.holds(b"key", 1000) && !claim.holds(b"other", 999));
        let later = read(&value.replace(".1000.", ".2000.")).unwrap();
        assert!(!later.holds(b"key", 999));
        let other = read(&make("eve", b"eve", 1000)).unwrap();
        assert!(!other.holds(b"key", 999));
        for broken in ["", "a", "a.b", "a.1.", "..", "YQ.x.YQ", "!.1.YQ"] {
            assert!(
                read(broken).is_none_or(|claim| !claim.holds(b"key", 0)),
                "{broken}"
            );
        }
        assert_ne!(form_token(b"key", "a"), form_token(b"key", "b"));
    }
}
