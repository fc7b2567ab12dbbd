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

/// Forty letters; only one of them can be broken at a hyphen.
const LONG: [&str; 2] = [
    "checkout-service-errors-of-all-endpoints",
    "checkoutservicelatencyofallitsendpoints9",
];

/// Same rollout, two policies with long names, one of them failing.
fn long_names(ground: &Ground) -> Service {
    let errors = LATENCY
        .replace("latency-only", LONG[0])
        .replace("p99-latency", "error-rate")
        .replace("latencyQuantile", "errorRatio")
        .replace(
            "histogram: http_request_duration_seconds_bucket",
            "errors: http_requests_total{code=~\"5..\"}",
        )
        .replace("quantile: 0.99", "total: http_requests_total");
    let service = ground
        .setup()
        .policy_text(LONG[0], &errors)
        .policy_text(LONG[1], &LATENCY.replace("latency-only", LONG[1]))
        .start();
    let recording = ground.recording("error_step");
    for at in (1860..=2400).step_by(60) {
        for policy in LONG {
            let mut question = question(recording, at);
            question["policy"] = policy.into();
            verdict(&service, &question);
        }
    }
    service
}

#[test]
fn long_names_of_policies_push_nothing_out() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let service = long_names(ground);
    let mut wrong = Vec::new();
    for width in [320, 390, 768, 1024, 1280] {
        tab.size(width, 900);
        for (page, path) in [
            ("list", "/rollouts"),
            ("rollout", "/rollouts/shop/error-step"),
        ] {
            tab.settle(&service.url(path));
            tab.keep(&format!("long-{page}-{width}"));
            let out = tab.run(
                "const out = [...document.querySelectorAll('main *')].filter((e) => e.checkVisibility() && !e.closest('.sr, thead') && e.getClientRects().length)
                    .filter((e) => { const b = e.getBoundingClientRect(); return b.right > innerWidth + 1 || b.left < -1; }).map((e) => e.outerHTML.slice(0, 120));
                 const scrolling = [...document.querySelectorAll('.scroll')].filter((s) => s.scrollWidth > s.clientWidth + 1).map((s) => `scrolls by ${s.scrollWidth - s.clientWidth}`);
                 const narrow = [...document.querySelectorAll('td.reason')].filter((r) => r.checkVisibility() && r.clientWidth < Math.min(160, innerWidth / 2)).map((r) => `reason is ${r.clientWidth} wide`);
                 return out.slice(0, 3).concat(scrolling, narrow)",
            );
            if out != json!([]) {
                wrong.push(format!("{page} at {width}: {out}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
