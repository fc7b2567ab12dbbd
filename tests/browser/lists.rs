//! Filters, search and pages of a list: all of it is in the URL, none of it needs a script.

use super::{
    ground::{CROWD, Ground},
    tab::Tab,
};
use serde_json::json;
use std::collections::BTreeSet;

/// Names of the rows, `namespace name`.
fn rows(tab: &Tab) -> Vec<String> {
    let names = tab.run(
        "return [...document.querySelectorAll('table.rollouts tbody th')].map((th) => th.textContent.trim())",
    );
    serde_json::from_value(names).unwrap()
}

/// Follows a link or sends a form, and waits for the next page.
fn follow(tab: &Tab, css: &str) {
    let before = tab.url();
    tab.click(css);
    super::tab::until("another page", || tab.url() != before);
    tab.until("it is loaded", "return document.readyState === 'complete'");
}

fn walk(tab: &Tab) {
    let ground = Ground::shared();
    tab.goto(&ground.open.url("/rollouts?namespace=zone"));
    let first = rows(tab);
    assert_eq!(first.len(), 50);
    follow(tab, "nav.pager a[rel=next]");
    assert!(tab.url().contains("namespace=zone") && tab.url().contains("cursor="));
    let second = rows(tab);
    let all: BTreeSet<&String> = first.iter().chain(&second).collect();
    assert_eq!((second.len(), all.len()), (CROWD - 50, CROWD));
    assert_eq!(tab.count("nav.pager a[rel=next]"), 0);
    follow(tab, "nav.pager a");
    assert_eq!(rows(tab), first);

    tab.goto(&ground.open.url("/rollouts"));
    tab.fill("#q", "app-5");
    follow(tab, "form.filters button[type=submit]");
    assert!(tab.url().contains("q=app-5"), "{}", tab.url());
    let found = rows(tab);
    assert_eq!(found.len(), 10, "{found:?}");
    assert!(
        found.iter().all(|row| row.starts_with("app-5")),
        "{found:?}"
    );
    // a page that is sent to somebody else shows the same
    tab.goto(&tab.url());
    assert_eq!(rows(tab), found);
    assert_eq!(
        tab.run("return document.getElementById('q').value"),
        json!("app-5")
    );
    follow(tab, "form.filters a");
    assert!(rows(tab).len() == 50 && !tab.url().contains("q="));

    tab.goto(&ground.open.url("/rollouts?namespace=shop"));
    assert_eq!(rows(tab).len(), 4);
    tab.click("#verdict option[value=fail]");
    follow(tab, "form.filters button[type=submit]");
    assert!(tab.url().contains("namespace=shop") && tab.url().contains("verdict=fail"));
    let failed = rows(tab);
    assert!(
        failed.iter().any(|row| row.starts_with("error-step")),
        "{failed:?}"
    );
    assert_eq!(
        tab.count("table.rollouts tbody .badge.fail"),
        failed.len() as u64
    );

    // nothing there, and nonsense
    tab.goto(&ground.open.url("/rollouts?q=no-such-name"));
    assert!(tab.text("main").contains("No rollout here"));
    follow(tab, ".empty a");
    tab.goto(&ground.open.url("/rollouts?cursor=nonsense"));
    assert!(tab.text("main").contains("cursor"), "{}", tab.text("main"));

    tab.goto(&ground.open.url("/deliveries"));
    tab.click("#state option[value=dead]");
    follow(tab, "form.filters button[type=submit]");
    assert!(tab.url().contains("state=dead"));
    assert!(tab.count("tbody tr") > 0 && tab.text("tbody").contains("old-pager"));
    assert!(!tab.text("tbody").contains("delivered"));
}

#[test]
fn lists_are_filtered_and_turned() {
    walk(&Tab::open());
}

#[test]
fn lists_need_no_script() {
    let tab = Tab::open();
    tab.without_scripts();
    let ground = Ground::shared();
    tab.goto(&ground.open.url("/rollouts"));
    assert_eq!(
        tab.run("return document.documentElement.dataset.theme ?? null"),
        json!(null),
        "no script has run"
    );
    walk(&tab);
    // and what stands where charts would be says what to do
    tab.goto(&ground.open.url("/rollouts/shop/healthy-basic"));
    assert!(tab.text("main").contains("The charts need JavaScript"));
    assert!(tab.text("main").contains("error-rate"));
}
