//! Our scraper and a real Prometheus scrape the same targets; every question of the service has the same answer from both,
//! up to the moments of the scrapes.

use crate::{
    Kept,
    real::{free_port, installed, spawn, until_it_answers},
    scripted::{Reply, Scripted},
};
use rollout_judge::{
    config::{
        scrape::{ScrapeSettings, StaticTargets},
        source::{Kind, SourceSettings},
        units::HumanDuration,
    },
    domain::{Clock, Labels, MetricSource, Millis, PlannedQuery, Shape, SystemClock, Window},
    source::{
        self,
        scrape::{Scraper, Silent},
    },
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

const INTERVAL: Millis = 200;
const PATIENCE: Duration = Duration::from_mins(1);

type Answer = BTreeMap<Labels, Vec<(Millis, f64)>>;

async fn read(source: &dyn MetricSource, query: &PlannedQuery) -> Answer {
    let mut kept = Kept::default();
    let until = Instant::now() + PATIENCE;
    source.read(query, until, &mut kept).await.unwrap();
    kept.series.into_iter().collect()
}

async fn raw(source: &dyn MetricSource, selector: &str, end: Millis) -> Answer {
    let query = PlannedQuery {
        text: format!("{selector}[600000ms]"),
        extra_filters: Vec::new(),
        shape: Shape::Raw { at: end },
        window: Window {
            start: end - 600_000,
            end,
        },
    };
    read(source, &query).await
}

/// How often a target was seen up and down.
async fn ups(source: &dyn MetricSource, path: &str) -> (usize, usize) {
    let selector = format!("up{{path=\"{path}\"}}");
    let up = raw(source, &selector, SystemClock.now()).await;
    let values = up.values().flatten().map(|(_, value)| *value);
    let (up, down): (Vec<f64>, Vec<f64>) = values.partition(|value| *value > 0.0);
    (up.len(), down.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_answers_as_prometheus() {
    if !installed("prometheus") {
        return;
    }
    let late = Arc::new(AtomicBool::new(false));
    let (seen_late, written) = (Arc::clone(&late), SystemClock.now() - 30_000);
    let server = Scripted::start(move |seen| {
        let late = seen_late.load(Ordering::SeqCst);
        match seen.path.as_str() {
            "/dies" if late => Reply::new(500, "gone"),
            "/open" => Reply::new(200, "# TYPE m counter\nm_total{code=\"200\",job=\"own\"} 1 # {id=\"1\"} 1\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 0.3\n# EOF\n")
                .header("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
            path => {
                let vanishing = if late { "" } else { "gone_total 1\n" };
                Reply::new(200, format!("# HELP m_total x\nm_total{{code=\"200\",empty=\"\"}} 10\nm_total{{code=\"503\",text=\"a\\\"b\\\\c\\nd\\te\"}} 2.5\nm_total{{code=\"x\"}} NaN\n{vanishing}written {path_length} {written}\nexported_job{{instance=\"inner\"}} +Inf\n", path_length = path.len()))
            }
        }
    })
    .await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let paths = ["/a", "/dies", "/open"];
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let job = |path: &str| {
        json!({
            "job_name": path, "metrics_path": path, "scrape_interval": "200ms", "scrape_timeout": "200ms",
            "relabel_configs": [{"target_label": "job", "replacement": "shop"}],
            "static_configs": [{"targets": [address], "labels": {"path": path, "pod": "p"}}],
        })
    };
    let config = json!({"scrape_configs": paths.map(job)});
    std::fs::write(dir.path().join("prometheus.yml"), config.to_string()).unwrap();
    let arguments = [
        "--config.file=prometheus.yml".to_owned(),
        "--storage.tsdb.path=data".to_owned(),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let database = spawn(dir, "prometheus", port, &arguments);
    let api = SourceSettings::new(Kind::Prometheus, &database.url);
    until_it_answers(&api, 0).await;
    let theirs = source::build("default", &api).unwrap();
    let settings = ScrapeSettings {
        scrape_interval: HumanDuration(Duration::from_millis(INTERVAL as u64)),
        job_name: Some("shop".to_owned()),
        targets: paths
            .iter()
            .map(|path| StaticTargets {
                targets: vec![address.clone()],
                labels: [("path", *path), ("pod", "p"), ("__metrics_path__", path)]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
            })
            .collect(),
        ..ScrapeSettings::default()
    };
    let ours = Scraper::start(
        "default",
        &settings,
        Arc::new(SystemClock),
        Arc::new(Silent),
    )
    .unwrap();
    let both: [&dyn MetricSource; 2] = [&*theirs, &ours];
    let end = Instant::now() + PATIENCE;
    // until both have seen each target often enough
    let wait = async |path: &str, up: usize, down: usize| {
        for source in both {
            loop {
                let seen = ups(source, path).await;
                if seen.0 >= up && seen.1 >= down {
                    break;
                }
                assert!(Instant::now() < end, "{path}: {seen:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    for path in paths {
        wait(path, 12, 0).await;
    }
    late.store(true, Ordering::SeqCst);
    // a due time may be two milliseconds after the scrape
    let alive = SystemClock.now() + 5;
    wait("/dies", 12, 8).await;
    let now = SystemClock.now();

    for selector in [
        "m_total",
        r#"m_total{code="200"}"#,
        r#"m_total{code!="200",job="shop"}"#,
        r#"m_total{code=~"2..|x"}"#,
        r#"m_total{code=~"2"}"#,
        r#"m_total{code!~"2.*"}"#,
        r#"m_total{exported_job="own"}"#,
        r#"m_total{exported_job=""}"#,
        r#"{__name__=~"m_.*|gone_total",path!=""}"#,
        "gone_total",
        "h_bucket",
        "written",
        r#"exported_job{exported_instance=~".+"}"#,
        "up",
        "scrape_samples_scraped",
        r#"scrape_duration_seconds{path="/a"}"#,
        "nothing",
    ] {
        let mut answers = Vec::new();
        for source in both {
            answers.push(raw(source, selector, now).await);
        }
        let [theirs, ours] = answers.try_into().unwrap();
        let names = |answer: &Answer| {
            answer
                .keys()
                .map(ToString::to_string)
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(names(&theirs), names(&ours), "{selector}");
        assert_eq!(
            theirs.is_empty(),
            ["nothing", r#"m_total{code=~"2"}"#].contains(&selector)
        );
        let timed = selector.contains("duration");
        for (labels, theirs) in &theirs {
            let ours = &ours[labels];
            let values = |samples: &[(Millis, f64)]| {
                let mut bits: Vec<u64> = samples.iter().map(|(_, value)| value.to_bits()).collect();
                bits.dedup();
                bits
            };
            assert!(
                timed || values(theirs) == values(ours),
                "{labels}: {theirs:?} {ours:?}"
            );
            // who ends, ends for both; no staleness marker is among the samples
            let last = |samples: &[(Millis, f64)]| samples.last().unwrap().0;
            let (a, b) = (last(theirs), last(ours));
            assert_eq!(a <= alive, b <= alive, "{labels}: {a} and {b}, {alive}");
            if selector == "written" {
                assert_eq!((theirs, theirs.len(), theirs[0].0), (ours, 1, written));
            }
        }
    }
    // how many series had samples, while all lived and after some had died
    for (selector, at) in [
        ("gone_total", alive - 1000),
        ("gone_total", now),
        ("m_total", alive - 1000),
        ("m_total", now),
    ] {
        let query = PlannedQuery {
            text: format!("count(count_over_time({selector}[{}ms]))", 3 * INTERVAL),
            extra_filters: Vec::new(),
            shape: Shape::Range {
                start: at - 300,
                end: at,
                step: 100,
            },
            window: Window {
                start: at - 301,
                end: at,
            },
        };
        let mut answers = Vec::new();
        for source in both {
            answers.push(read(source, &query).await);
        }
        assert_eq!(answers[0], answers[1], "{selector}");
    }
}
