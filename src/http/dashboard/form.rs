//! A form as it arrives: only from our own pages, only with what this session's forms hold.

use super::{shell::PageProblem, view::View};
use crate::http::{guard, problem::Problem, state::App, verdicts};
use axum::{
    extract::{FromRequest, Query, Request},
    http::{Uri, header},
};
use std::{collections::BTreeMap, sync::Arc};
use subtle::ConstantTimeEq;

/// Largest form.
const LARGEST: usize = 16 << 10;

/// The fields of a form, sent by one of our own pages: a handler that takes one refuses all others.
#[derive(Debug, Default)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// The form, if it is of a page of this session.
    pub fn of(self, view: &View) -> Result<Self, Problem> {
        if self.is_of(view) {
            return Ok(self);
        }
        Err(Problem::new(
            "stale-form",
            "the form is older than your session; go back, reload the page and send it again",
        ))
    }

    /// Does it hold what the forms of this session hold?
    pub fn is_of(&self, view: &View) -> bool {
        let given = self.text("form");
        !view.form.is_empty() && bool::from(view.form.as_bytes().ct_eq(given.as_bytes()))
    }

    async fn read(request: Request, app: &App) -> Result<Self, Problem> {
        guard::sent_by_own_page(request.headers(), request.uri(), &app.limits.public_url)?;
        let declared = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok());
        if !declared.is_some_and(|v| v.starts_with("application/x-www-form-urlencoded")) {
            return Err(Problem::new(
                "unsupported-media-type",
                "this is not a form; send it from the page",
            ));
        }
        let body = verdicts::read(request.into_body(), LARGEST).await;
        let body = body.map_err(|mut problem| {
            if problem.code == "body-too-large" {
                problem.detail =
                    format!("the form is larger than {LARGEST} bytes; shorten what was typed");
            }
            problem
        })?;
        let odd = || {
            Problem::new(
                "invalid-query",
                "the form cannot be read; send it from the page",
            )
        };
        // a form and a query string are written alike
        let text = std::str::from_utf8(&body).map_err(|_| odd())?;
        let uri: Uri = format!("/?{text}").parse().map_err(|_| odd())?;
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&uri).map_err(|_| odd())?;
        Ok(Self(pairs.into_iter().collect()))
    }

    /// A field, without white space around it; empty where it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |v| v.trim())
    }
}

impl FromRequest<Arc<App>> for Form {
    type Rejection = PageProblem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, PageProblem> {
        Ok(Self::read(request, app).await?)
    }
}
