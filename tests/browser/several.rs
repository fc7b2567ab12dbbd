//! A rollout that two policies judge: it stands where the worse of them stands, whichever asked last.

use super::{
    axe::violations,
    driver,
    ground::Ground,
    support::{
        rollouts::{question, verdict},
        service::Service,
    },
    tab::Tab,
};
use serde_json::json;

/// Looks at latency alone, so the recording with errors is fine for it.
const LATENCY: &str = r#"
apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata:
  name: latency-only
spec:
  source: default
  params: [scenario]
  tracks:
    label: rollouts_pod_template_hash
  match: '{app="shop", scenario="$scenario"}'
  horizon: 2h
  lookBack: 30m
  block: 30s
  objectives:
    - name: p99-latency
      latencyQuantile:
        histogram: http_request_duration_seconds_bucket
        quantile: 0.99
"#;

/// Both judge until one fails; the other is the last to be asked.
fn judged(ground: &Ground) -> Service {
    let service = ground.setup().policy_text("latency-only", LATENCY).start();
    let recording = ground.recording("error_step");
    let ask = |policy: &str, at: i64| {
        let mut question = question(recording, at);
        question["policy"] = policy.into();
        verdict(&service, &question)["verdict"].clone()
    };
    let fail = (1860..=2700)
        .step_by(60)
        .find(|at| ask("shop", *at) == "fail" && ask("latency-only", *at) != "fail");
    fail.expect("one fails and the other does not");
    service
}

#[test]
fn the_worst_of_several_policies_is_shown() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.first(&driver::axe());
    let service = judged(ground);
    for scheme in ["light", "dark"] {
        tab.media("", &[("prefers-color-scheme", scheme)]);
        for (width, name) in [(1280, "wide"), (360, "narrow")] {
            tab.size(width, 900);
            tab.settle(&service.url("/rollouts"));
            let row = tab.text("tbody tr");
            for part in ["shop: fail", "latency-only: ", "abort", "shop: error-rate"] {
                assert!(row.contains(part), "{part}: {row}");
            }
            assert_eq!(violations(&tab), [""; 0]);
            tab.keep(&format!("several-row-{name}-{scheme}"));
            tab.settle(&service.url("/rollouts/shop/error-step"));
            assert_eq!(tab.count("nav.choices a"), 2);
            assert!(tab.text(".choices [aria-current]").contains("shop"));
            tab.keep(&format!("several-rollout-{name}-{scheme}"));
            tab.click(".choices a[href$='policy=latency-only']");
            tab.until(
                "the other policy is chosen",
                "return document.querySelector('.choices [aria-current]').textContent.includes('latency-only')",
            );
            let page = tab.text("main");
            assert!(
                page.contains("The rollout stands where the worst of its policies stands"),
                "{page}"
            );
            assert_eq!(violations(&tab), [""; 0]);
            let wider = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
            assert_eq!(tab.run(wider), json!(false), "{name} {scheme}");
            tab.keep(&format!("several-other-{name}-{scheme}"));
        }
    }
}
