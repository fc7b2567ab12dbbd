//! What is shared with the integration tests.
#![expect(dead_code, reason = "the integration tests use the rest")]

#[path = "../../it/support/http.rs"]
pub mod http;
#[path = "../../support/openapi.rs"]
pub mod openapi;
#[path = "../../it/support/process.rs"]
pub mod process;
#[path = "../../it/support/recording.rs"]
pub mod recording;
#[path = "../../it/support/rollouts.rs"]
pub mod rollouts;
#[path = "../../it/support/scripted.rs"]
pub mod scripted;
#[path = "../../it/support/service.rs"]
pub mod service;
#[path = "../../it/support/victoria.rs"]
pub mod victoria;
