//! What the tests stand on: children that never outlive them, recordings, and a caller that behaves like Argo Rollouts.

pub mod argo;
pub mod databases;
pub mod http;
#[path = "../../support/openapi.rs"]
pub mod openapi;
pub mod process;
pub mod prometheus;
pub mod recording;
pub mod rollouts;
pub mod scripted;
pub mod service;
pub mod truth;
pub mod victoria;
