//! Which block is produced, and what each query of an objective stands for.

use crate::domain::Millis;

/// Which kind of block an objective gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Events out of trials.
    Counts {
        /// Events are a part of the trials, so a pod's events never exceed its trials.
        proportion: bool,
    },
    /// Bucket counts, without each new or restarted pod's first moments.
    Histogram {
        /// How long a pod warms up, to which one scrape interval is added.
        warm_up: Millis,
    },
    /// Sums and item counts.
    Means,
    /// Averages of a level.
    Gauge,
}

/// What one query's series stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Counter in the numerator.
    Events,
    /// Counter in the denominator.
    Trials,
    /// Buckets: `le`, `vmrange` or native.
    Histogram,
    /// Sum of observed values; the only counter that may go down.
    Sum,
    /// Number of observed values.
    Count,
    /// Sum of squared values.
    Squares,
    /// A gauge.
    Level,
}

/// No counter goes beyond 64 bits.
pub(super) const COUNTER_MAX: f64 = 18_446_744_073_709_551_616.0;

impl Kind {
    /// The roles without which no block of this kind can be closed.
    pub(super) fn needs(self) -> &'static [Role] {
        match self {
            Self::Counts { .. } => &[Role::Events, Role::Trials],
            Self::Histogram { .. } => &[Role::Histogram],
            Self::Means => &[Role::Sum, Role::Count],
            Self::Gauge => &[Role::Level],
        }
    }

    /// Whether series of this role have a place in this kind.
    pub(super) fn takes(self, role: Role) -> bool {
        self.needs().contains(&role) || (self == Self::Means && role == Role::Squares)
    }
}

impl Role {
    /// The least value that can be right.
    pub(super) fn floor(self) -> f64 {
        match self {
            Self::Sum | Self::Level => -self.ceiling(),
            _ => 0.0,
        }
    }

    /// The greatest value that can be right: no counter of events goes beyond 64 bits, and nothing we square may overflow.
    pub(super) fn ceiling(self) -> f64 {
        match self {
            Self::Sum => 1e30,
            Self::Squares => 1e60,
            Self::Level => 1e100,
            Self::Events | Self::Trials | Self::Histogram | Self::Count => COUNTER_MAX,
        }
    }

    /// Whether every fall of such a series is a restart from zero.
    pub(super) fn falls_are_resets(self) -> bool {
        !matches!(self, Self::Sum | Self::Level)
    }
}
