//! Everything is reached and used without a mouse.

use super::{ground::Ground, tab::Tab};
use fantoccini::key::Key;
use serde_json::json;

fn press(tab: &Tab, key: Key) {
    tab.key(char::from(key));
}

/// What has the focus, as a word; it must be seen to have it.
fn focused(tab: &Tab) -> String {
    let found = tab.run(
        "const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
         const seen = e === document.body || (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && b.bottom > 0 && b.top < innerHeight && b.right > 0);
         return [seen, e.id ? `#${e.id}` : e.localName === 'body' ? 'body' : `${e.localName} ${(e.getAttribute('aria-label') ?? e.textContent).trim()}`]",
    );
    assert_eq!(
        found[0],
        json!(true),
        "the focus cannot be seen on {}",
        found[1]
    );
    found[1].as_str().unwrap().to_owned()
}

/// The next stops of the Tab key.
fn stops(tab: &Tab, count: usize) -> Vec<String> {
    (0..count)
        .map(|_| {
            press(tab, Key::Tab);
            focused(tab)
        })
        .collect()
}

#[test]
fn tab_walks_the_list_from_top_to_bottom() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.settle(&ground.open.url("/rollouts?namespace=shop"));
    assert_eq!(
        stops(&tab, 13),
        [
            "a Skip to content",
            "a rollout-judge",
            "a Rollouts",
            "a Policies",
            "a Sources",
            "a Deliveries",
            "#theme",
            "#q",
            "#namespace",
            "#policy",
            "#verdict",
            "button Show",
            "a Show all",
        ]
    );
    // then each row: its page, and why
    let links = tab.count("table.rollouts tbody a");
    let mut rest = stops(&tab, links as usize);
    rest.retain(|stop| stop.starts_with("a "));
    let row = rest.iter().position(|stop| stop == "a error-step");
    let row = row.unwrap_or_else(|| panic!("{rest:?}"));
    assert_eq!(rest[row + 1], "a why shop/error-step has this verdict");
    // over the head of the page at once
    tab.settle(&ground.open.url("/rollouts?namespace=shop"));
    press(&tab, Key::Tab);
    press(&tab, Key::Enter);
    tab.until(
        "the content has the focus",
        "return document.activeElement.id === 'main'",
    );
    press(&tab, Key::Tab);
    assert_eq!(focused(&tab), "#q");
    // Enter in a field sends the form
    for letter in "error".chars() {
        tab.key(letter);
    }
    press(&tab, Key::Enter);
    tab.until(
        "the list is filtered",
        "return location.search.includes('q=error')",
    );
    tab.run("document.querySelector('table.rollouts tbody a').focus()");
    press(&tab, Key::Enter);
    tab.until(
        "Enter opens the row",
        "return location.pathname === '/rollouts/shop/error-step'",
    );
}

#[test]
fn pages_have_no_trap() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    for site in ground.sites() {
        if site.name == "many-rollouts" {
            continue;
        }
        tab.settle(&site.url);
        tab.run("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)");
        let can = "return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary, [tabindex=\"0\"]')].filter((e) => e.checkVisibility({visibilityProperty: true})).length";
        let can = tab.run(can).as_u64().unwrap();
        let mut seen = 0;
        // once around: back to the page itself
        while seen <= can + 2 {
            press(&tab, Key::Tab);
            let stop = focused(&tab);
            if stop == "body" || (seen > 1 && stop == "a Skip to content") {
                break;
            }
            seen += 1;
        }
        assert!(seen <= can + 1, "{}: {seen} stops of {can}", site.name);
        // radio buttons of one question are one stop
        assert!(seen + 10 >= can, "{}: {seen} stops of {can}", site.name);
    }
}

#[test]
fn a_chart_is_read_with_the_arrows() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    tab.settle(&ground.open.url("/rollouts/shop/error-step"));
    tab.run("document.querySelector('#charts .plot').focus()");
    focused(&tab);
    let spoken = "return document.querySelector('#charts [aria-live]').textContent";
    press(&tab, Key::Left);
    let newest = tab.run(spoken);
    assert!(newest.as_str().unwrap().contains("fail"), "{newest}");
    press(&tab, Key::Left);
    let before = tab.run(spoken);
    assert!(
        before.as_str().unwrap().contains("inconclusive"),
        "{before}"
    );
    press(&tab, Key::End);
    assert_eq!(tab.run(spoken), newest);
    press(&tab, Key::Enter);
    tab.until(
        "Enter opens the verdict",
        "return location.pathname.startsWith('/verdicts/')",
    );
    assert!(tab.url().ends_with(&ground.failed), "{}", tab.url());
}
