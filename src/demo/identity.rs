//! Who a pod is.

/// The two versions that run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arm {
    /// What runs already.
    Stable,
    /// What is rolled out.
    Canary,
}

/// Labels that the discovery of a cluster gives to everything that is scraped from a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Namespace of the pod.
    pub namespace: String,
    /// Service that it stands behind; here also the name of the Rollout.
    pub service: String,
    /// Name of the pod.
    pub pod: String,
    /// Pod-template hash, which tells the versions apart.
    pub hash: String,
}

impl Identity {
    /// The labels, by the names that a Prometheus of a cluster uses.
    pub fn labels(&self) -> [(&'static str, &str); 4] {
        [
            ("namespace", &self.namespace),
            ("service", &self.service),
            ("pod", &self.pod),
            ("rollouts_pod_template_hash", &self.hash),
        ]
    }
}
