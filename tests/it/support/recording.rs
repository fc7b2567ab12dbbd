//! Recorded rollouts: `fixtures/scenarios/NAME.json.gz`, documented in the README there.

use flate2::read::GzDecoder;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// All recordings.
pub const NAMES: [&str; 6] = [
    "error_step",
    "healthy_basic",
    "latency_tail",
    "low_traffic_healthy",
    "shared_outage",
    "warmup_spike",
];

/// One recording.
#[derive(Debug, Clone, Deserialize)]
pub struct Recording {
    pub name: String,
    /// Epoch seconds.
    pub t0: i64,
    pub scrape_interval_s: i64,
    /// Scrapes.
    pub samples: i64,
    pub rollout: Walk,
    pub series: Vec<RecordedSeries>,
}

/// The rollout that was recorded; seconds from `t0`.
#[derive(Debug, Clone, Deserialize)]
pub struct Walk {
    pub start_s: i64,
    pub steps: Vec<WalkStep>,
}

/// One weight.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct WalkStep {
    pub weight: f64,
    pub from_s: i64,
    pub to_s: i64,
}

/// One series.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordedSeries {
    pub metric: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub labels: BTreeMap<String, String>,
    /// Index of the first sample.
    pub first: i64,
    /// `None`: not scraped.
    pub values: Vec<Option<f64>>,
}

impl RecordedSeries {
    /// Name of the metric family in OpenMetrics.
    fn family(&self) -> &str {
        let ends: &[&str] = match self.kind.as_str() {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[],
        };
        ends.iter()
            .find_map(|end| self.metric.strip_suffix(end))
            .unwrap_or(&self.metric)
    }

    fn head(&self, extra: &[(String, String)]) -> String {
        let own = self.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let more = extra.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let pairs: Vec<String> = own.chain(more).map(|(n, v)| format!("{n}={v:?}")).collect();
        format!("{}{{{}}}", self.metric, pairs.join(","))
    }
}

/// Folder of the recordings.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios")
}

impl Recording {
    pub fn load(name: &str) -> Self {
        let path = folder().join(format!("{name}.json.gz"));
        let file = File::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut text = String::new();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let recording: Self =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(recording.name, name);
        recording
    }

    /// All of them, each with the label `scenario`.
    pub fn all() -> Vec<(Self, Vec<(String, String)>)> {
        let label = |name: &str| vec![("scenario".to_owned(), name.to_owned())];
        NAMES.map(|name| (Self::load(name), label(name))).into()
    }

    /// Samples of a series: epoch seconds and value.
    pub fn samples_of<'a>(
        &'a self,
        series: &'a RecordedSeries,
    ) -> impl Iterator<Item = (i64, f64)> + 'a {
        let values = series.values.iter().zip(series.first + 1..);
        values.filter_map(|(value, i)| Some((self.t0 + i * self.scrape_interval_s, (*value)?)))
    }

    /// End of the recording, epoch seconds.
    pub fn end(&self) -> i64 {
        self.t0 + self.samples * self.scrape_interval_s
    }

    /// The pod-template hash of a track; there is exactly one.
    pub fn hash(&self, track: &str) -> String {
        let of_track = |s: &&RecordedSeries| s.labels.get("track").is_some_and(|t| t == track);
        let hashes: BTreeSet<&String> = self
            .series
            .iter()
            .filter(of_track)
            .filter_map(|s| s.labels.get("rollouts_pod_template_hash"))
            .collect();
        assert_eq!(
            hashes.len(),
            1,
            "{}: hashes of {track}: {hashes:?}",
            self.name
        );
        hashes.into_iter().next().unwrap().clone()
    }

    /// Names of its metrics.
    pub fn metrics(&self) -> BTreeSet<&str> {
        self.series.iter().map(|s| s.metric.as_str()).collect()
    }

    /// The step at a moment (epoch seconds), with its index; the last second of a step belongs to it.
    pub fn step_at(&self, at: i64) -> (usize, WalkStep) {
        let from_start = at - self.t0;
        let mut steps = self.rollout.steps.iter().copied().enumerate();
        steps
            .find(|(_, step)| step.from_s < from_start && from_start <= step.to_s)
            .unwrap_or_else(|| panic!("{}: no step at {from_start} s", self.name))
    }

    /// Prometheus text format with milliseconds, for `/api/v1/import/prometheus`.
    pub fn prometheus_text(&self, extra: &[(String, String)]) -> String {
        let mut out = String::new();
        for series in &self.series {
            self.write(&mut out, series, extra, 1000);
        }
        out
    }

    fn write(
        &self,
        out: &mut String,
        series: &RecordedSeries,
        extra: &[(String, String)],
        scale: i64,
    ) {
        let head = series.head(extra);
        for (at, value) in self.samples_of(series) {
            writeln!(out, "{head} {value} {}", at * scale).unwrap();
        }
    }
}

/// OpenMetrics text of several recordings, for `promtool tsdb create-blocks-from openmetrics`.
pub fn openmetrics_text(recordings: &[(Recording, Vec<(String, String)>)]) -> String {
    let mut lines: Vec<(&str, usize, &RecordedSeries)> = recordings
        .iter()
        .enumerate()
        .flat_map(|(i, (recording, _))| recording.series.iter().map(move |s| (s.family(), i, s)))
        .collect();
    // the lines of a family must stand together
    lines.sort_by_key(|(family, i, series)| (*family, *i, &series.labels));
    let mut out = String::new();
    let mut last = "";
    for (family, i, series) in lines {
        if family != last {
            writeln!(out, "# TYPE {family} {}", series.kind).unwrap();
            last = family;
        }
        let (recording, extra) = &recordings[i];
        recording.write(&mut out, series, extra, 1);
    }
    out.push_str("# EOF\n");
    out
}

#[test]
fn recordings_are_what_the_readme_says() {
    for (recording, _) in Recording::all() {
        assert_eq!((recording.samples, recording.scrape_interval_s), (360, 15));
        let weights: Vec<f64> = recording.rollout.steps.iter().map(|s| s.weight).collect();
        assert_eq!(weights, [5.0, 25.0, 50.0, 100.0]);
        assert_eq!(recording.end() - recording.t0, 5400);
        assert_ne!(recording.hash("canary"), recording.hash("stable"));
        assert_eq!(recording.step_at(recording.t0 + 2700).0, 0);
        assert_eq!(recording.step_at(recording.t0 + 2730).0, 1);
        assert!(recording.metrics().contains("shop_orders_total"));
        let canary_before = recording.series.iter().any(|s| {
            s.labels["track"] == "canary"
                && recording
                    .samples_of(s)
                    .any(|(at, _)| at <= recording.t0 + 1800)
        });
        assert!(
            !canary_before,
            "{}: canary before its start",
            recording.name
        );
    }
}

#[test]
fn texts_are_the_two_formats() {
    let series = |metric: &str, kind: &str, values: &[Option<f64>]| RecordedSeries {
        metric: metric.to_owned(),
        kind: kind.to_owned(),
        labels: BTreeMap::from([("pod".to_owned(), "a".to_owned())]),
        first: 2,
        values: values.to_vec(),
    };
    let recording = Recording {
        name: "x".to_owned(),
        t0: 1000,
        scrape_interval_s: 15,
        samples: 4,
        rollout: Walk {
            start_s: 0,
            steps: Vec::new(),
        },
        series: vec![
            series("up", "gauge", &[Some(0.25)]),
            series("lat_sum", "histogram", &[Some(0.5)]),
            series("a_total", "counter", &[Some(1.0), None, Some(3.0)]),
        ],
    };
    let extra = vec![("scenario".to_owned(), "x".to_owned())];
    let text = recording.prometheus_text(&extra);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "up{pod=\"a\",scenario=\"x\"} 0.25 1045000");
    assert_eq!(lines[3], "a_total{pod=\"a\",scenario=\"x\"} 3 1075000");
    assert_eq!(
        openmetrics_text(&[(recording, Vec::new())]),
        "# TYPE a counter\na_total{pod=\"a\"} 1 1045\na_total{pod=\"a\"} 3 1075\n\
         # TYPE lat histogram\nlat_sum{pod=\"a\"} 0.5 1045\n# TYPE up gauge\nup{pod=\"a\"} 0.25 1045\n# EOF\n"
    );
}
