//! Bearer tokens: compared as digests, in constant time, all of them on every call.

use super::{problem::Problem, state::App};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
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
#[derive(Debug, Clone, Default)]
pub struct Auth {
    tokens: Vec<Token>,
    anybody_overrides: bool,
}

/// The caller of one request, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the token; `anonymous` where none is needed.
    pub name: String,
    namespaces: Option<Vec<String>>,
    may_override: bool,
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
            anybody_overrides: false,
        }
    }

    /// Where nobody needs a token: may everybody overrule the judge?
    #[must_use]
    pub fn anybody_overrides(mut self, may: bool) -> Self {
        self.anybody_overrides = may;
        self
    }

    /// The caller of a request.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        if self.tokens.is_empty() {
            return Ok(Caller {
                name: "anonymous".to_owned(),
                namespaces: None,
                may_override: self.anybody_overrides,
            });
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
        let given = digest(given);
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.digest.ct_eq(&given)) {
                found = Some(token);
            }
        }
        found
            .map(|token| Caller {
                name: token.name.clone(),
                namespaces: token.namespaces.clone(),
                may_override: token.may_override,
            })
            .ok_or_else(|| {
                Problem::new(
                    "unauthenticated",
                    "the bearer token is not one of `auth.tokens`; check the secret of the caller",
                )
            })
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
}

/// Lets only known callers through and leaves a [`Caller`] behind.
pub async fn require(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match app.auth.caller(request.headers()) {
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
