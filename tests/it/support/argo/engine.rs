//! The analysis engine in virtual time: when metrics measure, when they end, what the run becomes.

use super::web::Phase;

/// Gap after an error, instead of the interval.
pub const ERROR_RETRY: f64 = 10.0;

/// When a metric ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Seconds between the end of a measurement and the next.
    pub interval: Option<f64>,
    /// Seconds from the start of the run.
    pub initial_delay: f64,
    /// Measurements, errors not counted; 1 without an interval, else unlimited.
    pub count: Option<u32>,
    /// Failed when more failed; `None` (-1): never.
    pub failure: Option<u32>,
    pub inconclusive: u32,
    pub consecutive_error: u32,
    /// Successful after so many in a row; 0 is off.
    pub consecutive_success: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            interval: None,
            initial_delay: 0.0,
            count: None,
            failure: Some(0),
            inconclusive: 0,
            consecutive_error: 4,
            consecutive_success: 0,
        }
    }
}

/// How a metric measures: given the time, the phase and how long it took.
pub type Measure<'a> = Box<dyn FnMut(f64) -> (Phase, f64) + 'a>;

/// One metric of a run.
pub struct Metric<'a> {
    limits: Limits,
    measure: Measure<'a>,
    next: f64,
    end: MetricEnd,
}

/// Where a metric stands.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricEnd {
    pub phase: Phase,
    pub successful: u32,
    pub failed: u32,
    pub inconclusive: u32,
    pub error: u32,
    consecutive_error: u32,
    consecutive_success: u32,
    /// Start of each measurement.
    pub at: Vec<f64>,
}

impl<'a> Metric<'a> {
    pub fn new(limits: Limits, measure: impl FnMut(f64) -> (Phase, f64) + 'a) -> Self {
        Self {
            limits,
            measure: Box::new(measure),
            next: limits.initial_delay,
            end: MetricEnd {
                phase: Phase::Running,
                successful: 0,
                failed: 0,
                inconclusive: 0,
                error: 0,
                consecutive_error: 0,
                consecutive_success: 0,
                at: Vec::new(),
            },
        }
    }

    fn count(&self) -> Option<u32> {
        let once = self.limits.interval.is_none().then_some(1);
        self.limits.count.or(once)
    }

    /// Measures at `self.next`; gives the time at which it finished.
    fn measure(&mut self) -> f64 {
        let start = self.next;
        let (phase, took) = (self.measure)(start);
        let end = &mut self.end;
        end.at.push(start);
        let error = phase == Phase::Error;
        end.consecutive_error = if error { end.consecutive_error + 1 } else { 0 };
        let success = phase == Phase::Successful;
        end.consecutive_success = if success {
            end.consecutive_success + 1
        } else {
            0
        };
        match phase {
            Phase::Successful => end.successful += 1,
            Phase::Failed => end.failed += 1,
            Phase::Inconclusive => end.inconclusive += 1,
            Phase::Error => end.error += 1,
            Phase::Running => {}
        }
        let finished = start + took;
        let gap = if error {
            ERROR_RETRY
        } else {
            self.limits.interval.unwrap_or_default()
        };
        self.next = finished + gap;
        self.end.phase = self.assess();
        finished
    }

    /// Of several broken limits the last named here rules: failed, inconclusive, error.
    fn assess(&self) -> Phase {
        let (limits, end) = (&self.limits, &self.end);
        if end.consecutive_error > limits.consecutive_error {
            return Phase::Error;
        }
        if end.inconclusive > limits.inconclusive {
            return Phase::Inconclusive;
        }
        if limits.failure.is_some_and(|limit| end.failed > limit) {
            return Phase::Failed;
        }
        let wanted = limits.consecutive_success;
        if wanted > 0 && end.consecutive_success >= wanted {
            return Phase::Successful;
        }
        let taken = end.successful + end.failed + end.inconclusive;
        match self.count() {
            Some(count) if taken >= count && wanted > 0 => Phase::Inconclusive,
            Some(count) if taken >= count => Phase::Successful,
            _ => Phase::Running,
        }
    }
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The worst of its metrics; `Running` while one runs.
    pub phase: Phase,
    /// Virtual seconds at its end.
    pub at: f64,
    pub metrics: Vec<MetricEnd>,
}

impl Run {
    /// Runs all metrics until they end, or until `stop`.
    pub fn until(stop: f64, mut metrics: Vec<Metric<'_>>) -> Self {
        let mut now: f64 = 0.0;
        loop {
            let due = metrics
                .iter_mut()
                .filter(|m| m.end.phase == Phase::Running && m.next <= stop)
                .min_by(|a, b| a.next.total_cmp(&b.next));
            let Some(metric) = due else { break };
            now = now.max(metric.measure());
            // the first bad end stops the others, which count as successful
            if metric.end.phase > Phase::Running {
                for other in &mut metrics {
                    if other.end.phase == Phase::Running {
                        other.end.phase = Phase::Successful;
                    }
                }
            }
        }
        let metrics: Vec<MetricEnd> = metrics.into_iter().map(|m| m.end).collect();
        let running = metrics.iter().any(|m| m.phase == Phase::Running);
        let worst = metrics.iter().map(|m| m.phase).max();
        Self {
            phase: if running {
                Phase::Running
            } else {
                worst.unwrap_or(Phase::Successful)
            },
            at: if running { stop } else { now },
            metrics,
        }
    }
}
