//! What was noticed while blocks were made.

use crate::domain::{Millis, Track};
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// What was noticed while blocks were made. They add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Counters that started again from zero.
    pub resets: u64,
    /// Samples dropped: NaN, infinite, a negative counter, or beyond what a counter can hold.
    pub dropped: u64,
    /// Pods of the canary left out of a block because a counter of theirs had no sample of use in it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub canary_spoilt: u64,
    /// The same of the stable version.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stable_spoilt: u64,
    /// Blocks of single pods left out because a series of theirs had no sample while others of the pod had some.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u64,
    /// How many pods these were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing_pods: u64,
    /// Blocks of single pods left out because others took the place of their series.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub renamed: u64,
    /// How many pods these were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub renamed_pods: u64,
    /// Blocks of single pods left out because they had far more errors than requests.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub contradictory: u64,
    /// Blocks in which a pod's events were cut to its trials.
    pub clamped: u64,
    /// Bucket edges left out because not all series of the block have them.
    pub edges_dropped: u64,
    /// Histograms without a `+Inf` bucket in a block, left out of it.
    pub endless_missing: u64,
    /// Pods left out of a block because they were warming up.
    pub warming_up: u64,
    /// Pods with events in a block but without trials, left out of it.
    pub orphaned_events: u64,
    /// Series of neither arm.
    pub ignored_series: u64,
    /// Series of a histogram query without usable buckets.
    pub unusable_series: u64,
    /// Series that came more than once where one was expected; the first was taken.
    pub duplicate_series: u64,
    /// Series of the canary seen so far.
    pub canary_series: u64,
    /// Series of the stable version seen so far.
    pub stable_series: u64,
    /// The latest learnt time between two samples: the median over the pods.
    pub scrape_interval: Option<Millis>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Notes {
    /// What a person should know, in sentences. Only what does not depend on how the reading was cut has a number.
    pub fn warnings(&self) -> Vec<String> {
        let counted = [
            (
                self.resets,
                "resets of single counter series seen (a pod that restarts resets each of its series)",
            ),
            (
                self.dropped,
                "samples dropped (NaN, infinite, negative or impossibly large)",
            ),
            (
                self.canary_spoilt + self.stable_spoilt,
                "blocks of single pods left out: a counter had only such samples",
            ),
            (
                self.contradictory,
                "blocks of single pods left out: far more errors than requests",
            ),
            (
                self.clamped,
                "blocks in which errors were cut to the requests",
            ),
            (
                self.orphaned_events,
                "blocks in which a pod had events but no trials",
            ),
            (
                self.edges_dropped,
                "bucket edges left out because pods differ",
            ),
            (
                self.endless_missing,
                "histograms without a +Inf bucket left out",
            ),
        ];
        let noticed = [
            (
                self.unusable_series,
                "series of the histogram have no usable buckets",
            ),
            (
                self.duplicate_series,
                "series came more than once, the first was taken",
            ),
        ];
        let counted = counted
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}"));
        counted
            .chain(self.absent())
            .chain(
                noticed
                    .into_iter()
                    .filter(|(n, _)| *n > 0)
                    .map(|(_, what)| what.to_owned()),
            )
            .collect()
    }

    /// What is told of pods that went on without their series.
    fn absent(&self) -> impl Iterator<Item = String> {
        let missing = (self.missing > 0).then(|| {
            format!(
                "{} blocks of {} pods left out: a series of theirs had no samples while others of the pod had some (up to the block in which it came back)",
                self.missing, self.missing_pods
            )
        });
        let renamed = (self.renamed > 0).then(|| {
            format!(
                "{} blocks of {} pods left out: the labels of their series changed",
                self.renamed, self.renamed_pods
            )
        });
        missing.into_iter().chain(renamed)
    }

    /// Counts one pod of an arm that is left out of a block.
    pub(super) fn count_spoilt(&mut self, track: Track) {
        match track {
            Track::Canary => self.canary_spoilt += 1,
            Track::Stable => self.stable_spoilt += 1,
        }
    }

    /// Counts a pod that is left out of a block because a series of its is missing. Is it the first time?
    pub(super) fn count_missing(&mut self, first: bool) {
        self.missing += 1;
        self.missing_pods += u64::from(first);
    }

    /// Counts a pod that is left out of a block because its series have changed names. Is it the first time?
    pub(super) fn count_renamed(&mut self, first: bool) {
        self.renamed += 1;
        self.renamed_pods += u64::from(first);
    }

    /// Counts one series of an arm.
    pub(super) fn count_series(&mut self, track: Track) {
        match track {
            Track::Canary => self.canary_series += 1,
            Track::Stable => self.stable_series += 1,
        }
    }
}

impl AddAssign for Notes {
    fn add_assign(&mut self, other: Self) {
        self.resets += other.resets;
        self.dropped += other.dropped;
        self.canary_spoilt += other.canary_spoilt;
        self.stable_spoilt += other.stable_spoilt;
        self.missing += other.missing;
        self.missing_pods += other.missing_pods;
        self.renamed += other.renamed;
        self.renamed_pods += other.renamed_pods;
        self.contradictory += other.contradictory;
        self.clamped += other.clamped;
        self.edges_dropped += other.edges_dropped;
        self.endless_missing += other.endless_missing;
        self.warming_up += other.warming_up;
        self.orphaned_events += other.orphaned_events;
        self.ignored_series += other.ignored_series;
        self.unusable_series += other.unusable_series;
        self.duplicate_series += other.duplicate_series;
        self.canary_series += other.canary_series;
        self.stable_series += other.stable_series;
        self.scrape_interval = other.scrape_interval.or(self.scrape_interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resets_are_told_as_those_of_series() {
        // one pod restarted: its errors and its requests began again
        let notes = Notes {
            resets: 2,
            ..Notes::default()
        };
        assert_eq!(
            notes.warnings(),
            [
                "2 resets of single counter series seen (a pod that restarts resets each of its series)"
            ]
        );
    }
}
