//! Raw answers as they were read, written down while they arrive: nothing but their compressed form is held.

use super::{number::Number, pack, pack::BundleError};
use crate::{
    domain::{Labels, Millis, NativeHistogram, SampleSink, Track},
    evidence::{Identity, Role},
};
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize, ser::SerializeMap};
use std::{collections::BTreeMap, io::Write};

/// Text that waits for the compressor.
const BUFFER: usize = 16 << 10;

/// For whom an answer was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taker {
    /// Place of the objective in the policy.
    pub objective: u32,
    /// What the series stand for.
    pub role: String,
    /// The arm of all series, where a query asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<Track>,
    /// First block.
    pub first: i64,
    /// Last block.
    pub last: i64,
}

/// Words of the roles.
const ROLES: [(Role, &str); 7] = [
    (Role::Events, "events"),
    (Role::Trials, "trials"),
    (Role::Histogram, "histogram"),
    (Role::Sum, "sum"),
    (Role::Count, "count"),
    (Role::Squares, "squares"),
    (Role::Level, "level"),
];

impl Taker {
    /// An objective that a query was asked for, about these blocks.
    pub fn new(objective: u32, role: Role, arm: Option<Track>, blocks: (i64, i64)) -> Self {
        let word = ROLES.iter().find(|(r, _)| *r == role);
        Self {
            objective,
            role: word.map_or_else(String::new, |(_, word)| (*word).to_owned()),
            arm,
            first: blocks.0,
            last: blocks.1,
        }
    }

    /// What the series stand for.
    pub(super) fn role(&self) -> Option<Role> {
        ROLES.iter().find(|(_, w)| *w == self.role).map(|(r, _)| *r)
    }
}

/// How series were told apart, beside the hashes of the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WireIdentity {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) track_label: Option<String>,
    pub(super) pod_label: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) replica_labels: Vec<String>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Samples {
    v: u32,
    pub(super) series: Vec<WireSeries>,
    query: String,
    /// Place among the queries that were sent together.
    pub(super) order: u32,
    pub(super) identity: WireIdentity,
    pub(super) takers: Vec<Taker>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireSeries {
    pub labels: BTreeMap<String, String>,
    /// Milliseconds since the sample before (the first: since the epoch), and the value.
    points: Vec<(Millis, Point)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Point {
    Plain(Number),
    Native {
        count: Number,
        sum: Number,
        buckets: Vec<(Number, Number, Number)>,
    },
}

impl Samples {
    /// Reads the payload of a chunk.
    pub(super) fn read(payload: &[u8]) -> Result<Self, BundleError> {
        pack::read_payload(payload)
    }

    /// Plays the answer again.
    pub(super) fn play(&self, sink: &mut dyn SampleSink) {
        for series in &self.series {
            sink.series(Labels::new(series.labels.iter()));
            let mut at = 0;
            for (step, point) in &series.points {
                at += step;
                match point {
                    Point::Plain(value) => sink.sample(at, value.0),
                    Point::Native {
                        count,
                        sum,
                        buckets,
                    } => sink.histogram(
                        at,
                        NativeHistogram {
                            count: count.0,
                            sum: sum.0,
                            buckets: buckets.iter().map(|b| (b.0.0, b.1.0, b.2.0)).collect(),
                        },
                    ),
                }
            }
        }
    }
}

/// Writes one answer down.
pub struct Tape {
    out: GzEncoder<Vec<u8>>,
    text: Vec<u8>,
    state: State,
}

/// Where in the text we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Empty,
    /// In a series whose last sample is this old.
    Series {
        last: Millis,
        points: bool,
    },
}

impl Default for Tape {
    fn default() -> Self {
        Self::new()
    }
}

impl Tape {
    /// An empty tape.
    pub fn new() -> Self {
        Self {
            out: GzEncoder::new(Vec::new(), Compression::fast()),
            text: br#"{"v":1,"series":["#.to_vec(),
            state: State::Empty,
        }
    }

    /// The payload of a chunk.
    pub fn finish(
        mut self,
        query: &str,
        order: u32,
        identity: &Identity,
        takers: &[Taker],
    ) -> Vec<u8> {
        if self.state != State::Empty {
            self.text.extend_from_slice(b"]}");
        }
        self.text.extend_from_slice(br#"],"query":"#);
        self.json(&query);
        self.text.extend_from_slice(br#","order":"#);
        self.json(&order);
        self.text.extend_from_slice(br#","identity":"#);
        self.json(&WireIdentity {
            track_label: identity.track_label.clone(),
            pod_label: identity.pod_label.clone(),
            replica_labels: identity.replica_labels.clone(),
        });
        self.text.extend_from_slice(br#","takers":"#);
        self.json(&takers);
        self.text.push(b'}');
        self.flush();
        self.out.finish().unwrap_or_default()
    }

    /// Writing to memory does not fail.
    fn json<T: Serialize>(&mut self, value: &T) {
        let _ = serde_json::to_writer(&mut self.text, value);
    }

    fn flush(&mut self) {
        let _ = self.out.write_all(&self.text);
        self.text.clear();
    }

    fn point(&mut self, at: Millis, point: &Point) {
        let State::Series { last, points } = self.state else {
            return;
        };
        if points {
            self.text.push(b',');
        }
        self.json(&(at - last, point));
        self.state = State::Series {
            last: at,
            points: true,
        };
        if self.text.len() > BUFFER {
            self.flush();
        }
    }
}

/// Labels as one object.
struct Object<'a>(&'a Labels);

impl Serialize for Object<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl SampleSink for Tape {
    fn restart(&mut self) {
        *self = Self::new();
    }

    fn series(&mut self, labels: Labels) {
        if self.state != State::Empty {
            self.text.extend_from_slice(b"]},");
        }
        self.text.extend_from_slice(br#"{"labels":"#);
        self.json(&Object(&labels));
        self.text.extend_from_slice(br#","points":["#);
        self.state = State::Series {
            last: 0,
            points: false,
        };
    }

    fn sample(&mut self, at: Millis, value: f64) {
        self.point(at, &Point::Plain(Number(value)));
    }

    fn histogram(&mut self, at: Millis, value: NativeHistogram) {
        let number = |n: &f64| Number(*n);
        let buckets = value.buckets.iter();
        self.point(
            at,
            &Point::Native {
                count: Number(value.count),
                sum: Number(value.sum),
                buckets: buckets
                    .map(|(a, b, c)| (number(a), number(b), number(c)))
                    .collect(),
            },
        );
    }
}
