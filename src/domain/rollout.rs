//! Whom we judge, in Argo's words.

use serde::{Deserialize, Serialize};

/// The version under test or the one it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Track {
    /// The new version.
    Canary,
    /// The version that serves the rest of the traffic.
    Stable,
}

/// A Rollout with the two pod-template hashes that are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RolloutRef {
    /// Kubernetes namespace.
    pub namespace: String,
    /// Name of the Rollout.
    pub name: String,
    /// `rollouts-pod-template-hash` of the canary's pods.
    pub canary_hash: String,
    /// `rollouts-pod-template-hash` of the stable pods.
    pub stable_hash: String,
}
