//! A pod's `/metrics` page in Prometheus text format. Labels that discovery adds (`pod`, `namespace`) are not on it, as with any pod.

use super::{Workload, pod::Counters};
use std::fmt::Write;

const CODES: [&str; 4] = ["200", "404", "500", "503"];

/// Writes the page.
pub fn page(workload: Workload, version: &str, counters: &Counters) -> String {
    let mut page = Page(String::with_capacity(4096));
    match workload {
        Workload::Web => web(&mut page, version, counters),
        Workload::Llm => llm(&mut page, version, counters),
    }
    page.0
}

fn web(page: &mut Page, version: &str, counters: &Counters) {
    page.head("app_info", "gauge", "The version that runs");
    page.line("app_info", &format!("version=\"{version}\""), 1.0);
    page.head("http_requests_total", "counter", "Requests answered");
    for (code, count) in CODES.iter().zip(counters.codes) {
        page.line(
            "http_requests_total",
            &format!("code=\"{code}\""),
            count as f64,
        );
    }
    let name = "http_request_duration_seconds";
    page.histogram(name, "Time to the last byte", "", counters);
    page.counter("checkouts_total", "Checkouts begun", "", counters.checkouts);
    page.counter("orders_total", "Orders made", "", counters.orders);
    page.head("order_value_euros", "summary", "Value of orders");
    page.line("order_value_euros_sum", "", counters.order_value);
    page.line("order_value_euros_count", "", counters.orders as f64);
}

fn llm(page: &mut Page, version: &str, counters: &Counters) {
    let model = format!("model_version=\"{version}\"");
    page.head("llm_requests_total", "counter", "Questions answered");
    for (code, count) in CODES.iter().zip(counters.codes) {
        page.line(
            "llm_requests_total",
            &format!("{model},code=\"{code}\""),
            count as f64,
        );
    }
    let name = "llm_time_to_first_token_seconds";
    page.histogram(name, "Time to the first token", &model, counters);
    page.counter(
        "llm_refusals_total",
        "Questions that a guardrail refused",
        &model,
        counters.refusals,
    );
    page.counter(
        "llm_tokens_total",
        "Tokens of answers",
        &model,
        counters.tokens,
    );
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // writing into a string cannot fail
        let _ = writeln!(self.0, "# HELP {name} {help}.\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: f64) {
        let _ = if labels.is_empty() {
            writeln!(self.0, "{name} {value}")
        } else {
            writeln!(self.0, "{name}{{{labels}}} {value}")
        };
    }

    fn counter(&mut self, name: &str, help: &str, labels: &str, value: u64) {
        self.head(name, "counter", help);
        self.line(name, labels, value as f64);
    }

    fn histogram(&mut self, name: &str, help: &str, labels: &str, counters: &Counters) {
        let comma = if labels.is_empty() { "" } else { "," };
        let bucket = format!("{name}_bucket");
        let seconds = &counters.seconds;
        self.head(name, "histogram", help);
        for (bound, count) in seconds.cumulative() {
            self.line(
                &bucket,
                &format!("{labels}{comma}le=\"{bound}\""),
                count as f64,
            );
        }
        let all = seconds.count() as f64;
        self.line(&bucket, &format!("{labels}{comma}le=\"+Inf\""), all);
        self.line(&format!("{name}_sum"), labels, seconds.sum());
        self.line(&format!("{name}_count"), labels, all);
    }
}
