//! The edge from outside: requests in, answers out, over real sockets where it matters.
#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]
mod edge {
    #[path = "../support/openapi.rs"]
    pub mod openapi;

    mod answers;
    mod commands;
    mod contract;
    mod dashboard;
    mod dashboard_addresses;
    mod dashboard_deliveries;
    mod dashboard_detail;
    mod dashboard_forms;
    mod dashboard_paging;
    mod dashboard_policies;
    mod dashboard_sessions;
    mod dashboard_targets;
    mod dashboard_times;
    mod dashboard_typed;
    mod dashboard_words;
    mod deliveries;
    mod double;
    mod events;
    mod ground;
    mod history;
    mod overrides;
    mod parsing;
    mod protocol;
    mod receivers;
    mod settings;
    mod switch;
    mod telemetry;
    mod unasked;
}
