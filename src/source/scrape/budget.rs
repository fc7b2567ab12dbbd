//! How much may be kept, of all targets together.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what is kept; shared by all targets of a source.
#[derive(Debug)]
pub struct Budget {
    max_samples: u64,
    max_series: u64,
    samples: AtomicU64,
    series: AtomicU64,
}

/// Which bound a scrape would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// `maxSamples`
    Samples(u64),
    /// `maxSeries`
    Series(u64),
}

impl Budget {
    /// Nothing is kept yet.
    pub fn new(max_samples: u64, max_series: u64) -> Self {
        Self {
            max_samples,
            max_series,
            samples: AtomicU64::new(0),
            series: AtomicU64::new(0),
        }
    }

    /// Reserves room for a whole scrape, or for nothing of it.
    pub fn reserve(&self, samples: u64, series: u64) -> Result<(), Over> {
        if !add(&self.samples, samples, self.max_samples) {
            return Err(Over::Samples(self.max_samples));
        }
        if !add(&self.series, series, self.max_series) {
            self.samples.fetch_sub(samples, Ordering::Relaxed);
            return Err(Over::Series(self.max_series));
        }
        Ok(())
    }

    /// Counts what must be kept whatever the bounds say: a handful for each target, whose number is bounded too.
    pub fn force(&self, samples: u64, series: u64) {
        self.samples.fetch_add(samples, Ordering::Relaxed);
        self.series.fetch_add(series, Ordering::Relaxed);
    }

    /// Something is kept no longer.
    pub fn release(&self, samples: u64, series: u64) {
        self.samples.fetch_sub(samples, Ordering::Relaxed);
        self.series.fetch_sub(series, Ordering::Relaxed);
    }

    /// Samples and series kept now.
    pub fn kept(&self) -> (u64, u64) {
        (
            self.samples.load(Ordering::Relaxed),
            self.series.load(Ordering::Relaxed),
        )
    }
}

fn add(counter: &AtomicU64, more: u64, max: u64) -> bool {
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
            now.checked_add(more).filter(|sum| *sum <= max)
        })
        .is_ok()
}
