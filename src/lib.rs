//! rollout-judge: a statistical canary judge for Argo Rollouts.
//!
//! One call walks `http` -> `service` -> `query` -> `source` -> `evidence` -> `judge` and back as an answer;
//! `domain` names the things, `stats` does the arithmetic. `ARCHITECTURE.md` draws the picture.

pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod evidence;
pub mod gzip;
pub mod http;
pub mod judge;
pub mod net;
pub mod notify;
pub mod policy;
pub mod query;
pub mod service;
pub mod source;
pub mod stats;
pub mod store;
pub mod telemetry;
pub mod writeback;
