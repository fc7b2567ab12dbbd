//! Which page is where.

use super::{assets, pages, shell};
use crate::http::state::App;
use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use std::sync::Arc;

/// Pages that are led to from the same address with a slash behind it.
const PAGES: [&str; 11] = [
    "/rollouts",
    "/rollouts/{namespace}/{name}",
    "/rollouts/{namespace}/{name}/events",
    "/rollouts/{namespace}/{name}/override",
    "/verdicts/{id}",
    "/policies",
    "/policies/{name}",
    "/sources",
    "/deliveries",
    "/deliveries/retry-all",
    "/sign-in",
];

/// The pages and their assets.
pub fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let mut pages = Router::new();
    for page in PAGES {
        pages = pages.route(&format!("{page}/"), get(shell::without_slash));
    }
    pages
        .route("/", get(pages::rollouts::home))
        .route("/rollouts", get(pages::rollouts::page))
        .route("/rollouts/{namespace}/{name}", get(pages::rollout::page))
        .route(
            "/rollouts/{namespace}/{name}/events",
            get(pages::rollout::events),
        )
        .route(
            "/rollouts/{namespace}/{name}/chart.json",
            get(pages::rollout::chart),
        )
        .route("/verdicts/{id}", get(pages::verdict::page))
        .route("/policies", get(pages::policies::page))
        .route("/policies/{name}", get(pages::policy::page))
        .route("/sources", get(pages::sources::page))
        .route("/deliveries", get(pages::deliveries::page))
        .route(
            "/rollouts/{namespace}/{name}/override",
            get(pages::overrule::page).post(pages::overrule::send),
        )
        .route(
            "/rollouts/{namespace}/{name}/override/take-back",
            post(pages::overrule::take_back),
        )
        .route(
            "/deliveries/retry-all",
            get(pages::dead_letters::page).post(pages::dead_letters::send),
        )
        .route("/deliveries/{id}/retry", post(pages::deliveries::retry))
        .route(
            "/sign-in",
            get(pages::sign_in::page).post(pages::sign_in::send),
        )
        .route("/sign-out", post(pages::sign_in::sign_out))
        .route("/assets/{*file}", get(assets::serve))
        .method_not_allowed_fallback(shell::method_not_allowed)
        .route_layer(from_fn_with_state(Arc::clone(app), shell::dress))
}
