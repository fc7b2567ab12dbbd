//! How series are told apart: arm, pod, replica, and everything else.

use super::{Role, slot::Slot};
use crate::domain::{Labels, LabelsDigest, Track};

/// How series are told apart.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Label that holds the pod-template hash, where one query answers for both arms.
    pub track_label: Option<String>,
    /// Its value for the canary.
    pub canary_hash: String,
    /// Its value for the stable version.
    pub stable_hash: String,
    /// Label that holds the pod's name; where it is absent `instance` serves.
    pub pod_label: String,
    /// Labels that only tell copies of the same data apart.
    pub replica_labels: Vec<String>,
}

/// The values of the replica labels.
pub(super) type Replica = Box<[Option<Box<str>>]>;

/// A series' full name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub pod: Box<str>,
    pub track: Track,
    pub role: Role,
    /// Of all labels but the bucket's and the replica's.
    pub family: LabelsDigest,
    pub slot: Slot,
    pub replica: Replica,
}

/// Why a series has no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nameless {
    /// It belongs to neither arm.
    Foreign,
    /// Its bucket label cannot be read.
    Unusable,
}

impl Identity {
    /// The name of a series; `arm` is known where the query asked for one arm only.
    pub(super) fn name(
        &self,
        role: Role,
        arm: Option<Track>,
        mut labels: Labels,
    ) -> Result<Name, Nameless> {
        let track = arm
            .or_else(|| self.track(&labels))
            .ok_or(Nameless::Foreign)?;
        let pod = [self.pod_label.as_str(), "instance"]
            .iter()
            .find_map(|name| labels.get(name).filter(|value| !value.is_empty()))
            .unwrap_or_default()
            .into();
        let slot = match role {
            Role::Histogram => Slot::take(&mut labels).ok_or(Nameless::Unusable)?,
            _ => Slot::Plain,
        };
        let replica = self
            .replica_labels
            .iter()
            .map(|name| labels.remove(name))
            .collect();
        Ok(Name {
            pod,
            track,
            role,
            family: labels.digest(),
            slot,
            replica,
        })
    }

    fn track(&self, labels: &Labels) -> Option<Track> {
        let value = labels.get(self.track_label.as_deref()?)?;
        if value == self.canary_hash {
            Some(Track::Canary)
        } else if value == self.stable_hash {
            Some(Track::Stable)
        } else {
            None
        }
    }
}
