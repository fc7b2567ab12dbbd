//! The policy document: model, load, check with diagnostics, registry.

pub mod model;

pub use model::{
    Direction, Indicator, Margin, Objective, OnSourceDown, OnTimeout, Policy, Step, Unit,
};
