//! A person overrules the judge on the page, and only there.

use super::{
    ground::Ground,
    stranger,
    support::{
        rollouts::{question, verdict},
        service::Service,
    },
    tab::Tab,
};
use serde_json::{Value, json};

const ROLLOUT: &str = "/rollouts/shop/error-step";
const FORM: &str = "/rollouts/shop/error-step/override";

/// The question without a moment: now.
fn now(ground: &Ground) -> Value {
    let mut question = question(ground.recording("error_step"), 2400);
    question.as_object_mut().unwrap().remove("at");
    question
}

/// A service where this rollout has failed.
fn failed(ground: &Ground) -> Service {
    let service = ground.own();
    let said = (1860..=2700).step_by(120).find(|at| {
        verdict(&service, &question(ground.recording("error_step"), *at))["verdict"] == "fail"
    });
    said.expect("this rollout fails");
    service
}

fn overrides(service: &Service) -> Vec<Value> {
    let path = "/v1/rollouts/shop/error-step/override";
    let all = service.send("GET", path, &[], "").json();
    all["overrides"].as_array().unwrap().clone()
}

#[test]
fn an_override_is_made_and_taken_back() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let service = failed(ground);
    tab.settle(&service.url(ROLLOUT));
    tab.click("a[href$='/override']");
    tab.until(
        "the form is there",
        "return !!document.querySelector('form.form')",
    );
    // everything that is missing is said at once, and the first of it has the focus
    tab.click("form.form button.primary");
    tab.until(
        "verdict and reason are missing",
        "return !!document.getElementById('verdict-error') && !!document.getElementById('reason-error')",
    );
    assert_eq!(
        tab.run("return document.activeElement.name"),
        json!("verdict")
    );
    for theme in ["light", "dark"] {
        tab.media("", &[("prefers-color-scheme", theme)]);
        tab.keep(&format!("override-errors-{theme}"));
    }
    // what was typed stays
    tab.fill("#reason", "known bug of the test client");
    tab.click("form.form button.primary");
    tab.until(
        "the verdict is missing",
        "return !!document.getElementById('verdict-error') && !document.getElementById('reason-error')",
    );
    let beside =
        tab.run("return document.getElementById('verdict-error').closest('fieldset').textContent");
    assert!(beside.as_str().unwrap().contains("Verdict"), "{beside}");
    assert_eq!(
        tab.run("return document.getElementById('reason').value"),
        json!("known bug of the test client")
    );
    tab.click("input[name=verdict][value=pass]");
    tab.fill("#reason", " ");
    tab.click("form.form button.primary");
    tab.until(
        "the reason is missing",
        "return !!document.getElementById('reason-error')",
    );
    let reason = tab.run(
        "const field = document.getElementById('reason');
         return [field.getAttribute('aria-invalid'), field.getAttribute('aria-describedby').includes('reason-error'),
                 document.querySelector('[name=verdict]:checked').value]",
    );
    assert_eq!(reason, json!(["true", true, "pass"]));
    assert_eq!(overrides(&service).len(), 0);
    tab.fill("#reason", "known bug of the test client");
    // a length that is typed is the one that is meant, until another one is chosen
    tab.fill("#expires", "45m");
    let chosen = "return document.querySelector('[name=preset]:checked').value + document.getElementById('expires').value";
    assert_eq!(tab.run(chosen), json!("other45m"));
    tab.click("input[name=preset][value='30m']");
    assert_eq!(tab.run(chosen), json!("30m"));
    tab.click("form.form button.primary");
    tab.until(
        "the rollout's page is back",
        "return !!document.getElementById('charts')",
    );
    assert!(tab.url().ends_with(ROLLOUT), "{}", tab.url());
    assert!(tab.text(".note.good").contains("The override is in force"));
    assert!(tab.text("main").contains("known bug of the test client"));
    let made = overrides(&service);
    assert_eq!((made.len(), &made[0]["verdict"]), (1, &json!("pass")));
    // the next verdict says so, on the open page too
    let said = verdict(&service, &now(ground));
    assert_eq!(said["verdict"], "pass");
    tab.until(
        "the next verdict is on the page",
        "return document.querySelector('[data-live=now] .badge.pass') && document.querySelector('[data-live=now]').textContent.includes('known bug')",
    );
    // told once
    tab.settle(&service.url(ROLLOUT));
    assert_eq!(tab.count(".note.good"), 0);

    tab.settle(&service.url(FORM));
    tab.click("form[action$='/take-back'] button");
    tab.until(
        "the rollout's page is back",
        "return !!document.getElementById('charts')",
    );
    assert!(tab.text(".note.good").contains("taken back"));
    assert_eq!(overrides(&service)[0]["inForce"], json!(false));
    let said = verdict(&service, &now(ground));
    assert_eq!(
        said["verdict"], "inconclusive",
        "judged anew, on no data of now"
    );
    tab.until(
        "the judge decides again",
        "return !!document.querySelector('[data-live=now] .badge.inconclusive')",
    );
    // two refused forms, as pages with their own status
    let own = service.url(FORM);
    assert_eq!(tab.complaints(&own), [""; 0]);
}

#[test]
fn a_page_of_another_site_cannot_override() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let service = failed(ground);
    // a browser that has been here, with whatever cookies that gave it
    tab.settle(&service.url(FORM));
    let own = tab.run("return document.querySelector('input[name=form]').value");
    let own = own.as_str().unwrap();
    assert!(own.len() >= 16, "{own}");
    let target = service.url(FORM);
    let page = |form: &str| {
        format!(
            "<form method=post action='{target}'><input name=verdict value=pass><input name=reason value=forged>
             <input name=preset value=2h><input name=form value='{form}'><button>win</button></form>"
        )
    };
    // even with the secret of the form
    for (form, host) in [("", "127.0.0.1"), (own, "127.0.0.1"), (own, "localhost")] {
        let port = stranger::serve(page(form));
        tab.goto(&format!("http://{host}:{port}/"));
        tab.run(&format!(
            "const body = new URLSearchParams({{verdict: 'pass', reason: 'forged', preset: '2h', form: '{form}'}});
             return fetch('{target}', {{method: 'POST', mode: 'no-cors', credentials: 'include', body}}).catch(() => null).then(() => null)"
        ));
        let api = service.url("/v1/rollouts/shop/error-step/override");
        tab.run(&format!(
            "const body = '{{\"verdict\":\"pass\",\"reason\":\"forged\",\"expires\":\"2h\"}}';
             return fetch('{api}', {{method: 'POST', mode: 'no-cors', credentials: 'include', body}}).catch(() => null).then(() => null)"
        ));
        tab.click("button");
        tab.until("the answer is there", "return !document.querySelector('button:not(#theme)') && document.readyState === 'complete'");
        let status = tab.run("return performance.getEntriesByType('navigation')[0].responseStatus");
        assert_eq!(status, json!(403));
        assert!(
            tab.text("main").contains("sent by a page of another site"),
            "{}",
            tab.text("main")
        );
        assert_eq!(overrides(&service).len(), 0);
    }
    // a form of our own page without its secret
    tab.settle(&service.url(FORM));
    tab.run("document.querySelector('form.form input[name=form]').value = 'made-up'");
    tab.click("input[name=verdict][value=pass]");
    tab.fill("#reason", "forged");
    tab.click("form.form button.primary");
    tab.until(
        "the answer is there",
        "return !!document.querySelector('[data-problem=stale-form]')",
    );
    assert!(
        tab.text("main").contains("older than your session"),
        "{}",
        tab.text("main")
    );
    // what was typed is not lost
    let typed = "return [document.getElementById('reason').value, document.querySelector('[name=verdict]:checked').value]";
    assert_eq!(tab.run(typed), json!(["forged", "pass"]));
    assert_eq!(overrides(&service).len(), 0);
}
