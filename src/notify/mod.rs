//! Receivers of alerts: one message becomes the wire format of a service, once, inside a timeout.
//!
//! ```text
//!  Message ── Facts (words, numbers with units) ── templates ──> webhook | slack | teams | discord | pagerduty
//!                                                               | alertmanager | cloudevents ── Caller ──> HTTP
//!                                                               | email ── lettre ──> SMTP
//! ```
//!
//! Retries, order and limits are the outbox's (`service/outbox`).

mod alertmanager;
mod build;
mod caller;
mod chat;
mod cloudevents;
mod discord;
mod email;
mod escape;
mod facts;
mod incident;
mod pagerduty;
mod sign;
mod slack;
mod teams;
mod webhook;
mod wording;

pub use build::{BuildError, build};
pub use caller::{AddressError, parse as address};
pub use facts::{EarlierFact, Facts, ObjectiveFact};
pub use sign::{KeyError, signature};
