//! From samples to a file and back, without a network and without a store.

use super::{
    blocks::WireBlocks,
    number::Number,
    pack::{self, BundleError},
    *,
};
use crate::gzip::gzip;
use crate::{
    domain::{
        Latch, MetricSource, Millis, NativeHistogram, Outcome, Override, Record, Revision, Verdict,
    },
    evidence::{
        Block, Counts, Gauges, Grid, Histograms, Identity, Means, PodCount, PodHistogram, SumCount,
    },
    judge::{Case, Force, Observed, evaluate},
    policy::{self, Policy},
    query::{Binding, Planner, Scope},
    service::{
        cache::RolloutEvidence,
        discover::Found,
        identity::{run_id, verdict_id},
        read::{self, Job, ObjectiveEvidence},
        tests::{SPEC, START, Shelf, question, shop},
    },
};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (0_u32..5000).prop_map(f64::from),
        2 => any::<f64>(),
        1 => prop::sample::select(vec![
            0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1, 9e15, 1e22, -3.0,
        ]),
    ]
}

fn pods<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(of, 0..4)
}

fn block() -> impl Strategy<Value = Block> {
    let count = (any::<u32>(), number(), number())
        .prop_map(|(pod, events, trials)| PodCount {
            pod,
            events,
            trials,
        })
        .boxed();
    let mean = (number(), number(), prop::option::of(number()))
        .prop_map(|(sum, count, squares)| SumCount {
            sum,
            count,
            squares,
        })
        .boxed();
    let buckets = (any::<u32>(), prop::collection::vec(number(), 0..6))
        .prop_map(|(pod, cumulative)| PodHistogram { pod, cumulative })
        .boxed();
    let edges = prop::sample::select(vec![
        vec![],
        vec![f64::INFINITY],
        vec![0.1, 0.5, f64::INFINITY],
        vec![0.1, 0.25],
    ]);
    prop_oneof![
        (pods(count.clone()), pods(count))
            .prop_map(|(canary, stable)| Block::Counts(Counts { canary, stable })),
        (edges, any::<bool>(), pods(buckets.clone()), pods(buckets)).prop_map(
            |(edges, sparse, canary, stable)| Block::Histograms(Histograms {
                edges,
                sparse,
                canary,
                stable
            })
        ),
        (prop::option::of(mean.clone()), prop::option::of(mean))
            .prop_map(|(canary, stable)| Block::Means(Means { canary, stable })),
        (prop::option::of(number()), prop::option::of(number()))
            .prop_map(|(canary, stable)| Block::Gauges(Gauges { canary, stable })),
    ]
}

proptest! {
    #[test]
    fn blocks_come_back_bit_for_bit(blocks in prop::collection::vec(block(), 0..12)) {
        let wire = WireBlocks::write(&blocks);
        let bytes = pack::payload(&recorder::Payload { v: 1, blocks: wire, pods: BTreeMap::new() });
        let read: recorder::Payload = pack::read_payload(&bytes).unwrap();
        // the text of a float is its bits, but for the bits of a NaN, which no judgement sees
        prop_assert_eq!(format!("{:?}", read.blocks.read()), format!("{blocks:?}"));
        let value = serde_json::to_value(&read.blocks).unwrap();
        let again: WireBlocks = serde_json::from_value(value).unwrap();
        prop_assert_eq!(format!("{:?}", again.read()), format!("{blocks:?}"));
    }

    #[test]
    fn numbers_come_back_bit_for_bit(value in any::<f64>()) {
        let text = serde_json::to_string(&Number(value)).unwrap();
        let read: Number = serde_json::from_str(&text).unwrap();
        prop_assert!(read.0.to_bits() == value.to_bits() || (read.0.is_nan() && value.is_nan()), "{}", text);
    }
}

fn load(text: &str) -> Policy {
    policy::load("p.yaml", text, None)
        .unwrap_or_else(|p| panic!("{p}"))
        .remove(0)
        .policy
}

/// A reading of the shop under a policy.
struct Reading {
    policy: Policy,
    shelf: Shelf,
    evidence: RolloutEvidence,
}

const FOUND: Found = Found {
    start: START,
    anchor: START,
    block: 30_000,
    lag: 30_000,
};

impl Reading {
    fn new(capture: Capture) -> Self {
        let policy = load(&SPEC.replace("REST", "horizon: 2h"));
        let identity = Identity {
            track_label: Some("hash".to_owned()),
            canary_hash: "ccc111".to_owned(),
            stable_hash: "sss222".to_owned(),
            pod_label: policy.pod_label.clone(),
            replica_labels: vec!["replica".to_owned()],
        };
        let run = run_id(START);
        let objectives = (0..).zip(&policy.objectives).map(|(part, o)| {
            ObjectiveEvidence::new(&policy, o, &FOUND, identity.clone())
                .recorded(Recorder::new(run, part, capture))
        });
        let evidence = RolloutEvidence {
            found: Some(FOUND),
            run: Some(run),
            objectives: objectives.collect(),
            sighted: false,
            said: Vec::new(),
        };
        Self {
            policy,
            shelf: Shelf::of(shop(15_000)),
            evidence,
        }
    }

    async fn ask(&mut self, at: Millis) -> Record {
        let question = question(at);
        let scope = Scope::parse(&self.policy.tracks, self.policy.match_text.as_deref()).unwrap();
        let binding = Binding {
            rollout: &question.rollout,
            params: &question.params,
        };
        let planner = Planner::new(&scope, binding, self.shelf.kind());
        let grid = Grid {
            anchor: FOUND.anchor,
            length: FOUND.block,
        };
        let closed = grid.last_closed(at, FOUND.lag);
        let jobs: Vec<Job<'_>> = self
            .policy
            .objectives
            .iter()
            .map(|objective| Job {
                objective,
                planner: &planner,
                source: &self.shelf,
                grid,
                deadline: Instant::now() + Duration::from_mins(1),
            })
            .collect();
        read::advance(&mut self.evidence.objectives, &jobs, closed).await;
        let problems = self.evidence.objectives.iter().map(|o| o.problem.as_ref());
        let causes: Vec<Option<String>> = problems.map(|p| p.map(ToString::to_string)).collect();
        let observed = self.evidence.objectives.iter().zip(&causes);
        let observed = observed.map(|(o, cause)| Observed {
            state: &o.state,
            problem: o.problem.as_ref().map(read::ReadError::code),
            cause: cause.as_deref(),
            series: (o.notes.canary_series, o.notes.stable_series),
        });
        let minute = (at - START) / 60_000;
        let latch = (minute % 7 > 3).then(|| Latch {
            at: at - 60_000,
            verdict: uuid::Uuid::nil(),
            reason: "too many errors".into(),
        });
        let ruling = (minute % 7 > 5).then(|| Override {
            id: uuid::Uuid::nil(),
            namespace: "n".into(),
            name: "r".into(),
            canary_hash: "ccc111".into(),
            outcome: Outcome::Pass,
            reason: "known".into(),
            author: "ann".into(),
            at: at - 30_000,
            expires: at + 1,
            revoked: Some((at + 1, "bob".into())),
        });
        let case = Case {
            policy: &self.policy,
            question: &question,
            id: verdict_id(&self.policy.revision, &question),
            sighted: false,
            start: Some(FOUND.anchor),
            exposed_since: Some(FOUND.start),
            block: FOUND.block,
            closed,
            step_since: Some(START),
            asked_since: Some(START + 1),
            observed: observed.collect(),
            warnings: vec!["e: 2 counter resets seen".to_owned()],
            force: Force {
                latch: latch.as_ref(),
                ruling: ruling.as_ref(),
            },
        };
        Record {
            verdict: evaluate(&case),
            inputs: Inputs::new(&case, &self.evidence).to_bytes(),
            question: question.clone(),
            run: self.evidence.run,
            kept_at: at + 5,
        }
    }

    fn revision(&self) -> Revision {
        Revision {
            name: self.policy.name.clone(),
            revision: self.policy.revision.clone(),
            text: self.policy.text.to_string(),
            first: START,
        }
    }
}

const ALL: Capture = Capture {
    blocks: true,
    samples: true,
};

#[tokio::test]
async fn every_verdict_of_a_rollout_is_replayed_byte_for_byte_from_what_was_recorded() {
    for (capture, polls) in [
        (ALL, 40),
        (
            Capture {
                blocks: true,
                samples: false,
            },
            150,
        ),
    ] {
        let mut reading = Reading::new(capture);
        reading.shelf.stumbles = Some(11);
        let (mut store, mut records) = (Vec::new(), Vec::new());
        for poll in 1..polls {
            records.push(reading.ask(START + poll * 30_000 + 1_000).await);
            // now and then the store does not take it
            if poll % 3 > 0 {
                let chunks = reading.evidence.pending();
                let keys: Vec<ChunkKey> = chunks.iter().map(chunk_key).collect();
                reading.evidence.kept(&keys);
                store.extend(chunks);
            }
        }
        store.extend(reading.evidence.pending());
        let mut outcomes = std::collections::BTreeSet::new();
        for record in &records {
            let bundle = assemble(record, &reading.revision(), &store).unwrap();
            let bytes = bundle.to_bytes();
            assert_eq!(bytes, bundle.to_bytes());
            let read = Bundle::from_bytes(&bytes).unwrap();
            let report = replay(&read).unwrap();
            assert_eq!(report.differences, Vec::<String>::new());
            let blocks = if capture.samples { report.blocks } else { 0 };
            assert_eq!(report.resampled, blocks);
            outcomes.insert(report.outcome);
        }
        assert!(outcomes.len() > 1, "{outcomes:?}");
    }
}

/// A file of one verdict, and the reading behind it.
async fn one() -> (Reading, Record, Vec<crate::domain::Chunk>, Bundle) {
    let mut reading = Reading::new(ALL);
    let record = reading.ask(START + 900_000).await;
    let chunks = reading.evidence.pending();
    let bundle = assemble(&record, &reading.revision(), &chunks).unwrap();
    (reading, record, chunks, bundle)
}

/// A kept verdict, the document that judged, and its blocks.
pub async fn kept_verdict() -> (Record, Revision, Vec<crate::domain::Chunk>) {
    let (reading, record, chunks, _) = one().await;
    (record, reading.revision(), chunks)
}

#[tokio::test]
async fn what_differs_is_said_in_words() {
    let (_, record, _, bundle) = one().await;
    let mut other = bundle.clone();
    let mut verdict: Verdict = record.verdict.clone();
    verdict.score += 1.0;
    verdict.findings[0].evidence.log_e_fail = 9.5;
    other.verdict = serde_json::to_value(&verdict).unwrap();
    other.program = "0.0.1".to_owned();
    let report = replay(&Bundle::from_bytes(&other.sealed().to_bytes()).unwrap()).unwrap();
    assert!(report.other_version() && !report.equal());
    let text = report.differences.join("\n");
    assert!(
        text.contains("objective `e`: evidence.log_e_fail: was 9.5, is ")
            && text.contains("score: was "),
        "{text}"
    );
    let mut other = bundle.clone();
    other.policy.text = other.policy.text.replace("horizon: 2h", "horizon: 90m");
    let report = replay(&other).unwrap();
    assert!(
        report.differences[0].contains("revision was sha256:"),
        "{report:?}"
    );
    let mut other = bundle;
    other.policy.text = "apiVersion: rollout-judge/v9".to_owned();
    let report = replay(&other).unwrap();
    assert!(
        report.differences[0].contains("cannot be loaded"),
        "{report:?}"
    );
}

#[tokio::test]
async fn samples_are_held_against_the_blocks() {
    let (_, _, _, bundle) = one().await;
    let mut value = serde_json::to_value(&bundle).unwrap();
    let points = value["samples"][0]["series"][0]["points"]
        .as_array_mut()
        .unwrap();
    let last = points.len() - 1;
    points[last][1] = serde_json::json!(1e6);
    let report = replay(&serde_json::from_value(value).unwrap()).unwrap();
    let text = report.differences.join("\n");
    assert!(
        text.contains("made of the kept samples is another"),
        "{text}"
    );
}

#[tokio::test]
async fn samples_that_are_too_much_are_left_out_with_a_word() {
    let (.., bundle) = one().await;
    assert_eq!(bundle.samples_left_out, None);
    let bounded = |limit| bundle.clone().bounded(limit).sealed();
    assert_eq!(bounded(LARGEST), bundle);
    let small = bounded(2 << 10);
    let read = Bundle::from_bytes(&small.to_bytes()).unwrap();
    assert!(read.samples.is_empty());
    let why = replay(&read).unwrap().samples_left_out.unwrap();
    assert!(why.contains("a bundle has at most"), "{why}");
}

#[tokio::test]
async fn files_that_are_no_whole_bundle_are_refused_with_the_reason() {
    let (_, _, _, bundle) = one().await;
    let whole = bundle.to_bytes();
    let json = pack::gunzip(&whole, LARGEST).unwrap();
    let packed = |json: &str| gzip(json.as_bytes());
    let text = String::from_utf8(json).unwrap();
    let bomb = gzip(&vec![b' '; LARGEST as usize + 9]);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    for (bytes, words) in [
        (b"hello".to_vec(), "not a whole gzip file"),
        (Vec::new(), "not a whole gzip file"),
        (whole[..whole.len() - 9].to_vec(), "not a whole gzip file"),
        (whole[..whole.len() / 3].to_vec(), "not a whole gzip file"),
        (flipped, "not a whole gzip file"),
        (packed("{}"), "there is no `\"format\""),
        (packed("[1,2]"), "there is no `\"format\""),
        (packed("nonsense"), "not a bundle of rollout-judge"),
        (
            packed(&text[..text.len() - 1]),
            "not a bundle of rollout-judge",
        ),
        (
            packed(&text.replace("\"version\":1,", "\"version\":2,")),
            "use the newer program",
        ),
        (
            packed(&text.replacen("\"weight\":25", "\"weight\":26", 1)),
            "it was altered",
        ),
        (
            packed(&text.replacen("sha256:", "sha256:0", 1)),
            "it was altered",
        ),
        (bomb, "more than 67108864 bytes"),
    ] {
        let error = Bundle::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    // white space and the order of keys are no content
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    assert_eq!(Bundle::from_bytes(&packed(&pretty)).unwrap(), bundle);
}

#[tokio::test]
async fn blocks_that_retention_removed_are_missed() {
    let (reading, record, chunks, _) = one().await;
    let revision = reading.revision();
    let gone = assemble(&record, &revision, &[]).unwrap_err();
    assert!(
        matches!(gone, AssembleError::BlocksGone { part: 0, .. }),
        "{gone}"
    );
    let mut odd = chunks.clone();
    odd[0].last += 1;
    let refused = assemble(&record, &revision, &odd).unwrap_err();
    assert!(
        matches!(
            refused,
            AssembleError::Unreadable(BundleError::Inconsistent { .. })
        ),
        "{refused}"
    );
    let mut newer = record.clone();
    newer.inputs = br#"{"v":3,"program":"9.9.9"}"#.to_vec();
    let refused = assemble(&newer, &revision, &chunks)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("program 9.9.9"), "{refused}");
}

#[tokio::test]
async fn what_waits_for_the_store_is_bounded() {
    let (mut reading, ..) = one().await;
    let pending = reading.evidence.pending();
    reading.evidence.kept(&[chunk_key(&pending[0])]);
    assert_eq!(reading.evidence.pending().len(), pending.len() - 1);
    reading.evidence.bound(true);
    assert!(reading.evidence.run.is_some(), "little is no reason");
    reading.evidence.objectives[0]
        .recorder
        .samples(0, 500, 501, vec![0; 5 << 20]);
    reading.evidence.bound(false);
    assert!(
        reading
            .evidence
            .pending()
            .iter()
            .all(|c| c.payload.len() < 1 << 20)
    );
    assert!(
        reading.evidence.run.is_some(),
        "nothing is kept of a dry run"
    );
    reading.evidence.bound(true);
    assert_eq!(
        reading.evidence.run, None,
        "a kept verdict needs a new reading"
    );
}

#[test]
fn native_histograms_are_taped_as_they_are() {
    use crate::domain::{Labels, SampleSink};
    #[derive(Debug, Default, PartialEq)]
    struct Log(Vec<String>);
    impl SampleSink for Log {
        fn restart(&mut self) {
            self.0.clear();
        }
        fn series(&mut self, labels: Labels) {
            self.0.push(labels.to_string());
        }
        fn sample(&mut self, at: Millis, value: f64) {
            self.0.push(format!("{at} {value:?}"));
        }
        fn histogram(&mut self, at: Millis, value: NativeHistogram) {
            self.0.push(format!("{at} {value:?}"));
        }
    }
    let feed = |sink: &mut dyn SampleSink| {
        sink.series(Labels::new([("a", "\"\\\n")]));
        sink.sample(START, 1.5);
        sink.sample(START + 15_000, f64::NAN);
        sink.series(Labels::default());
        sink.series(Labels::new([("b", "é")]));
        let value = NativeHistogram {
            count: 3.0,
            sum: 0.1,
            buckets: vec![(f64::NEG_INFINITY, 0.5, 1.0), (0.5, f64::INFINITY, 2.0)],
        };
        sink.histogram(START, value);
    };
    let mut tape = Tape::new();
    feed(&mut tape);
    tape.restart();
    feed(&mut tape);
    let payload = tape.finish("q{}", 3, &Identity::default(), &[]);
    let (mut expected, mut found) = (Log::default(), Log::default());
    feed(&mut expected);
    samples::Samples::read(&payload).unwrap().play(&mut found);
    assert_eq!(found, expected);
}

/// How much a reading holds until it is kept, and what recording costs. Prints; bounds are far off.
#[test]
fn recording_is_small_and_cheap() {
    let edges: Vec<f64> = (0..13)
        .map(|i| 0.005 * 2_f64.powi(i))
        .chain([f64::INFINITY])
        .collect();
    let block = |index: i64| {
        let arm = |first: u32| {
            (first..first + 10)
                .map(|pod| {
                    let mut sum = 0.0;
                    let cumulative = (0..14).map(|edge| {
                        let seed = index * 977 + i64::from(pod) * 31 + edge;
                        sum += f64::from(
                            u8::try_from(seed.rem_euclid(41)).unwrap_or(0)
                                / if edge > 8 { 20 } else { 1 },
                        );
                        sum
                    });
                    PodHistogram {
                        pod,
                        cumulative: cumulative.collect(),
                    }
                })
                .collect()
        };
        Block::Histograms(Histograms {
            edges: edges.clone(),
            sparse: false,
            canary: arm(0),
            stable: arm(10),
        })
    };
    let capture = Capture {
        blocks: true,
        samples: false,
    };
    let cold: Vec<(i64, Block)> = (0..70).map(|i| (i, block(i))).collect();
    let mut recorder = Recorder::new(run_id(START), 0, capture);
    let begun = Instant::now();
    recorder.blocks(&cold, std::iter::empty());
    let took = begun.elapsed();
    let bytes: usize = recorder.pending().map(|c| c.payload.len()).sum();
    let begun = Instant::now();
    for i in 70..170 {
        let mut one = recorder.clone();
        one.blocks(&[(i, block(i))], std::iter::empty());
    }
    println!(
        "cold: {bytes} bytes in {took:?}; one block: {:?}",
        begun.elapsed() / 100
    );
    assert!(bytes < 64 << 10, "{bytes}");
}
