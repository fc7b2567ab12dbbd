//! Both databases with all recordings, shared by the tests that run at the same time.

use super::{prometheus::Prometheus, recording::Recording, victoria::Victoria};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// VictoriaMetrics and Prometheus with the same samples.
pub struct Databases {
    pub victoria: Victoria,
    pub prometheus: Prometheus,
    pub recordings: Vec<Recording>,
}

/// Weak: the last user drops the children, so nothing outlives the tests.
static SHARED: Mutex<Weak<Databases>> = Mutex::new(Weak::new());

impl Databases {
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let recordings = Recording::all();
        let victoria = Victoria::start();
        victoria.fill(&recordings);
        let prometheus = Prometheus::start(&recordings);
        let databases = Arc::new(Self {
            victoria,
            prometheus,
            recordings: recordings.into_iter().map(|(r, _)| r).collect(),
        });
        *shared = Arc::downgrade(&databases);
        databases
    }

    /// Kind in the configuration of a source, and address.
    pub fn sources(&self) -> [(&'static str, String); 2] {
        [
            ("victoriametrics", self.victoria.url()),
            ("prometheus", self.prometheus.url()),
        ]
    }
}
