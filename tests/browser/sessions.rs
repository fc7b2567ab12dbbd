//! Sign-in with a token, and what its session sees.

use super::{
    ground::{DEV, Ground, OPS},
    tab::Tab,
};
use serde_json::json;

fn sign_in(tab: &Tab, token: &str) {
    tab.fill("#token", token);
    tab.click("form.form button.primary");
}

#[test]
fn a_session_begins_and_ends() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let service = &ground.guarded;
    tab.goto(&service.url("/rollouts?namespace=lab"));
    assert!(tab.url().contains("/sign-in?next="), "{}", tab.url());
    assert_eq!(
        tab.run("return document.activeElement.id"),
        json!("token"),
        "one can type at once"
    );
    sign_in(&tab, "ops-token-9999999999");
    tab.until(
        "the token is wrong",
        "return !!document.getElementById('token-error')",
    );
    let field = tab.run(
        "const field = document.getElementById('token'); return [field.value, field.type, field.getAttribute('aria-invalid')]",
    );
    assert_eq!(field, json!(["", "password", "true"]));
    sign_in(&tab, OPS);
    tab.until(
        "the page that was asked for",
        "return document.title.startsWith('Rollouts')",
    );
    assert!(
        tab.url().ends_with("/rollouts?namespace=lab"),
        "{}",
        tab.url()
    );
    assert!(tab.text("main").contains("error-step"));
    assert!(tab.text("header").contains("ops"));
    // the stream of events knows the session too
    tab.settle(&service.url("/rollouts"));
    let text = tab.text("main");
    assert!(text.contains("shop") && text.contains("lab"), "{text}");
    assert_eq!(
        tab.run("return document.cookie"),
        json!(""),
        "no script sees the session"
    );
    tab.click("form[action$='sign-out'] button");
    tab.until(
        "the session is over",
        "return location.pathname === '/sign-in'",
    );
    tab.goto(&service.url("/rollouts"));
    assert!(tab.url().contains("/sign-in?next="));
    assert!(!tab.text("body").contains("error-step"));
}

#[test]
fn a_session_sees_its_namespaces() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let service = &ground.guarded;
    tab.goto(&service.url("/rollouts"));
    sign_in(&tab, DEV);
    tab.until("the list", "return document.title.startsWith('Rollouts')");
    tab.settle(&service.url("/rollouts"));
    let text = tab.text("main");
    assert!(
        text.contains("healthy-basic") && !text.contains("error-step"),
        "{text}"
    );
    for (path, words) in [
        ("/rollouts/lab/error-step", "namespace"),
        ("/rollouts/lab/error-step/override", "namespace"),
        ("/rollouts?namespace=lab", "namespace"),
    ] {
        tab.goto(&service.url(path));
        let text = tab.text("main");
        assert!(
            text.contains(words) && !text.contains("error-rate"),
            "{path}: {text}"
        );
    }
    // sees the rollout, but may not overrule
    tab.settle(&service.url("/rollouts/shop/healthy-basic/override"));
    assert_eq!(tab.count("form.form"), 0);
    assert!(
        tab.text("main").contains("may not overrule"),
        "{}",
        tab.text("main")
    );
    let statuses = tab.run(
        "const get = (path) => fetch(path).then((r) => r.status);
         return Promise.all(['/v1/rollouts/lab/error-step', '/rollouts/lab/error-step/chart.json', '/rollouts/shop/healthy-basic/chart.json'].map(get))",
    );
    assert_eq!(statuses[2], json!(200), "{statuses}");
    assert!(statuses[1] == 403 || statuses[1] == 404, "{statuses}");
    tab.settle(&service.url("/deliveries"));
    assert!(!tab.text("main").contains("lab/"));
}

#[test]
fn a_session_that_ends_takes_nothing_that_was_typed() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let service = &ground.guarded;
    let form = "/rollouts/shop/healthy-basic/override";
    tab.goto(&service.url(form));
    sign_in(&tab, OPS);
    tab.until("the form", "return !!document.getElementById('reason')");
    tab.settle(&service.url(form));
    tab.click("input[name=verdict][value=fail]");
    tab.fill("#reason", "disk \"full\"");
    tab.click("input[name=preset][value=other]");
    tab.fill("#expires", "45m");
    tab.devtools("Network.clearBrowserCookies", &json!({}));
    // the page notices, and stays
    tab.until(
        "it is told",
        "return document.getElementById('live').textContent.includes('signed out')",
    );
    let typed = "return [document.getElementById('reason').value, document.getElementById('expires').value,
        document.querySelector('[name=verdict]:checked').value, document.querySelector('[name=preset]:checked').value]";
    let expected = json!(["disk \"full\"", "45m", "fail", "other"]);
    assert_eq!(tab.run(typed), expected);
    tab.click("form.form button.primary");
    tab.until("the sign-in", "return !!document.getElementById('token')");
    sign_in(&tab, OPS);
    tab.until(
        "the form is back",
        "return !!document.getElementById('reason')",
    );
    assert_eq!(tab.run(typed), expected);
    assert!(tab.text("main").contains("Your session had ended"));
}
