//! The metric sources, against a scripted server and against the real databases.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "source/http.rs"]
mod http;
#[path = "source/real.rs"]
mod real;
#[path = "source/scrape.rs"]
mod scrape;
#[path = "support/scripted.rs"]
mod scripted;
#[path = "source/side_by_side.rs"]
mod side_by_side;

use rollout_judge::{
    config::source::{Kind, SourceSettings},
    domain::{
        Labels, Millis, NativeHistogram, PlannedQuery, ReadReport, SampleSink, Shape, SourceError,
        Window,
    },
    source,
};
use std::time::{Duration, Instant};

/// Keeps everything.
#[derive(Debug, Default)]
struct Kept {
    series: Vec<(Labels, Vec<(Millis, f64)>)>,
    histograms: Vec<(Millis, NativeHistogram)>,
    restarts: usize,
}

impl SampleSink for Kept {
    fn restart(&mut self) {
        self.series.clear();
        self.histograms.clear();
        self.restarts += 1;
    }
    fn series(&mut self, labels: Labels) {
        self.series.push((labels, Vec::new()));
    }
    fn sample(&mut self, at: Millis, value: f64) {
        self.series.last_mut().unwrap().1.push((at, value));
    }
    fn histogram(&mut self, at: Millis, value: NativeHistogram) {
        self.histograms.push((at, value));
    }
}

/// `up[1m]` as of 1000 s.
fn up() -> PlannedQuery {
    let window = Window {
        start: 940_000,
        end: 1_000_000,
    };
    PlannedQuery {
        text: "up[60000ms]".to_owned(),
        extra_filters: Vec::new(),
        shape: Shape::Raw { at: window.end },
        window,
    }
}

fn settings(url: &str) -> SourceSettings {
    SourceSettings::new(Kind::VictoriaMetrics, url)
}

/// Asks once, with eight seconds of time.
async fn ask(
    settings: &SourceSettings,
    query: &PlannedQuery,
) -> (Result<ReadReport, SourceError>, Kept) {
    ask_within(settings, query, Duration::from_secs(8)).await
}

async fn ask_within(
    settings: &SourceSettings,
    query: &PlannedQuery,
    time: Duration,
) -> (Result<ReadReport, SourceError>, Kept) {
    let source = source::build("default", settings).unwrap();
    let mut kept = Kept::default();
    let answer = source.read(query, Instant::now() + time, &mut kept).await;
    (answer, kept)
}
