//! Every page: it renders, says nothing on the console, asks nobody else, and is light.

use super::{
    axe::violations,
    driver,
    ground::{Ground, Site},
    tab::Tab,
};
use serde_json::{Value, json};

/// Bar of the first load, compressed.
const HEAVIEST: u64 = 150 << 10;

/// What each page must have.
const CONTENT: &[(&str, &str, &str)] = &[
    ("rollouts", "h1", "Rollouts"),
    ("rollouts", "main", "latency-tail"),
    ("many-rollouts", "main", "app-00"),
    ("rollout", "h1", "shop/error-step"),
    ("rollout", "main", "error-rate"),
    ("promoted", "main", "pass"),
    ("verdict", "h1", "fail"),
    ("verdict", "main", "http_requests_total"),
    ("verdict", "main", "canary"),
    ("hostile-verdict", "main", "lab/hostile"),
    ("policies", "main", "many-mistakes.yaml"),
    ("policies", "main", "minimal"),
    ("policy", "main", "What it would have said"),
    ("policy", "main", "errorRatio"),
    ("sources", "main", "victoriametrics"),
    ("sources", "main", "old-pager"),
    ("deliveries", "main", "delivered"),
    ("deliveries", "main", "dead"),
    ("override", "h1", "Override shop/latency-tail"),
    ("override", "main", "in force"),
    ("sign-in", "h1", "Sign in"),
    ("not-found", "h1", "Not found"),
    ("wrong-filter", "main", "maybe"),
];

/// Bytes on the wire and addresses, since the log was read last.
fn traffic(tab: &Tab) -> (u64, Vec<String>) {
    let (mut bytes, mut asked) = (0, Vec::new());
    for entry in tab.log("performance") {
        let entry: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
        let (method, parameters) = (
            entry["message"]["method"].as_str().unwrap(),
            &entry["message"]["params"],
        );
        match method {
            "Network.requestWillBeSent" => {
                asked.push(parameters["request"]["url"].as_str().unwrap().to_owned());
            }
            // a stream never finishes; its head counts
            "Network.loadingFinished" => {
                bytes += parameters["encodedDataLength"].as_f64().unwrap() as u64;
            }
            _ => {}
        }
    }
    (bytes, asked)
}

fn weigh(tab: &Tab, site: &Site) -> u64 {
    tab.goto("about:blank");
    tab.devtools("Network.clearBrowserCache", &json!({}));
    tab.log("performance");
    tab.settle(&site.url);
    let (bytes, asked) = traffic(tab);
    let host = site
        .url
        .splitn(4, '/')
        .take(3)
        .collect::<Vec<_>>()
        .join("/");
    for url in &asked {
        let own = url.starts_with(&format!("{host}/")) || url.starts_with("data:");
        assert!(own, "{} asks {url}", site.name);
    }
    let others = tab.run(
        "return performance.getEntriesByType('resource').map((e) => e.name).filter((n) => new URL(n).origin !== location.origin)",
    );
    assert_eq!(others, json!([]), "{}", site.name);
    bytes
}

#[test]
fn every_page_renders_alone_and_light() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let mut heavy = Vec::new();
    for site in ground.sites() {
        let bytes = weigh(&tab, &site);
        println!("weight of {}: {:.1} kB", site.name, bytes as f64 / 1024.0);
        if !(1000..=HEAVIEST).contains(&bytes) {
            heavy.push((site.name, bytes));
        }
        let status = tab.run("return performance.getEntriesByType('navigation')[0].responseStatus");
        assert_eq!(status, json!(site.status), "{}", site.name);
        for (_, css, words) in CONTENT.iter().filter(|(name, _, _)| *name == site.name) {
            let text = tab.text(css);
            assert!(
                text.contains(words),
                "{}: no `{words}` in {text}",
                site.name
            );
        }
        let expected = if site.status == 200 { "-" } else { &site.url };
        assert_eq!(tab.complaints(expected), [""; 0], "{}", site.name);
        let title = tab.run("return document.title");
        assert!(
            title.as_str().unwrap().ends_with(" · rollout-judge"),
            "{title}"
        );
        // one of each, for those who cannot see where they are
        for one in ["h1", "main", "header.top", "head > title"] {
            assert_eq!(tab.count(one), 1, "{}: {one}", site.name);
        }
    }
    assert!(
        heavy.is_empty(),
        "over {HEAVIEST} bytes or empty: {heavy:?}"
    );
}

/// Only one is made at a time, so only this test asks for one.
#[test]
fn a_policy_is_looked_back_at() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.first(&driver::axe());
    tab.settle(&ground.open.url("/policies/shop"));
    tab.click("#count option[value='5']");
    tab.click("form.filters button");
    tab.until(
        "the look back",
        "return location.search.includes('hindsight=5') && document.readyState === 'complete'",
    );
    let text = tab.text("main");
    assert!(
        text.contains("5 looked at: 0 would be answered otherwise"),
        "{text}"
    );
    assert_eq!(tab.complaints("-"), [""; 0]);
    assert_eq!(violations(&tab), [""; 0]);
}
