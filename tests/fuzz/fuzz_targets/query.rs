//! Any text as a selector, an expression and matchers: an error or a plan, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollout_judge::{
    domain::{RolloutRef, SourceKind, Track},
    query::{Binding, Planner, Scope, Tracks, check_expression, check_matchers, check_selector},
};
use std::collections::BTreeMap;

fuzz_target!(|input: (&str, &str)| {
    let (text, value) = input;
    for kind in [None, Some(SourceKind::Prometheus), Some(SourceKind::VictoriaMetrics)] {
        let _ = check_selector(text, kind);
        let _ = check_expression(text, kind);
    }
    let _ = check_matchers(text);
    let rollout = RolloutRef {
        namespace: value.to_owned(),
        name: "checkout".to_owned(),
        canary_hash: value.to_owned(),
        stable_hash: "5c4b".to_owned(),
    };
    let params = BTreeMap::new();
    let tracks = Tracks::Label("hash".to_owned());
    if let Ok(scope) = Scope::parse(&tracks, Some("{namespace=\"$namespace\"}")) {
        let binding = Binding {
            rollout: &rollout,
            params: &params,
        };
        let planner = Planner::new(&scope, binding, SourceKind::Prometheus);
        if let Ok(query) = planner.expression(text, false, Track::Canary, 0, 60_000, 15_000) {
            assert!(query.text.contains("namespace="), "an unscoped query");
        }
    }
});
