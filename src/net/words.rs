//! What an error may say.

use crate::domain::text::shortened;
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;

/// An error of the HTTP client with its causes, without the address.
pub fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

/// So much of a stranger's words is told.
const MOST: usize = 300;

/// The words of a source on one line, cut in the middle, with every secret that was sent struck out.
pub fn scrub(text: &str, secrets: &[SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        text = text.replace(secret.expose_secret(), "***");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = shortened(&words.join(" "), MOST);
    line.retain(|c| !c.is_control());
    line
}
