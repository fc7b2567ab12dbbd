//! What a form came to, told once on the next page: a word of a closed set in a cookie.

use crate::http::session;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// Name of the cookie.
pub const COOKIE: &str = "rollout-judge-said";

/// A page that is open and looks for news, maybe in another tab, must not use up what the next page tells.
pub const LIVE: &str = "x-rollout-judge-live";

/// What a form came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// An override is in force.
    Overridden,
    /// It was taken back.
    TakenBack,
    /// A dead alert was put back.
    PutBack,
    /// Dead alerts were put back.
    AllPutBack,
    /// The session is over.
    SignedOut,
}

const ALL: [(Said, &str, &str); 5] = [
    (
        Said::Overridden,
        "overridden",
        "The override is in force. Every answer about this canary says so until it expires or is taken back.",
    ),
    (
        Said::TakenBack,
        "taken-back",
        "The override is taken back. The judge decides again.",
    ),
    (
        Said::PutBack,
        "put-back",
        "The alert is put back. It is tried again within seconds.",
    ),
    (
        Said::AllPutBack,
        "all-put-back",
        "The dead letters are put back. They are tried again within seconds.",
    ),
    (Said::SignedOut, "signed-out", "You are signed out."),
];

impl Said {
    /// What a request brings along.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        if headers.contains_key(LIVE) {
            return None;
        }
        let word = session::cookie(headers, COOKIE)?;
        ALL.iter()
            .find(|(_, known, _)| *known == word)
            .map(|(said, _, _)| *said)
    }

    /// The sentence.
    pub fn text(self) -> &'static str {
        ALL.iter()
            .find(|(said, _, _)| *said == self)
            .map_or("", |(_, _, text)| text)
    }

    fn word(self) -> &'static str {
        ALL.iter()
            .find(|(said, _, _)| *said == self)
            .map_or("", |(_, word, _)| word)
    }
}

/// Leads the browser on after a form; `said` is told there.
pub fn lead_on(to: &str, said: Option<Said>, cookies: &[String]) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    if let Ok(to) = HeaderValue::from_str(to) {
        headers.insert(header::LOCATION, to);
    }
    let said = said.map(|said| {
        format!(
            "{COOKIE}={}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict",
            said.word()
        )
    });
    for cookie in cookies.iter().cloned().chain(said) {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// The cookie that ends what was told.
pub fn told() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")
}
