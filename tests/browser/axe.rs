//! axe-core finds nothing: all pages, both themes, wide and narrow.

use super::{driver, ground::Ground, tab::Tab};
use serde_json::{Value, json};
use std::fmt::Write;

const RULES: [&str; 6] = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
];

/// One line for each element that breaks a rule.
pub fn violations(tab: &Tab) -> Vec<String> {
    let found = tab.run_with(
        "return axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}, resultTypes: ['violations']}).then((found) =>
            found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.html.slice(0, 200)}: ${n.failureSummary}`)))",
        vec![json!(RULES)],
    );
    let Value::Array(found) = found else {
        panic!("{found}")
    };
    found
        .iter()
        .map(|v| v.as_str().unwrap().replace('\n', " "))
        .collect()
}

#[test]
fn axe_finds_nothing() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.first(&driver::axe());
    let (mut looks, mut wrong) = (0, String::new());
    for theme in ["light", "dark"] {
        tab.media("", &[("prefers-color-scheme", theme)]);
        for (width, height) in [(1280, 900), (320, 640)] {
            tab.size(width, height);
            for site in ground.sites() {
                tab.settle(&site.url);
                tab.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })");
                looks += 1;
                for line in violations(&tab) {
                    writeln!(wrong, "{} {theme} {width}: {line}", site.name).unwrap();
                }
            }
        }
    }
    println!("axe: {looks} looks, {} violations", wrong.lines().count());
    assert!(wrong.is_empty(), "\n{wrong}");
}
