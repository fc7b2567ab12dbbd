//! Which path goes where, and through which layers.

use super::{
    auth, bundle, dashboard, deliveries, health, history, layers, openapi, policies, state::App,
    verdicts,
};
use axum::{
    Router,
    http::HeaderName,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use std::sync::Arc;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, NotForContentType, Predicate},
    },
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    trace::TraceLayer,
};

/// The whole edge as one service.
pub fn router(app: Arc<App>) -> Router {
    let id = HeaderName::from_static(layers::REQUEST_ID);
    let overrides = get(history::overrides::list)
        .post(history::overrides::make)
        .delete(history::overrides::take_back);
    let calls = Router::new()
        .route(
            "/v1/verdicts",
            get(history::verdicts::list).post(verdicts::judge),
        )
        .route("/v1/verdicts/latest", get(verdicts::latest))
        .route("/v1/verdicts/{id}", get(history::verdicts::one))
        .route("/v1/verdicts/{id}/bundle", get(bundle::bundle))
        .route("/v1/rollouts", get(history::rollouts::list))
        .route(
            "/v1/rollouts/{namespace}/{name}",
            get(history::rollouts::one),
        )
        .route("/v1/rollouts/{namespace}/{name}/override", overrides)
        .route("/v1/lineage", get(history::lineage::lineage))
        .route("/v1/events", get(history::events::events))
        .route("/v1/deliveries", get(deliveries::list))
        .route("/v1/deliveries/{id}/retry", post(deliveries::retry))
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
        .merge(dashboard::routes(&app))
        .fallback(dashboard::not_found)
        .layer(CatchPanicLayer::custom(layers::caught))
        .layer(from_fn_with_state(Arc::clone(&app), layers::finish))
        .layer(CompressionLayer::new().compress_when(
            DefaultPredicate::new().and(NotForContentType::const_new("application/gzip")),
        ))
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
