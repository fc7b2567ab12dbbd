//! Metric back ends: the only network read.
