//! Charts and pages say what is known and nothing else: no line over time in which nobody asked, nothing out of sight
//! without a word, the same number everywhere.

use super::{
    ground::Ground,
    support::rollouts::{question, verdict},
    tab::Tab,
};
use serde_json::{Value, json};

/// Colours of each chart inside the longest time without a verdict, and outside of it.
const INKS: &str = "
    const root = document.getElementById('charts');
    const css = getComputedStyle(document.documentElement);
    const probe = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgb = (name) => { probe.fillStyle = css.getPropertyValue(`--${name}`).trim(); probe.fillRect(0, 0, 1, 1); return [...probe.getImageData(0, 0, 1, 1).data]; };
    const lines = ['canary', 'stable', 'bad', 'good', 'text'].map((n) => [n, rgb(n), 24]);
    const bands = ['good-ground', 'bad-ground', 'odd-ground'].map((n) => [n, rgb(n), 3]);
    return fetch(root.dataset.url).then((r) => r.json()).then((data) => {
        const at = data.looks.at, first = at[0], all = at[at.length - 1] - first;
        const [from, to] = at.slice(1).map((t, i) => [at[i], t]).sort((a, b) => (b[1] - b[0]) - (a[1] - a[0]))[0];
        return [...document.querySelectorAll('#charts canvas')].map((canvas) => {
            const over = canvas.parentElement.querySelector('.u-over');
            const x = (t) => over.offsetLeft + (t - first) / all * over.offsetWidth;
            const found = (a, b) => {
                const names = new Set();
                const { data } = canvas.getContext('2d').getImageData(a, 0, b - a, over.offsetTop + over.offsetHeight);
                for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 250) for (const [name, ink, off] of lines.concat(bands)) {
                    if ([0, 1, 2].every((c) => Math.abs(data[i + c] - ink[c]) <= off)) names.add(name);
                }
                return [...names].sort();
            };
            return { gap: found(x(from + 0.25 * (to - from)), x(from + 0.45 * (to - from))), asked: found(x(first), x(from)), after: found(x(to), x(to) + 0.5 * (over.offsetLeft + over.offsetWidth - x(to))) };
        });
    });";

#[test]
fn no_line_is_drawn_where_nobody_asked() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let (service, recording) = (ground.own(), ground.recording("healthy_basic"));
    for at in (1860..=2760).step_by(60).chain((4500..=5400).step_by(60)) {
        verdict(&service, &question(recording, at));
    }
    for theme in ["light", "dark"] {
        tab.media("", &[("prefers-color-scheme", theme)]);
        tab.settle(&service.url("/rollouts/shop/healthy-basic"));
        let charts = tab.run(INKS);
        let charts = charts.as_array().unwrap();
        assert_eq!(charts.len(), 16);
        for (i, chart) in charts.iter().enumerate() {
            assert_eq!(chart["gap"], json!([]), "{theme}: chart {i}: {chart}");
            for part in ["asked", "after"] {
                let inks = chart[part].as_array().unwrap();
                assert!(!inks.is_empty(), "{theme}: chart {i}: {part}: {chart}");
            }
        }
        let said = tab.text(".stops").replace('\u{202f}', " ");
        assert!(said.contains("nobody asked for more than 3 min"), "{said}");
        tab.run("document.querySelector('#walk').scrollIntoView()");
        tab.keep(&format!("gap-{theme}"));
    }
    // the small line of the list stops too
    tab.settle(&service.url("/rollouts"));
    let line = tab.run("return document.querySelector('path.spark-against').getAttribute('d')");
    assert_eq!(line.as_str().unwrap().matches('M').count(), 2, "{line}");
    tab.keep("gap-list");
    // without a gap nothing is said of gaps
    tab.settle(&ground.open.url("/rollouts/shop/error-step"));
    assert_eq!(
        tab.run("return document.querySelector('.stops').hidden"),
        json!(true)
    );
}

/// The same walk, but the first objective's evidence ends far beyond its boundaries.
const FAR: &str = "const real = window.fetch;
    window.fetch = (url, ...rest) => !String(url).includes('chart.json') ? real(url, ...rest) : real(url, ...rest).then((r) => r.json()).then((data) => {
        const one = data.objectives[0], n = data.looks.at.length;
        const column = (make) => Array.from({length: n}, (_, i) => make(i));
        one.fail = column((i) => (i < n / 2 ? 1 : 50)); one.failAt = column(() => 5);
        one.pass = column((i) => (i < n / 2 ? 1 : -30)); one.passAt = column(() => 3);
        return new Response(JSON.stringify(data), {headers: {'content-type': 'application/json'}});
    });";

#[test]
fn evidence_far_beyond_its_boundaries_stays_in_sight() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.first(FAR);
    for theme in ["light", "dark"] {
        tab.media("", &[("prefers-color-scheme", theme)]);
        tab.settle(&ground.open.url("/rollouts/shop/error-step"));
        let seen = tab.run(
            "const chart = document.querySelectorAll('#charts .trio .chart')[2];
             const canvas = chart.querySelector('canvas'), over = chart.querySelector('.u-over');
             const css = getComputedStyle(document.documentElement);
             const probe = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
             const rgb = (name) => { probe.fillStyle = css.getPropertyValue(`--${name}`).trim(); probe.fillRect(0, 0, 1, 1); return [...probe.getImageData(0, 0, 1, 1).data]; };
             const inked = (name, from, to) => {
                const ink = rgb(name);
                const { data } = canvas.getContext('2d').getImageData(over.offsetLeft, from, over.offsetWidth, to - from);
                let n = 0;
                for (let i = 0; i < data.length; i += 4) if ([0, 1, 2].every((c) => Math.abs(data[i + c] - ink[c]) <= 24)) n++;
                return n;
             };
             const top = over.offsetTop, high = over.offsetHeight;
             return { arrowUp: inked('bad', top, top + 7), arrowDown: inked('good', top + high - 7, top + high),
                // both boundaries are in the upper half, apart from each other and from the edge
                boundaries: inked('bad', top + 15, top + high / 2) + inked('good', top + 15, top + high / 2),
                legend: [...chart.querySelectorAll('.legend li')].map((l) => l.textContent.trim()), name: chart.querySelector('.plot').getAttribute('aria-label') }",
        );
        let name = seen["name"].as_str().unwrap();
        assert_eq!(
            seen["legend"],
            json!([
                "harm 50 of 5, off the chart",
                "no harm −30 of 3, off the chart"
            ])
        );
        assert!(name.contains("harm 50 of 5, off the chart"), "{name}");
        for mark in ["arrowUp", "arrowDown", "boundaries"] {
            assert!(
                seen[mark].as_u64().unwrap() >= 20,
                "{theme}: {mark}: {seen}"
            );
        }
        tab.run("document.querySelector('.trio').scrollIntoView()");
        tab.keep(&format!("far-{theme}"));
    }
}

#[test]
fn legends_and_tables_round_alike() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let mut compared = 0;
    for name in ["healthy-basic", "error-step", "latency-tail"] {
        tab.settle(&ground.open.url(&format!("/rollouts/shop/{name}")));
        let pairs = tab.run(
            "const rows = [...document.querySelectorAll('[data-live=now] tbody tr')];
             return [...document.querySelectorAll('#charts section.objective')].flatMap((section, n) =>
                ['Canary', 'Stable'].map((arm, i) => [rows[n].querySelector(`[data-label=${arm}]`).textContent, section.querySelectorAll('.legend b')[i].textContent]))",
        );
        for pair in pairs.as_array().unwrap() {
            assert_eq!(pair[0], pair[1], "{name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 30);
    // the rows of `number` and `moment` of the service
    let script = "return [0, 1.125, 0.01135, 556.5, 557.5, 2.666, 12345.6, -0.329, 1e308].map(words.plain).concat([999, 1000, 61000, 3600000, 3601000, 90061000].map(words.span))";
    let said: Vec<String> = tab
        .run(script)
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap().replace(['\u{202f}', '\u{2009}'], " "))
        .collect();
    let expected = [
        "0",
        "1.12",
        "0.0114",
        "556",
        "558",
        "2.67",
        "12 346",
        "−0.329",
        "1.0e308",
        "0 s",
        "1 s",
        "1 min 1 s",
        "1 h",
        "1 h",
        "1 d 1 h",
    ];
    assert_eq!(said, expected);
}

#[test]
fn totals_that_contradict_the_comparison_are_told() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let (service, recording) = (ground.own(), ground.recording("shared_outage"));
    for at in (1860..=5400).step_by(120) {
        let said = verdict(&service, &question(recording, at));
        if said["objectives"][0]["canary"]["value"].as_f64() > Some(0.01) {
            break;
        }
    }
    tab.settle(&service.url("/rollouts/shop/shared-outage"));
    let check = |page: &str| {
        tab.keep(&format!("totals-{page}"));
        let note = tab.text("p.sentence + p.quiet").replace('\u{202f}', " ");
        let weighed = "; weighed block by block, as traffic shifted between the arms, it is 0.8";
        assert!(note.starts_with("error-rate: totals give 1.73 ×"), "{note}");
        assert!(note.contains(weighed), "{note}");
    };
    check("rollout");
    tab.click("dl.facts a[href*='verdicts/']");
    tab.until(
        "the verdict is there",
        "return document.querySelector('#facts') !== null",
    );
    check("verdict");
}

#[test]
fn what_was_not_read_has_no_score() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.settle(&ground.open.url("/rollouts/zone/app-00"));
    let scores =
        "return [...document.querySelectorAll('[data-label=Score]')].map((s) => s.textContent)";
    assert_eq!(tab.run(scores), json!(["–"]));
    tab.click("#verdicts ~ div th a");
    tab.until(
        "the verdict is there",
        "return document.querySelector('#facts') !== null",
    );
    assert!(tab.text("dl.facts").contains("– (no objective had data)"));
    tab.settle(&ground.open.url("/rollouts/shop/healthy-basic"));
    let Value::Array(scores) = tab.run(scores) else {
        panic!("a list")
    };
    assert!(scores.iter().all(|s| s != "–"), "{scores:?}");
}

#[test]
fn spans_have_a_space_before_their_unit() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let mut glued = Vec::new();
    for site in ground.sites() {
        tab.settle(&site.url);
        // what is typed into a file or a form is written as it is typed
        let found = tab.run(
            "const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
             while (texts.nextNode()) {
                const node = texts.currentNode;
                if (!node.parentElement.closest('code, pre, script, bdi') && /(?<![\\w.-])\\d+(ms|s|m|min|h|d)\\b/.test(node.data)) found.push(node.data);
             }
             return found",
        );
        if found != json!([]) {
            glued.push(format!("{}: {found}", site.name));
        }
    }
    assert!(glued.is_empty(), "{}", glued.join("\n"));
}
