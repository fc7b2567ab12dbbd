//! What an error may say.

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

/// The words of a source on one line, cut, with every secret that was sent struck out.
pub fn scrub(text: &str, secrets: &[SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        text = text.replace(secret.expose_secret(), "***");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line: String = words.join(" ").chars().take(300).collect();
    line.retain(|c| !c.is_control());
    line
}
