//! The OpenAPI 3.1 document; `fixtures/openapi.json` is the committed copy.

use super::{
    answer, bundle, catalog, deliveries, health, history, policies, policy_answer, problem,
    request, verdicts,
};
use axum::{http::StatusCode, response::Response};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Ref, ResponseBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    version = "3.1.0",
    info(title = "rollout-judge", description = "Statistical canary judge for Argo Rollouts. Every error is \
        `application/problem+json` with a stable `code`; a 503 of `POST /v1/verdicts` has an empty body."),
    paths(verdicts::judge, verdicts::latest,
          history::verdicts::list, history::verdicts::one, bundle::bundle, history::rollouts::list, history::rollouts::one,
          history::overrides::list, history::overrides::make, history::overrides::take_back,
          history::lineage::lineage, history::events::events,
          deliveries::list, deliveries::retry,
          policies::list, policies::one, policies::check,
          health::healthz, health::readyz, health::metrics, document_json),
    components(schemas(history::events::GapAnswer, request::VerdictRequest, answer::VerdictAnswer, catalog::CheckAnswer, catalog::PolicyList,
        policy_answer::PolicyAnswer, problem::Problem, health::Readiness)),
    tags((name = "verdicts", description = "Judging"),
         (name = "history", description = "What was judged, told and decided"), (name = "alerts", description = "Who was told, and who was not"),
         (name = "policies", description = "What is judged, and how"),
         (name = "operations", description = "Health, metrics, this document")),
    security(("bearer" = [])),
    modifiers(&Bearer, &Anywhere),
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A token of `auth.tokens`; not needed where the service is open",
            ))
            .build();
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        }
        let codes: Vec<serde_json::Value> = problem::CODES
            .iter()
            .map(|(code, status, title)| serde_json::json!({"code": code, "status": status, "title": title}))
            .collect();
        let extensions = document.extensions.get_or_insert_default();
        extensions.merge(utoipa::openapi::extensions::Extensions::from_iter([(
            "x-problem-codes",
            codes,
        )]));
    }
}

/// What every call under `/v1` may answer, whatever it is.
const ANYWHERE: &[(&str, &str)] = &[
    ("403", "A host or origin that is not ours"),
    ("429", "Over `server.maxConcurrent`"),
    ("500", "A defect of the service"),
];

struct Anywhere;

impl Modify for Anywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let calls = document.paths.paths.iter_mut();
        let calls = calls.filter(|(path, _)| path.starts_with("/v1/"));
        let operations =
            calls.flat_map(|(_, item)| [&mut item.get, &mut item.post, &mut item.delete]);
        for operation in operations.flatten() {
            for (status, description) in ANYWHERE {
                let problem = Content::new(Some(Ref::from_schema_name("Problem")));
                let response = ResponseBuilder::new()
                    .description(*description)
                    .content("application/problem+json", problem)
                    .build();
                let known = &mut operation.responses.responses;
                known
                    .entry((*status).to_owned())
                    .or_insert_with(|| response.into());
            }
        }
    }
}

/// The document as JSON text with a newline at its end.
pub fn document() -> String {
    let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// `GET /openapi.json`
#[utoipa::path(get, path = "/openapi.json", tag = "operations", summary = "This document", security(()),
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object)))]
pub async fn document_json() -> Response {
    let value: serde_json::Value = serde_json::from_str(&document()).unwrap_or_default();
    problem::json(StatusCode::OK, "application/json", &value)
}
