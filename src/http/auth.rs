//! Bearer tokens: compared as digests, in constant time, all of them on every call. And sessions of the pages, which are
//! begun with a token.

use super::{guard, problem::Problem, session, state::App};
use crate::domain::Millis;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use subtle::ConstantTimeEq;

/// One token that may call.
#[derive(Debug, Clone)]
pub struct Token {
    name: String,
    digest: [u8; 32],
    namespaces: Option<Vec<String>>,
    may_override: bool,
}

impl Token {
    /// A named token; with `namespaces`, it may only ask about rollouts in these.
    pub fn new(name: &str, secret: &str, namespaces: Option<Vec<String>>) -> Self {
        Self {
            name: name.to_owned(),
            digest: digest(secret),
            namespaces,
            may_override: false,
        }
    }

    /// May its holder overrule the judge? Not without this.
    #[must_use]
    pub fn may_override(mut self, may: bool) -> Self {
        self.may_override = may;
        self
    }
}

/// Who may call. Without tokens everybody may.
#[derive(Debug, Clone)]
pub struct Auth {
    tokens: Vec<Token>,
    anybody_overrides: bool,
    session_ttl: Duration,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            anybody_overrides: false,
            session_ttl: Duration::from_hours(12),
        }
    }
}

/// The caller of one request, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the token; `anonymous` where none is needed.
    pub name: String,
    namespaces: Option<Vec<String>>,
    may_override: bool,
    may_retry: bool,
}

/// The caller of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Who.
    pub caller: Caller,
    /// What a form must hold; `None` where nobody needs a token, and the form is guarded otherwise.
    pub form: Option<String>,
    /// When the session ends, where there is one.
    pub expires: Option<Millis>,
}

/// A session that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Name of the token.
    pub name: String,
    /// The value of the cookie.
    pub cookie: String,
    /// How long it lasts.
    pub lasts: Duration,
}

impl Auth {
    /// Nobody needs a token.
    pub fn open() -> Self {
        Self::default()
    }

    /// One of these tokens is needed. An empty list is the same as [`Auth::open`].
    pub fn tokens(tokens: Vec<Token>) -> Self {
        Self {
            tokens,
            ..Self::default()
        }
    }

    /// How long a session of the pages lasts.
    #[must_use]
    pub fn session_ttl(mut self, ttl: Duration) -> Self {
        self.session_ttl = ttl;
        self
    }

    /// Does nobody need a token?
    pub fn is_open(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Does nobody need a token, because only this machine reaches the service?
    pub fn is_local(&self) -> bool {
        self.is_open() && self.anybody_overrides
    }

    /// Where nobody needs a token: may everybody overrule the judge?
    #[must_use]
    pub fn anybody_overrides(mut self, may: bool) -> Self {
        self.anybody_overrides = may;
        self
    }

    /// The caller of a request with a bearer token.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        if self.is_open() {
            return Ok(self.anybody());
        }
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok())
            .and_then(bearer);
        let Some(given) = given else {
            return Err(Problem::new(
                "unauthenticated",
                "no bearer token; send the header `Authorization: Bearer TOKEN` with a token of `auth.tokens`",
            ));
        };
        self.holder(given).map(caller).ok_or_else(|| {
            Problem::new(
                "unauthenticated",
                "the bearer token is not one of `auth.tokens`; check the secret of the caller",
            )
        })
    }

    /// The caller of a page: by session, or by bearer token where one is sent.
    pub fn visitor(&self, headers: &HeaderMap, now: Millis) -> Result<Visitor, Problem> {
        if self.is_open() || headers.contains_key(header::AUTHORIZATION) {
            let caller = self.caller(headers)?;
            return Ok(Visitor {
                caller,
                form: None,
                expires: None,
            });
        }
        let value = session::cookie(headers, session::COOKIE);
        let found = value.and_then(|value| {
            let claim = session::read(value)?;
            let token = self.tokens.iter().find(|t| t.name == claim.name)?;
            claim.holds(&token.digest, now).then(|| Visitor {
                caller: caller(token),
                form: Some(session::form_token(&token.digest, value)),
                expires: Some(claim.expires),
            })
        });
        found.ok_or_else(|| Problem::new("unauthenticated", "sign in to see this page"))
    }

    /// Begins a session for the holder of a token.
    pub fn begin(&self, secret: &str, now: Millis) -> Option<Session> {
        let token = self.holder(secret)?;
        let lasts = Millis::try_from(self.session_ttl.as_millis()).unwrap_or(Millis::MAX);
        Some(Session {
            name: token.name.clone(),
            cookie: session::make(&token.name, &token.digest, now.saturating_add(lasts)),
            lasts: self.session_ttl,
        })
    }

    fn anybody(&self) -> Caller {
        Caller {
            name: "anonymous".to_owned(),
            namespaces: None,
            may_override: self.anybody_overrides,
            may_retry: true,
        }
    }

    fn holder(&self, secret: &str) -> Option<&Token> {
        let given = digest(secret);
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.digest.ct_eq(&given)) {
                found = Some(token);
            }
        }
        found
    }
}

fn caller(token: &Token) -> Caller {
    Caller {
        name: token.name.clone(),
        namespaces: token.namespaces.clone(),
        may_override: token.may_override,
        may_retry: token.may_override,
    }
}

impl Caller {
    /// Refuses a namespace that the token is not for.
    pub fn may_see(&self, namespace: &str) -> Result<(), Problem> {
        match &self.namespaces {
            Some(list) if !list.iter().any(|n| n == namespace) => Err(Problem::new(
                "forbidden",
                format!(
                    "token `{}` is not for namespace `{namespace}`; add it to the token's `namespaces`",
                    self.name
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Namespaces that the token is for; all where it is absent.
    pub fn visible(&self) -> Option<&[String]> {
        self.namespaces.as_deref()
    }

    /// Is this namespace one of them?
    pub fn sees(&self, namespace: &str) -> bool {
        self.may_see(namespace).is_ok()
    }

    /// Refuses a caller who may not overrule the judge.
    pub fn may_override(&self) -> Result<(), Problem> {
        if self.may_override {
            return Ok(());
        }
        Err(Problem::new(
            "may-not-override",
            format!(
                "`{}` may not overrule the judge; use a token of `auth.tokens` with `mayOverride: true`",
                self.name
            ),
        ))
    }

    /// Refuses a caller who may not put a dead alert back.
    pub fn may_retry(&self) -> Result<(), Problem> {
        if self.may_retry {
            return Ok(());
        }
        Err(Problem::new(
            "may-not-override",
            format!(
                "`{}` may not put alerts back; use a token of `auth.tokens` with `mayOverride: true`",
                self.name
            ),
        ))
    }
}

/// Lets only known callers through and leaves a [`Caller`] behind. A session may read, so that pages can; it changes
/// nothing here.
pub async fn require(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let by_bearer = request.headers().contains_key(header::AUTHORIZATION);
    if app.auth.is_local() {
        let (headers, uri) = (request.headers(), request.uri());
        let public_url = &app.limits.public_url;
        if let Err(problem) = guard::sent_by_no_stranger(request.method(), headers, uri, public_url)
        {
            return problem.into_response();
        }
    }
    let found = if reads && !by_bearer {
        let found = app.auth.visitor(request.headers(), app.clock.now());
        found
            .map(|visitor| visitor.caller)
            .or_else(|_| app.auth.caller(request.headers()))
    } else {
        app.auth.caller(request.headers())
    };
    match found {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|t| !t.is_empty())
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
