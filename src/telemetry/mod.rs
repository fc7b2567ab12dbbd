//! Logs, traces and the list of exported metrics.
