//! The HTTP edge: wire shapes, checks of requests, answers, problems, health.
//!
//! ```text
//! request -> request id -> span -> gzip -> count -> catch panic -> shed -> token -> handler -> service
//! ```

mod about;
mod answer;
mod auth;
mod bundle;
mod catalog;
mod dashboard;
mod deliveries;
mod guard;
mod health;
mod hint;
pub mod history;
mod layers;
pub mod limits;
mod loose;
mod openapi;
mod policies;
mod policy_answer;
mod problem;
mod request;
mod router;
mod schema;
mod server;
mod session;
mod state;
mod verdicts;

pub use about::{About, ReceiverAbout, SourceAbout};
pub use answer::{VerdictAnswer, plain, shorten};
pub use auth::{Auth, Token};
pub use catalog::{
    Catalog, CheckAnswer, DiagnosticAnswer, FileAnswer, NoteAnswer, ObjectiveSummary, PolicyList,
    PolicySummary, WarningAnswer,
};
pub use health::{Health, Readiness, SourceHealth};
pub use openapi::document as openapi_document;
pub use problem::{CODES, Problem};
pub use request::{FIELDS as REQUEST_FIELDS, VerdictRequest};
pub use router::router;
pub use server::{listen, serve};
pub use state::{App, Limits, Parts};
