//! Which path goes where, and through which layers.

use super::{auth, health, layers, openapi, policies, state::App, verdicts};
use axum::{
    Router,
    http::HeaderName,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use std::sync::Arc;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    trace::TraceLayer,
};

/// The whole edge as one service.
pub fn router(app: Arc<App>) -> Router {
    let id = HeaderName::from_static(layers::REQUEST_ID);
    let calls = Router::new()
        .route("/v1/verdicts", post(verdicts::judge))
        .route("/v1/verdicts/latest", get(verdicts::latest))
        .route("/v1/policies", get(policies::list))
        .route("/v1/policies/check", post(policies::check))
        .route("/v1/policies/{name}", get(policies::one))
        .method_not_allowed_fallback(layers::method_not_allowed)
        .route_layer(from_fn_with_state(Arc::clone(&app), auth::require))
        .route_layer(from_fn_with_state(Arc::clone(&app), layers::shed));
    let open = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::document_json))
        .method_not_allowed_fallback(layers::method_not_allowed);
    // The last layer is the outermost.
    calls
        .merge(open)
        .fallback(layers::not_found)
        .layer(CatchPanicLayer::custom(layers::caught))
        .layer(from_fn_with_state(Arc::clone(&app), layers::finish))
        .layer(CompressionLayer::new())
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(layers::span)
                .on_request(())
                .on_response(layers::note)
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::new(id.clone()))
        .layer(SetRequestIdLayer::new(id, MakeRequestUuid))
        .layer(from_fn(layers::sound_request_id))
        .with_state(app)
}
