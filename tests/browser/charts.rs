//! The charts of a rollout: drawn, the same as the tables beside them, and fast.

use super::{ground::Ground, tab::Tab};
use serde_json::{Value, json};

/// Points of the fast test.
const MANY: usize = 10_000;
/// A bound for machines that do much else, for one chart; the bar is 100 ms.
const SLOWEST: f64 = 1000.0;

#[test]
fn charts_are_drawn() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    for path in ["/rollouts/shop/healthy-basic", "/rollouts/shop/error-step"] {
        tab.settle(&ground.open.url(path));
        // share of pixels that are not the ground, and how many colours there are
        let drawn = tab.run(
            "return [...document.querySelectorAll('#charts canvas')].map((c) => {
                const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
                const colours = new Set(); let inked = 0;
                for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 60) { inked++; colours.add(`${data[i] >> 4},${data[i + 1] >> 4},${data[i + 2] >> 4}`); }
                return [inked / (c.width * c.height), colours.size];
            })",
        );
        let drawn: Vec<(f64, u32)> = serde_json::from_value(drawn).unwrap();
        // the walk, and three for each of five objectives
        assert_eq!(drawn.len(), 16);
        for (i, (ink, colours)) in drawn.iter().enumerate() {
            assert!(
                *ink > 0.01 && *colours >= 4,
                "{path}: chart {i}: {ink} {colours}"
            );
        }
        // every one has a name that tells the newest numbers
        let names = tab.run("return [...document.querySelectorAll('#charts .plot')].map((p) => p.getAttribute('aria-label'))");
        for name in names.as_array().unwrap() {
            assert!(name.as_str().unwrap().contains("Newest: "), "{name}");
        }
    }
}

#[test]
fn tables_have_the_numbers_of_the_charts() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.settle(&ground.open.url("/rollouts/shop/error-step"));
    let read = tab.run(
        "return fetch(document.getElementById('charts').dataset.url).then((r) => r.json()).then((data) => data.objectives.map((one, n) => {
            const section = document.querySelectorAll('#charts section.objective')[n];
            const details = section.querySelector('details');
            details.open = true;
            details.dispatchEvent(new Event('toggle'));
            const cells = (tr) => [...tr.children].map((c) => c.textContent);
            const table = [...section.querySelectorAll('tbody tr')].map(cells);
            const legend = [...section.querySelectorAll('.legend b')].map((b) => b.textContent);
            return { name: one.name, looks: data.looks.at.length, table, legend, canary: one.canary, outcome: data.looks.outcome };
        }))",
    );
    let read = read.as_array().unwrap();
    assert_eq!(read.len(), 5);
    for one in read {
        let table = one["table"].as_array().unwrap();
        assert_eq!(table.len() as u64, one["looks"].as_u64().unwrap(), "{one}");
        let newest = &table[0];
        let outcomes = one["outcome"].as_array().unwrap();
        assert_eq!(newest[1], outcomes[outcomes.len() - 1], "{one}");
        // canary and stable of the legend
        assert_eq!(
            (&newest[2], &newest[3]),
            (&one["legend"][0], &one["legend"][1]),
            "{one}"
        );
        // and of the data: an error rate is shown in percent
        if one["name"] == "error-rate" {
            for (row, value) in table.iter().rev().zip(one["canary"].as_array().unwrap()) {
                let shown = row[2].as_str().unwrap();
                let Some(value) = value.as_f64() else {
                    assert_eq!(shown, "–");
                    continue;
                };
                let number: f64 = shown.trim_end_matches('%').trim().parse().unwrap();
                assert!(
                    (number - value * 100.0).abs() <= 0.006 * value * 100.0,
                    "{shown} {value}"
                );
            }
        }
    }
}

/// The same code with so many points; what the service would thin out is put back.
fn expanded() -> String {
    format!(
        "const real = window.fetch;
         window.fetch = (url, ...rest) => {{
             if (!String(url).includes('chart.json')) return real(url, ...rest);
             return real(url, ...rest).then((r) => r.json()).then((data) => {{
                 const from = data.looks.at.length, start = data.looks.at[0];
                 const stretch = (list, i) => list[Math.floor(i * from / {MANY})];
                 const column = (list) => Array.from({{length: {MANY}}}, (_, i) => {{
                     const v = stretch(list, i);
                     return typeof v === 'number' ? v * (1 + 0.05 * Math.sin(i * 1.7)) : v;
                 }});
                 for (const key of Object.keys(data.looks)) data.looks[key] = column(data.looks[key]);
                 data.looks.at = data.looks.at.map((_, i) => start + i * 1000);
                 for (const one of data.objectives) for (const key of Object.keys(one)) if (Array.isArray(one[key])) one[key] = column(one[key]);
                 return new Response(JSON.stringify(data), {{headers: {{'content-type': 'application/json'}}}});
             }});
         }};"
    )
}

#[test]
fn ten_thousand_points_are_drawn_at_once() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.first(&expanded());
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        tab.settle(&ground.open.url("/rollouts/shop/healthy-basic"));
        let drawn = tab.until(
            "the charts are drawn",
            "const r = document.getElementById('charts'); return r.dataset.drawn ? [Number(r.dataset.drawn), r.querySelectorAll('canvas').length, r.querySelector('.plot').getAttribute('aria-label')] : null",
        );
        let (all, count) = (drawn[0].as_f64().unwrap(), drawn[1].as_u64().unwrap());
        assert!(
            drawn[2].as_str().unwrap().contains("10000 verdicts"),
            "{drawn}"
        );
        best = best.min(all / count as f64);
        println!(
            "{MANY} points: {count} charts in {all:.0} ms, {:.1} ms each",
            all / count as f64
        );
    }
    assert!(best < SLOWEST, "{best} ms");
    let drawn: Value = tab.run("return document.querySelectorAll('#charts canvas').length");
    assert_eq!(drawn, json!(16));
}
