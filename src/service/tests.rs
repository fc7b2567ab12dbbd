//! From samples to verdicts without a network: whoever asks, however often, the same samples give the same verdict.

mod lying;
mod plans;

use super::{Analyze, Judge, Limits, Policies};
use crate::{
    domain::{
        Code, Labels, ManualClock, MetricSource, Millis, Outcome, PlannedQuery, Question,
        ReadReport, RolloutRef, SampleSink, Shape, SourceError, SourceKind, Verdict,
        ports::BoxFuture,
    },
    policy::{self, Policy},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

pub(super) const START: Millis = 1_767_225_600_000;
const MINUTE: Millis = 60_000;

/// One series: metric, labels, samples.
pub(super) type Row = (&'static str, Labels, Vec<(Millis, f64)>);

/// Answers from memory; every `stumbles`-th answer is partial or missing.
pub(super) struct Shelf {
    rows: Vec<Row>,
    replicas: Vec<String>,
    pub(super) stumbles: Option<usize>,
    /// Computation that an answer costs.
    pub(super) costs: Duration,
    /// Is the database empty for now?
    empty: Arc<AtomicBool>,
    asked: AtomicUsize,
    /// Is it too slow for long windows for now?
    pub(super) slow: Arc<AtomicBool>,
    /// How often it was asked in which minutes the canary was there.
    pub(super) looks: Arc<AtomicUsize>,
    /// With which words does it refuse every query?
    refuses: Option<String>,
}

impl Shelf {
    pub(super) fn of(rows: Vec<Row>) -> Self {
        Self {
            rows,
            replicas: vec!["replica".to_owned()],
            stumbles: None,
            costs: Duration::ZERO,
            empty: Arc::default(),
            asked: AtomicUsize::new(0),
            slow: Arc::default(),
            looks: Arc::default(),
            refuses: None,
        }
    }

    fn answer(&self, query: &PlannedQuery, sink: &mut dyn SampleSink) {
        let asked = |(metric, labels, _): &&Row| {
            let named = query.text.contains(&format!("{metric}{{"));
            named
                && labels
                    .get("hash")
                    .is_some_and(|hash| query.text.contains(hash))
        };
        let there = |_: &&Row| !self.empty.load(Ordering::SeqCst);
        let rows: Vec<&Row> = self.rows.iter().filter(there).filter(asked).collect();
        match query.shape {
            Shape::Raw { .. } => {
                for (_, labels, samples) in rows {
                    sink.series(labels.clone());
                    let window = query.window;
                    let inside = samples
                        .iter()
                        .filter(|s| s.0 > window.start && s.0 <= window.end);
                    inside.for_each(|&(at, value)| sink.sample(at, value));
                }
            }
            Shape::Range { start, end, step } => {
                sink.series(Labels::default());
                for at in (start..=end).step_by(step as usize) {
                    let there = |row: &&Row| row.2.iter().any(|s| s.0 > at - step && s.0 <= at);
                    if rows.iter().any(there) {
                        sink.sample(at, 1.0);
                    }
                }
            }
        }
    }
}

impl MetricSource for Shelf {
    fn kind(&self) -> SourceKind {
        SourceKind::Prometheus
    }
    fn name(&self) -> &'static str {
        "default"
    }
    fn replica_labels(&self) -> &[String] {
        &self.replicas
    }
    fn read<'a>(
        &'a self,
        query: &'a PlannedQuery,
        _: Instant,
        sink: &'a mut dyn SampleSink,
    ) -> BoxFuture<'a, Result<ReadReport, SourceError>> {
        Box::pin(async move {
            if let Some(detail) = self.refuses.clone() {
                let name = "default".to_owned();
                return Err(SourceError::Rejected { name, detail });
            }
            let long = query.window.end - query.window.start > 6 * MINUTE;
            match query.shape {
                Shape::Range { .. } => drop(self.looks.fetch_add(1, Ordering::SeqCst)),
                Shape::Raw { .. } if long && self.slow.load(Ordering::SeqCst) => {
                    let name = "default".to_owned();
                    return Err(SourceError::Timeout { name });
                }
                Shape::Raw { .. } => {}
            }
            self.answer(query, sink);
            std::thread::sleep(self.costs);
            let asked = self.asked.fetch_add(1, Ordering::SeqCst);
            let stumble = self
                .stumbles
                .is_some_and(|every| asked % every == every - 1);
            if stumble && asked.is_multiple_of(2) {
                let name = "default".to_owned();
                return Err(SourceError::Timeout { name });
            }
            Ok(ReadReport {
                partial: stumble,
                ..ReadReport::default()
            })
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

fn judge_of(text: &str, shelf: Shelf) -> Analyze {
    judge_within(text, shelf, Duration::from_mins(1))
}

fn judge_within(text: &str, shelf: Shelf, deadline: Duration) -> Analyze {
    let policy = policy::load("p.yaml", text, None)
        .unwrap_or_else(|p| panic!("{p}"))
        .remove(0)
        .policy;
    let source: Arc<dyn MetricSource> = Arc::new(shelf);
    Analyze::new(
        Arc::new(One(Arc::new(policy))),
        Arc::new(ManualClock::at(START)),
        BTreeMap::from([("default".to_owned(), source)]),
        None,
        Limits {
            deadline,
            rollouts: 10,
        },
    )
}

pub(super) fn question(at: Millis) -> Question {
    Question {
        policy: "p".into(),
        rollout: RolloutRef {
            namespace: "n".into(),
            name: "r".into(),
            canary_hash: "ccc111".into(),
            stable_hash: "sss222".into(),
        },
        weight: Some(25.0),
        step: None,
        step_since: Some(START),
        since: None,
        at,
        params: BTreeMap::new(),
        labels: std::collections::BTreeMap::new(),
        analysis_run: None,
        dry_run: false,
    }
}

async fn ask(judge: &Analyze, at: Millis) -> Arc<Verdict> {
    judge.judge(question(at)).await.unwrap().verdict
}

fn noise(seed: i64) -> f64 {
    let mixed = (seed as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(31)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 40) as f64 / (1_u64 << 24) as f64
}

/// The series of a pod that lives through some minutes after `START`, scraped every `every` by two replicas.
fn pod(
    rows: &mut Vec<Row>,
    (hash, pod): (&'static str, i64),
    minutes: std::ops::Range<i64>,
    restart: Option<i64>,
    every: Millis,
) {
    let name = format!("{hash}-{pod}");
    let labels = |replica: &str, more: &[(&str, &str)]| {
        let all = [("hash", hash), ("pod", name.as_str()), ("replica", replica)];
        Labels::new(all.into_iter().chain(more.iter().copied()))
    };
    for (replica, late) in [("a", 0), ("b", 3_000)] {
        let mut kept = [0.0; 6];
        let mut out: Vec<Vec<(Millis, f64)>> = vec![Vec::new(); 6];
        let (from, to) = (START + minutes.start * MINUTE, START + minutes.end * MINUTE);
        let mut at = from + pod * 700;
        while at < to {
            let seed = at + pod;
            if restart.is_some_and(|m| at - every < START + m * MINUTE && at >= START + m * MINUTE)
            {
                kept = [0.0; 6];
            }
            let requests = 30.0 + (20.0 * noise(seed)).floor();
            let errors = f64::from(noise(seed + 1) < 0.3);
            let fast = (requests * (0.9 + 0.08 * noise(seed + 2))).floor();
            let value = requests * (2.0 + noise(seed + 3));
            for (slot, gain) in
                kept.iter_mut()
                    .zip([requests, errors, fast, requests - errors, value, requests])
            {
                *slot += gain;
            }
            // one replica misses some scrapes
            if replica == "a" || noise(seed + 4) < 0.9 {
                for (i, (samples, value)) in out.iter_mut().zip(kept).enumerate() {
                    if i != 1 || value > 0.0 {
                        samples.push((at + late, value));
                    }
                }
            }
            at += every;
        }
        let metrics: [(&'static str, &[(&str, &str)]); 6] = [
            ("requests", &[]),
            ("errors", &[]),
            ("time_bucket", &[("le", "0.1")]),
            ("time_bucket", &[("le", "0.5")]),
            ("value_sum", &[]),
            ("time_bucket", &[("le", "+Inf")]),
        ];
        for ((metric, more), samples) in metrics.into_iter().zip(out) {
            rows.push((metric, labels(replica, more), samples));
        }
    }
}

pub(super) fn shop(every: Millis) -> Vec<Row> {
    let mut rows = Vec::new();
    for n in 0..3 {
        pod(
            &mut rows,
            ("sss222", n),
            -300..200,
            (n == 1).then_some(33),
            every,
        );
    }
    pod(&mut rows, ("sss222", 3), 25..70, None, every); // scaled up, and down again
    pod(&mut rows, ("ccc111", 7), -90..-50, None, every); // the same hash, deployed before
    pod(&mut rows, ("ccc111", 8), 0..140, Some(20), every);
    pod(&mut rows, ("ccc111", 9), 40..140, None, every);
    rows
}

pub(super) const SPEC: &str = "apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: p }
spec:
  tracks: { label: hash }
  REST
  objectives:
    - { name: e, errorRatio: { errors: errors, total: requests } }
    - { name: q, latencyQuantile: { histogram: time_bucket, quantile: 0.9 }, limit: 600ms }
    - { name: m, mean: { sum: value_sum, count: requests } }
    - { name: g, gauge: requests, watch: true }
";

#[tokio::test]
async fn whoever_asks_and_however_often_the_verdict_is_the_same() {
    for (rest, every) in [
        ("horizon: 2h", 15_000),
        ("horizon: 40m", 15_000),
        ("{ horizon: 40m, block: 15s, lookBack: 10m }", 5_000),
        ("horizon: 1h", 60_000),
    ] {
        let rest = rest.trim_matches(['{', '}', ' ']).replace(", ", "\n  ");
        let text = SPEC.replace("REST", &rest);
        let fresh = || judge_of(&text, Shelf::of(shop(every)));
        let often = fresh();
        let seldom = fresh();
        let mut shaky = Shelf::of(shop(every));
        shaky.stumbles = Some(7);
        let shaky = judge_of(&text, shaky);
        let mut seen = Vec::new();
        for poll in 1..280 {
            let at = START + poll * 30_000 + 1_000;
            let verdict = ask(&often, at).await;
            ask(&shaky, at - 7_000).await;
            if poll % 61 == 0 || poll == 9 {
                let expected = format!("{verdict:?}");
                assert_eq!(
                    format!("{:?}", ask(&fresh(), at).await),
                    expected,
                    "{rest}: first question, poll {poll}"
                );
                assert_eq!(
                    format!("{:?}", ask(&seldom, at).await),
                    expected,
                    "{rest}: few polls, poll {poll}"
                );
                let mut healed = ask(&shaky, at).await;
                for again in 0..20 {
                    if healed
                        .findings
                        .iter()
                        .all(|f| f.code != Code::PartialData && f.code != Code::SourceDown)
                    {
                        break;
                    }
                    // another question, else the answer of the last second is shared
                    let mut other = question(at);
                    other.analysis_run = Some(again.to_string());
                    healed = shaky.judge(other).await.unwrap().verdict;
                }
                assert_eq!(
                    format!("{healed:?}"),
                    expected,
                    "{rest}: stumbling source, poll {poll}"
                );
                seen.push((at, expected));
            }
        }
        for (at, expected) in seen {
            assert_eq!(
                format!("{:?}", ask(&often, at).await),
                expected,
                "{rest}: replay"
            );
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_in_time_is_read_by_the_next_questions() {
    let text = SPEC.replace("REST", "horizon: 3h");
    let at = START + 100 * MINUTE;
    let expected = ask(&judge_of(&text, Shelf::of(shop(15_000))), at).await;
    let mut slow = Shelf::of(shop(15_000));
    slow.costs = Duration::from_millis(150);
    let judge = judge_within(&text, slow, Duration::from_secs(3));
    let late = |verdict: &Verdict| verdict.warnings.iter().any(|w| w.contains("goes on from"));
    let mut asked = 0;
    loop {
        let mut question = question(at);
        question.analysis_run = Some(asked.to_string());
        let verdict = judge.judge(question).await.unwrap().verdict;
        if !late(&verdict) {
            assert_eq!(format!("{verdict:?}"), format!("{expected:?}"));
            break;
        }
        asked += 1;
        assert!(asked < 30, "{verdict:?}");
    }
    assert!(asked > 0, "a reading of six seconds inside three");
}

#[tokio::test]
async fn samples_that_come_after_a_short_silence_of_the_database_are_not_missed() {
    let text = SPEC.replace("REST", "horizon: 2h");
    let shelf = Shelf::of(shop(15_000));
    let empty = Arc::clone(&shelf.empty);
    let judge = judge_of(&text, shelf);
    for poll in 1..60 {
        let silent = (20..29).contains(&poll);
        empty.store(silent, Ordering::SeqCst);
        let at = START + poll * 30_000 + 1_000;
        let verdict = ask(&judge, at).await;
        if !silent && (poll % 10 == 9 || poll < 32) {
            let fresh = judge_of(&text, Shelf::of(shop(15_000)));
            assert_eq!(
                format!("{:?}", ask(&fresh, at).await),
                format!("{verdict:?}"),
                "poll {poll}"
            );
        }
    }
}

#[tokio::test]
async fn last_weeks_canary_of_the_same_hash_is_left_out() {
    let text = SPEC.replace("REST", "horizon: 3h");
    let verdict = ask(
        &judge_of(&text, Shelf::of(shop(15_000))),
        START + 30 * MINUTE,
    )
    .await;
    assert!(
        (START - 1_000..=START + 10_000).contains(&verdict.window.start),
        "{}",
        verdict.window.start
    );
    assert_eq!(verdict.findings[0].outcome, Outcome::Pass, "{verdict:#?}");
}

#[tokio::test]
async fn a_since_before_the_horizon_is_told() {
    let judge = judge_of(
        &SPEC.replace("REST", "horizon: 40m"),
        Shelf::of(shop(15_000)),
    );
    for (minutes, told) in [(30, false), (60, true)] {
        let mut question = question(START + minutes * MINUTE);
        question.since = Some(START);
        let verdict = judge.judge(question).await.unwrap().verdict;
        let found = verdict
            .warnings
            .iter()
            .find(|w| w.contains("`since` is longer ago"));
        assert_eq!(found.is_some(), told, "{:?}", verdict.warnings);
        let begin = crate::domain::time::rfc3339(verdict.window.start);
        assert!(found.is_none_or(|text| text.contains("horizon of 40m") && text.contains(&begin)));
    }
}

#[tokio::test]
async fn a_question_about_the_time_before_the_canary_is_answered_as_if_it_were_the_first() {
    let text = SPEC.replace("REST", "horizon: 30m\n  lookBack: 10m");
    let judge = judge_of(&text, Shelf::of(shop(15_000)));
    ask(&judge, START + MINUTE).await;
    let early = START - 10_000;
    let expected = ask(&judge_of(&text, Shelf::of(shop(15_000))), early).await;
    assert_eq!(
        format!("{:?}", ask(&judge, early).await),
        format!("{expected:?}")
    );
    assert_eq!(expected.findings[0].code, Code::NoCanaryData);
}

#[tokio::test]
async fn in_its_first_minute_a_canary_is_waited_for() {
    for objectives in [
        "{ name: e, errorRatio: { errors: errors, total: requests } }",
        "{ name: g, query: 'requests{$track}' }",
    ] {
        let text = SPEC.split("  objectives:").next().unwrap();
        let text = format!("{text}  objectives:\n    - {objectives}\n");
        let text = text.replace(
            "REST",
            "horizon: 30m\n  lookBack: 10m\n  noDataPatience: 10s\n  onNoData: fail",
        );
        let judge = judge_of(&text, Shelf::of(shop(15_000)));
        // the canary's first sample comes 5.6 s after the start
        for (after, code) in [
            (-10_000, Code::NoCanaryData),
            (5_000, Code::NoCanaryData),
            (6_000, Code::Waiting),
            (35_000, Code::Waiting),
            (59_000, Code::Waiting),
            (61_000, Code::Waiting),
        ] {
            let at = START + after;
            let verdict = ask(&judge, at).await;
            assert_eq!(
                verdict.findings[0].code, code,
                "{objectives} after {after}: {verdict:?}"
            );
            let fresh = judge_of(&text, Shelf::of(shop(15_000)));
            assert_eq!(
                format!("{:?}", ask(&fresh, at).await),
                format!("{verdict:?}")
            );
        }
        let verdict = ask(&judge, START + 3 * MINUTE).await;
        assert_eq!(verdict.findings[0].code, Code::TooEarly, "{verdict:?}");
    }
}

#[tokio::test]
async fn a_weight_left_out_does_not_pass_before_the_steps_time() {
    let steps =
        "horizon: 2h\n  steps: [{ weight: 5 }, { weight: 25, minDuration: 10m }, { weight: 100 }]";
    let judge = judge_of(&SPEC.replace("REST", steps), Shelf::of(shop(15_000)));
    let at = START + 30 * MINUTE;
    for (since, outcome) in [
        (None, Outcome::Inconclusive),
        (Some(at - 5 * MINUTE), Outcome::Inconclusive),
        (Some(at - 10 * MINUTE), Outcome::Pass),
    ] {
        for (weight, step) in [(Some(25.0), None), (None, None), (None, Some(1))] {
            let mut question = question(at);
            (question.weight, question.step, question.step_since) = (weight, step, since);
            let verdict = judge.judge(question).await.unwrap().verdict;
            assert_eq!(
                (verdict.outcome, verdict.weight),
                (outcome, 25.0),
                "{weight:?} {step:?} {since:?}: {}",
                verdict.reason
            );
        }
    }
}

#[tokio::test]
async fn what_the_source_says_of_a_query_is_said() {
    let text = SPEC.replace("REST", "horizon: 2h");
    let mut shelf = Shelf::of(shop(15_000));
    shelf.refuses = Some("422 no such function <b>".to_owned());
    let verdict = ask(&judge_of(&text, shelf), START + 30 * MINUTE).await;
    let found = &verdict.findings[0];
    assert_eq!(
        (found.outcome, found.code),
        (Outcome::Inconclusive, Code::SourceDown)
    );
    for reason in [&verdict.reason, &found.reason] {
        assert!(
            reason.contains("e: metric source `default` refused the query: 422 no such function \u{2039}b\u{203a}"),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_shared_is_not_made_again() {
    let judge = judge_of(
        &SPEC.replace("REST", "horizon: 2h"),
        Shelf::of(shop(15_000)),
    );
    let at = START + 30 * MINUTE;
    let first = judge.judge(question(at)).await.unwrap();
    let second = judge.judge(question(at)).await.unwrap();
    assert_eq!(first.verdict, second.verdict);
    assert!(first.made && !second.made);
}

#[tokio::test]
async fn explicit_matchers_do_not_take_stable_for_the_canary() {
    let text = SPEC
        .replace(
            "{ label: hash }",
            "{ canary: '{hash=\"$canaryHash\"}', stable: '{hash=\"$stableHash\"}' }",
        )
        .replace("REST", "horizon: 40m");
    let mut rows = Vec::new();
    pod(&mut rows, ("sss222", 0), -60..60, None, 5_000);
    pod(&mut rows, ("ccc111", 1), 0..60, None, 15_000);
    for (_, labels, samples) in &mut rows {
        if labels.get("hash") == Some("ccc111") {
            samples.retain(|s| s.0 > START + 40_000);
        }
    }
    let verdict = ask(&judge_of(&text, Shelf::of(rows)), START + 20 * MINUTE).await;
    assert!(
        verdict.window.start > START + 38_000,
        "{}",
        verdict.window.start - START
    );
}
