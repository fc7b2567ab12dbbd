//! An open page follows what happens, and says when it cannot.

use super::{
    ground::Ground,
    support::{
        process::free_port,
        rollouts::{question, verdict},
        service::Service,
    },
    tab::Tab,
};
use rollout_judge::domain::{Clock, SystemClock};
use serde_json::{Value, json};

/// Notes when a link to each verdict was there for the first time.
const WATCH: &str = "
    window.__unloaded = true;
    window.__marks = {};
    const look = () => {
        for (const a of document.querySelectorAll('a[href*=\"verdicts/\"]')) __marks[a.href.split('/').pop()] ??= Date.now();
    };
    look();
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true});";

/// A bound for machines that do much else; the bar is one second on a quiet one.
const LATEST: i64 = 5000;

/// Asks, and waits until the verdict is on the page: milliseconds from the answer to its appearance.
fn appears(tab: &Tab, service: &Service, question: &Value) -> i64 {
    let said = verdict(service, question);
    let answered = SystemClock.now();
    let id = said["id"].as_str().unwrap();
    let at = tab.until(
        "the verdict is on the page",
        &format!("return window.__marks['{id}'] ?? null"),
    );
    at.as_i64().unwrap() - answered
}

#[test]
fn a_verdict_appears_by_itself() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let (service, recording) = (ground.own(), ground.recording("healthy_basic"));
    verdict(&service, &question(recording, 1860));
    let mut at = 1860;
    for path in ["/rollouts", "/rollouts/shop/healthy-basic"] {
        tab.settle(&service.url(path));
        tab.run(WATCH);
        let took: Vec<i64> = (0..4)
            .map(|_| {
                at += 60;
                appears(&tab, &service, &question(recording, at))
            })
            .collect();
        println!("from the answer to {path}: {took:?} ms");
        assert!(took.iter().all(|ms| *ms < LATEST), "{took:?}");
        assert_eq!(tab.run("return window.__unloaded"), json!(true));
        assert_eq!(tab.complaints("-"), [""; 0], "{path}");
    }
    // the charts too
    let looks = "return document.querySelector('#charts .plot').getAttribute('aria-label')";
    tab.until(
        "the charts have all verdicts",
        &format!("{looks}.includes('9 verdicts')"),
    );
    // what is typed or read is not taken away by what happens
    tab.settle(&service.url("/rollouts"));
    tab.run(WATCH);
    tab.fill("#q", "heal");
    at += 60;
    appears(&tab, &service, &question(recording, at));
    let kept = tab.run("return [document.activeElement.id, document.activeElement.value]");
    assert_eq!(kept, json!(["q", "heal"]));
}

#[test]
fn a_lost_stream_says_so_and_comes_back() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let recording = ground.recording("healthy_basic");
    let folder = tempfile::tempdir().unwrap();
    let mut setup = ground.setup();
    setup.port = Some(free_port());
    let service = setup.start_in(folder.path());
    verdict(&service, &question(recording, 1860));
    tab.settle(&service.url("/rollouts"));
    tab.run(WATCH);
    drop(service);
    tab.until(
        "the page says that the stream is lost",
        "return document.getElementById('live').dataset.state === 'lost'",
    );
    let said = tab.text("#live");
    assert!(
        said.contains("connection lost, retrying") && said.contains("data as of"),
        "{said}"
    );
    assert!(
        tab.text("main").contains("healthy-basic"),
        "what was known stays"
    );
    let service = setup.start_in(folder.path());
    appears(&tab, &service, &question(recording, 1920));
    tab.until(
        "the page is live again",
        "return document.getElementById('live').dataset.state === 'live' && !document.body.classList.contains('stale')",
    );
    appears(&tab, &service, &question(recording, 1980));
    assert_eq!(tab.run("return window.__unloaded"), json!(true));
}

#[test]
fn a_frozen_service_is_noticed_and_live_only_after_it_caught_up() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let service = ground.own();
    verdict(&service, &question(ground.recording("healthy_basic"), 1860));
    tab.settle(&service.url("/rollouts"));
    let state =
        |word: &str| format!("return document.getElementById('live').dataset.state === '{word}'");
    tab.until("the page is live", &state("live"));
    tab.run(
        "window.__order = [];
         const live = document.getElementById('live');
         document.addEventListener('dashboard:updated', () => __order.push('updated'));
         new MutationObserver(() => { if (__order.at(-1) !== live.dataset.state) __order.push(live.dataset.state); })
            .observe(live, {attributes: true});",
    );
    service.process.signal("STOP");
    tab.until("the page says that it is lost", &state("lost"));
    service.process.signal("CONT");
    tab.until("the page is live again", &state("live"));
    let order = tab.run("return __order.slice(__order.lastIndexOf('lost'))");
    assert_eq!(order[1], "updated", "{order}");
}
