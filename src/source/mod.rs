//! Metric back ends: the only network read.

pub mod wire;
