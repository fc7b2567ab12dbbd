//! What every handler may reach.

use super::{about::About, auth::Auth, catalog::Catalog, health::Health, limits::HEARTBEAT};
use crate::{
    domain::{Clock, VerdictStore},
    service::{Judge, Overrule, Pulse, identity::nonce},
    telemetry::Metrics,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Pages being made at the same time; more wait.
const PAGES: usize = 16;

/// The numbers of the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How links in answers begin.
    pub public_url: String,
    /// The service answers inside this.
    pub deadline: Duration,
    /// Calls under way at the same time.
    pub max_concurrent: usize,
    /// Largest body in bytes.
    pub body_limit: usize,
    /// Event streams and exports open at the same time.
    pub max_streams: usize,
    /// The longest override.
    pub max_override: Duration,
    /// A stream of events that was silent for so long says so, so that proxies keep the connection.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            deadline: Duration::from_secs(8),
            max_concurrent: 256,
            body_limit: 64 * 1024,
            max_streams: 64,
            max_override: Duration::from_hours(7 * 24),
            heartbeat: HEARTBEAT,
        }
    }
}

/// What the edge is made of.
pub struct Parts {
    /// Judges.
    pub judge: Arc<dyn Judge>,
    /// What was judged, told and decided before.
    pub store: Arc<dyn VerdictStore>,
    /// Overrules the judge.
    pub overrule: Arc<Overrule>,
    /// Poked when the log has something new.
    pub pulse: Arc<Pulse>,
    /// The loaded policies.
    pub catalog: Arc<dyn Catalog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who may call.
    pub auth: Auth,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What the service knows about itself.
    pub health: Arc<Health>,
    /// The numbers of the edge.
    pub limits: Limits,
    /// What the pages tell about the configuration.
    pub about: About,
}

/// Everything the handlers share.
pub struct App {
    pub(super) judge: Arc<dyn Judge>,
    pub(super) store: Arc<dyn VerdictStore>,
    pub(super) overrule: Arc<Overrule>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) catalog: Arc<dyn Catalog>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) auth: Auth,
    pub(super) metrics: Arc<Metrics>,
    pub(super) health: Arc<Health>,
    pub(super) limits: Limits,
    pub(super) about: About,
    /// Pages being made at the same time; they never take the place of verdicts.
    pub(super) pages: Semaphore,
    /// Looks back over kept evidence at the same time.
    pub(super) hindsight: Semaphore,
    pub(super) slots: Semaphore,
    /// Signs what forms must hold where no session does; another one for each process.
    pub(super) form_key: String,
    pub(super) streams: Arc<Semaphore>,
}

impl App {
    /// Ties the ports together.
    pub fn new(parts: Parts) -> Self {
        let slots = |most: usize| Semaphore::new(most.min(Semaphore::MAX_PERMITS));
        Self {
            judge: parts.judge,
            store: parts.store,
            overrule: parts.overrule,
            pulse: parts.pulse,
            catalog: parts.catalog,
            clock: parts.clock,
            auth: parts.auth,
            metrics: parts.metrics,
            health: parts.health,
            about: parts.about,
            pages: slots(PAGES),
            hindsight: slots(1),
            form_key: nonce(),
            slots: slots(parts.limits.max_concurrent),
            streams: Arc::new(slots(parts.limits.max_streams)),
            limits: parts.limits,
        }
    }
}
