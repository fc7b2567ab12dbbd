//! The pages of one rollout and one verdict, and the numbers of the charts.

use super::{
    double::{NOW, call, get},
    ground::{Ground, Judged},
    history::with_token,
};
use axum::{Router, http::Request};
use rollout_judge::{
    domain::{
        Change, Delivery, EventKind, Labels, ManualClock, MetricSource, Millis, Outcome,
        PlannedQuery, Question, ReadReport, RolloutRef, SampleSink, Shape, SourceError, SourceKind,
        Tried, VerdictStore, ports::BoxFuture,
    },
    http::{About, SourceAbout},
    policy::{self, Policy},
    service::{Analyze, Judge, Keeper, Limits as Bounds, Patience, Policies},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use uuid::Uuid;

const MINUTE: Millis = 60_000;

async fn page(router: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path).header("accept", "text/html");
    let request = request.body(axum::body::Body::empty()).unwrap();
    let (head, body) = call(router.clone(), request).await;
    (head.status().as_u16(), String::from_utf8(body).unwrap())
}

async fn chart(router: &Router, path: &str) -> Value {
    let (head, body) = call(router.clone(), get(path)).await;
    assert_eq!(head.status(), 200, "{path}");
    assert_eq!(head.headers()["content-type"], "application/json");
    serde_json::from_slice(&body).unwrap()
}

/// The text of a page without its markup, entities read.
pub fn text(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    for (entity, c) in [
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ] {
        out = out.replace(entity, c);
    }
    out
}

/// What stands in every `pre` of a page.
fn pres(html: &str) -> Vec<String> {
    html.split("<pre")
        .skip(1)
        .map(|rest| text(&format!("<pre{}", rest.split("</pre>").next().unwrap())))
        .collect()
}

fn at(minute: i64, outcome: Outcome) -> Judged {
    Judged {
        at: NOW - 3_600_000 + minute * MINUTE,
        outcome,
        ..Judged::default()
    }
}

#[tokio::test]
async fn charts_have_columns_of_one_length() {
    let ground = Ground::new().await;
    for (minute, outcome, weight) in [
        (0, Outcome::Inconclusive, 5.0),
        (1, Outcome::Inconclusive, 5.0),
        (2, Outcome::Pass, 25.0),
    ] {
        let mut judged = at(minute, outcome);
        judged.weight = weight;
        judged.kinds = vec![EventKind::Verdict, EventKind::Weight];
        ground.keep(judged).await;
    }
    let router = ground.router();
    let chart = chart(&router, "/rollouts/shop/checkout/chart.json").await;
    assert_eq!(chart["canary"], "6c9f8d7b5");
    assert_eq!(chart["thinned"], false);
    let looks = chart["looks"].as_object().unwrap();
    for (name, column) in looks {
        assert_eq!(column.as_array().unwrap().len(), 3, "{name}");
    }
    assert_eq!(looks["weight"], serde_json::json!([5, 5, 25]));
    assert_eq!(
        looks["outcome"],
        serde_json::json!(["inconclusive", "inconclusive", "pass"])
    );
    // 3000 of 60 000 at the first look, nothing new since
    assert_eq!(looks["share"], serde_json::json!([5, null, null]));
    let one = &chart["objectives"][0];
    assert_eq!(one["name"], "error-rate");
    assert_eq!(one["scale"], "ratio");
    for (name, column) in one.as_object().unwrap() {
        if let Some(column) = column.as_array() {
            assert_eq!(column.len(), 3, "{name}");
        }
    }
    // ln(1 / 0.01), as the judge decides
    assert_eq!(one["failAt"][0], 4.6052);
    // what is kept as the policy's text in this test is none
    assert_eq!(one["passAt"][0], Value::Null);
    // odd numbers are no numbers
    assert_eq!(chart["objectives"][1]["effect"][0], Value::Null);
    assert_eq!(chart["objectives"][1]["fail"][0], Value::Null);
    assert_eq!(chart["events"].as_array().unwrap().len(), 3);
    assert_eq!(chart["events"][0]["kind"], "weight");
}

#[tokio::test]
async fn charts_are_bounded_and_keep_both_ends() {
    let ground = Ground::new().await;
    let many = 450;
    for second in 0..many {
        let mut judged = at(0, Outcome::Inconclusive);
        judged.at += second * 1000;
        judged.kinds = Vec::new();
        ground.keep(judged).await;
    }
    let router = ground.router();
    let chart = chart(&router, "/rollouts/shop/checkout/chart.json").await;
    let at = chart["looks"]["at"].as_array().unwrap().iter();
    let at: Vec<i64> = at.map(|at| at.as_i64().unwrap()).collect();
    assert!(
        at.is_sorted() && at.len() <= 400 && at.len() > 300,
        "{}",
        at.len()
    );
    assert_eq!(at[0], NOW - 3_600_000);
    assert_eq!(at[at.len() - 1], NOW - 3_600_000 + (many - 1) * 1000);
    assert_eq!(chart["thinned"], true);
    let widest = at.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(widest <= 3000, "{widest}");
}

#[tokio::test]
async fn an_earlier_canary_is_shown_on_request() {
    let ground = Ground::new().await;
    for (minute, canary) in [(0, "old"), (1, "old"), (2, "new")] {
        let mut judged = at(minute, Outcome::Pass);
        judged.canary = canary.into();
        judged.kinds = vec![EventKind::Started];
        ground.keep(judged).await;
    }
    let router = ground.router();
    let base = "/rollouts/shop/checkout";
    let present = chart(&router, &format!("{base}/chart.json")).await;
    // the test's state begins with its newest question
    assert_eq!(present["looks"]["at"].as_array().unwrap().len(), 1);
    let old = chart(&router, &format!("{base}/chart.json?canary=old")).await;
    assert_eq!(old["canary"], "old");
    assert!(!old["looks"]["at"].as_array().unwrap().is_empty());
    let (status, html) = page(&router, base).await;
    assert_eq!(status, 200);
    assert!(html.contains("rollouts/shop/checkout?canary=old"), "{html}");
    let missing = html.split("data-label=\"Still missing\">").nth(1).unwrap();
    assert!(
        text(missing).trim_start().starts_with("nothing") && !html.contains("passMargin"),
        "{html}"
    );
    let (_, html) = page(&router, &format!("{base}?canary=old")).await;
    assert!(
        text(&html).contains("This is the earlier canary old"),
        "{html}"
    );
    let (status, html) = page(&router, &format!("{base}?canary=%3Cscript%3E")).await;
    assert_eq!(status, 200);
    assert!(!html.contains("<script>"), "{html}");
}

#[tokio::test]
async fn the_charts_are_not_sent_twice() {
    let ground = Ground::new().await;
    ground.keep(at(0, Outcome::Pass)).await;
    let router = ground.router();
    let path = "/rollouts/shop/checkout/chart.json";
    let (head, _) = call(router.clone(), get(path)).await;
    let tag = head.headers()["etag"].clone();
    let again = || {
        let mut request = get(path);
        request.headers_mut().insert("if-none-match", tag.clone());
        request
    };
    assert_eq!(call(router.clone(), again()).await.0.status(), 304);
    ground.keep(at(1, Outcome::Pass)).await;
    assert_eq!(call(router, again()).await.0.status(), 200);
}

#[tokio::test]
async fn nothing_is_shown_of_other_namespaces() {
    let ground = Ground::new().await.tokens();
    let verdict = ground
        .keep(Judged {
            namespace: "bank".into(),
            ..Judged::default()
        })
        .await;
    let router = ground.router();
    for (path, status) in [
        ("/rollouts/bank/checkout".to_owned(), 403),
        ("/rollouts/bank/checkout/chart.json".to_owned(), 403),
        (format!("/verdicts/{}", verdict.id), 404),
    ] {
        for (token, expected) in [("shop", status), ("all", 200)] {
            let mut request = with_token(get(&path), token);
            let html = "text/html".parse().unwrap();
            request.headers_mut().insert("accept", html);
            let (head, body) = call(router.clone(), request).await;
            let body = String::from_utf8(body).unwrap();
            assert_eq!(head.status(), expected, "{path} {token}: {body}");
            assert_eq!(
                body.contains("pass at 5"),
                expected == 200 && !path.contains("chart"),
                "{path} {token}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_page_too() {
    let ground = Ground::new().await;
    let router = ground.router();
    for path in [
        "/verdicts/019b7a1e-0000-7000-8000-000000000009",
        "/verdicts/nonsense",
        "/verdicts/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/rollouts/shop/nobody",
    ] {
        let (status, html) = page(&router, path).await;
        assert_eq!(status, 404, "{path}");
        assert!(html.contains("<h1>Not found</h1>"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
    }
    let (head, body) = call(router, get("/rollouts/shop/nobody/chart.json")).await;
    assert_eq!(head.status(), 404);
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["code"], "not-found");
}

#[tokio::test]
async fn labels_and_sentences_are_only_text() {
    let ground = Ground::new().await;
    let hostile = "\"><img src=x onerror=alert(1)>\u{202e}";
    let mut judged = at(0, Outcome::Fail);
    judged.labels = BTreeMap::from([("image".to_owned(), hostile.to_owned())]);
    let verdict = ground.keep(judged).await;
    let router = ground.router();
    let path = format!("/verdicts/{}", verdict.id);
    for path in [path.as_str(), "/rollouts/shop/checkout"] {
        let (status, html) = page(&router, path).await;
        assert_eq!(status, 200, "{html}");
        assert!(!html.contains("<img"), "{html}");
        assert!(!html.contains('\u{202e}'), "{html}");
    }
    let (_, html) = page(&router, &path).await;
    assert!(text(&html).contains("share 3 % < weight 5 %"), "{html}");
    assert!(html.contains("&lt;img src=x"), "{html}");
}

#[tokio::test]
async fn a_verdict_says_who_was_told() {
    let ground = Ground::new().await;
    let mut judged = at(0, Outcome::Fail);
    judged.kinds = vec![EventKind::Fail];
    let verdict = ground.keep(judged).await;
    let events = ground.store.timeline("shop", "checkout", None, true, 10);
    let mut event = events.await.unwrap().remove(0);
    let router = ground.router();
    let path = format!("/verdicts/{}", verdict.id);
    let (_, html) = page(&router, &path).await;
    assert!(
        html.contains("Nobody: no event of this verdict has a receiver."),
        "{html}"
    );
    for (i, receiver) in ["chat", "pager", "mail"].into_iter().enumerate() {
        event.id = Uuid::from_u128(i as u128 + 1);
        let delivery = Delivery {
            id: Uuid::from_u128(i as u128 + 100),
            event: event.id,
            receiver: receiver.into(),
            order: "shop/checkout".into(),
            due: NOW,
        };
        let change = Change {
            events: vec![event.clone()],
            deliveries: vec![delivery],
            ..Change::default()
        };
        ground.store.change(change).await.unwrap();
    }
    for (id, tried) in [
        (100, Tried::Delivered),
        (
            101,
            Tried::Dead {
                error: "answered <404>".into(),
            },
        ),
    ] {
        let settled = ground.store.settle(Uuid::from_u128(id), tried, NOW, None);
        settled.await.unwrap();
    }
    let (_, html) = page(&router, &path).await;
    let shown = text(&html);
    for word in [
        "chat",
        "arrived",
        "pager",
        "given up",
        "answered <404>",
        "mail",
        "on its way",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
}

// ---- queries -------------------------------------------------------------------------------------------------------

const TEXT: &str = r#"
apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: p }
spec:
  params: [zone]
  tracks: { label: hash }
  match: '{zone="$zone"}'
  block: 30s
  objectives:
    - name: error-rate
      errorRatio: { errors: 'http_requests_total{code=~"5.."}', total: http_requests_total }
    - name: load
      gauge: load_level
"#;
const START: Millis = NOW - 40 * MINUTE;

/// Counters of two pods that only ever rise; notes what it is asked.
#[derive(Default)]
struct Book {
    asked: Mutex<Vec<PlannedQuery>>,
}

impl Book {
    fn taken(&self) -> Vec<PlannedQuery> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl MetricSource for Book {
    fn kind(&self) -> SourceKind {
        SourceKind::VictoriaMetrics
    }
    fn name(&self) -> &'static str {
        "default"
    }
    fn replica_labels(&self) -> &[String] {
        &[]
    }
    fn read<'a>(
        &'a self,
        query: &'a PlannedQuery,
        _: Instant,
        sink: &'a mut dyn SampleSink,
    ) -> BoxFuture<'a, Result<ReadReport, SourceError>> {
        self.asked.lock().unwrap().push(query.clone());
        Box::pin(async move {
            match query.shape {
                Shape::Raw { .. } => {
                    for (hash, rate) in [("ccc111", 3), ("sss222", 50)] {
                        let labels = [("hash", hash), ("pod", hash)];
                        sink.series(Labels::new(labels));
                        let first = query.window.start.div_euclid(15_000) + 1;
                        for i in first..=query.window.end.div_euclid(15_000) {
                            if hash == "sss222" || i * 15_000 > START {
                                sink.sample(i * 15_000, (i % 1_000_000 * rate) as f64);
                            }
                        }
                    }
                }
                Shape::Range { start, end, step } => {
                    sink.series(Labels::default());
                    for at in (start..=end)
                        .step_by(step as usize)
                        .filter(|at| *at > START)
                    {
                        sink.sample(at, 1.0);
                    }
                }
            }
            Ok(ReadReport::default())
        })
    }
}

struct One(Arc<Policy>);

impl Policies for One {
    fn policy(&self, _: &str) -> Option<Arc<Policy>> {
        Some(Arc::clone(&self.0))
    }
    fn names(&self) -> Vec<String> {
        vec![self.0.name.clone()]
    }
}

fn question(at: Millis) -> Question {
    Question {
        policy: "p".into(),
        rollout: RolloutRef {
            namespace: "shop".into(),
            name: "cart".into(),
            canary_hash: "ccc111".into(),
            stable_hash: "sss222".into(),
        },
        weight: Some(5.0),
        step: None,
        step_since: None,
        since: None,
        at,
        params: BTreeMap::from([("zone".to_owned(), r#"a"&<b>"#.to_owned())]),
        labels: BTreeMap::new(),
        analysis_run: None,
        dry_run: false,
    }
}

#[tokio::test]
async fn queries_are_shown_as_the_source_received_them() {
    let source = SourceAbout {
        name: "default".into(),
        kind: SourceKind::VictoriaMetrics,
        address: None,
        link: Some("https://metrics.example.org".into()),
    };
    let ground = Ground::new().await.about(About {
        sources: vec![source],
        ..About::default()
    });
    let policy = policy::load("p.yaml", TEXT, None).unwrap().remove(0).policy;
    let book = Arc::new(Book::default());
    let source: Arc<dyn MetricSource> = book.clone();
    let keeper = Keeper {
        store: ground.store.clone(),
        patience: Patience::default(),
        addressees: Arc::new(|_, _| Vec::new()),
        poke: Arc::new(|| {}),
    };
    let judge = Analyze::new(
        Arc::new(One(Arc::new(policy))),
        Arc::new(ManualClock::at(NOW)),
        BTreeMap::from([("default".to_owned(), source)]),
        Some(keeper),
        Bounds {
            deadline: Duration::from_mins(1),
            rollouts: 10,
        },
    );
    let router = ground.router();
    // before the canary came: only its start is looked for, and every query of that is shown
    let early = START - 5 * MINUTE;
    let verdict = judge.judge(question(early)).await.unwrap().verdict;
    let (_, html) = page(&router, &format!("/verdicts/{}", verdict.id)).await;
    let received: BTreeSet<String> = book.taken().into_iter().map(|query| query.text).collect();
    let shown: BTreeSet<String> = pres(&html).into_iter().collect();
    assert_eq!(shown, received);
    assert!(
        !shown.is_empty()
            && shown
                .iter()
                .all(|q| q.starts_with("count(count_over_time("))
    );
    assert!(text(&html).contains("Nothing of the canary was found"));
    assert!(html.contains("https://metrics.example.org/vmui/#/?g0.expr=count%28count_over_time"));
    assert!(html.contains("data-copy=\"query-start-0\""));

    let mut search = BTreeSet::new();
    // the first reading in several stretches, the next block, no new block, a step of some blocks
    for at in [
        START + 35 * MINUTE,
        START + 35 * MINUTE + 30_000,
        START + 35 * MINUTE + 31_000,
        START + 38 * MINUTE,
    ] {
        let verdict = judge.judge(question(at)).await.unwrap().verdict;
        let (status, html) = page(&router, &format!("/verdicts/{}", verdict.id)).await;
        assert_eq!(status, 200, "{html}");
        let received: BTreeSet<String> = book.taken().into_iter().map(|query| query.text).collect();
        let mut shown: BTreeSet<String> = pres(&html).into_iter().collect();
        if search.is_empty() {
            // the first verdict of the reading looked for the start: nothing of what was sent is left out but old stretches
            let range = |q: &&String| q.starts_with("count(");
            assert!(
                received.iter().filter(range).all(|q| shown.contains(q)),
                "{received:#?}"
            );
            search = received.clone();
            assert!(!html.contains("Found for an earlier verdict"));
        } else {
            // its search is shown again, as what it is
            assert!(text(&html).contains("Found for an earlier verdict"));
            let outer = html
                .split("<details>")
                .nth(1)
                .and_then(|t| t.split("</details>").next());
            let earlier: BTreeSet<String> = pres(outer.unwrap()).into_iter().collect();
            assert!(
                earlier.len() >= 4 && earlier.is_subset(&search),
                "{earlier:#?}"
            );
            shown = shown.difference(&earlier).cloned().collect();
        }
        if received.is_empty() {
            assert!(
                html.contains("Nothing was asked for this verdict"),
                "{html}"
            );
            continue;
        }
        let missing: Vec<&String> = shown.difference(&received).collect();
        assert!(
            missing.is_empty(),
            "shown, not received: {missing:?}\nreceived: {received:#?}"
        );
        assert!(!shown.is_empty());
        assert!(
            shown.iter().all(|q| q.contains(r#"zone="a\"&<b>""#)),
            "{shown:?}"
        );
        assert!(
            html.contains("https://metrics.example.org/vmui/#/?g0.expr=http_requests_total%7B")
        );
    }
    let newest = judge
        .judge(question(START + 38 * MINUTE))
        .await
        .unwrap()
        .verdict;
    let (status, html) = page(&router, &format!("/verdicts/{}?pods=1", newest.id)).await;
    assert_eq!(status, 200);
    assert!(
        text(&html).contains("1 canary, 1 stable pods used"),
        "{html}"
    );
    let chart = chart(&router, "/rollouts/shop/cart/chart.json").await;
    // ln(1 / falsePassRate), from the kept policy
    assert_eq!(chart["objectives"][0]["passAt"][0], 2.9957);
}
