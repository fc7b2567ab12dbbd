//! How fast a large raw answer is decoded, beside `memcpy`, and how much memory it takes. Nothing timed is asserted.

use rollout_judge::{
    domain::{Labels, Millis, NativeHistogram, SampleSink, Window},
    source::wire::{Decoder, Limits},
};
use std::{fmt::Write, hint::black_box, time::Instant};

const SIZE: usize = 50 << 20;
const CHUNK: usize = 64 << 10;

#[derive(Default)]
struct Sum(f64, u64);

impl SampleSink for Sum {
    fn restart(&mut self) {}
    fn series(&mut self, labels: Labels) {
        black_box(labels);
    }
    fn sample(&mut self, at: Millis, value: f64) {
        self.0 += value;
        self.1 ^= at.cast_unsigned();
    }
    fn histogram(&mut self, _: Millis, value: NativeHistogram) {
        black_box(value);
    }
}

fn answer(value: impl Fn(u64) -> String) -> Vec<u8> {
    let mut text = String::with_capacity(SIZE + 4096);
    text.push_str(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    let mut series = 0;
    while text.len() < SIZE {
        if series > 0 {
            text.push(',');
        }
        let _ = write!(
            text,
            r#"{{"metric":{{"__name__":"http_requests_total","code":"200","namespace":"shop","pod":"checkout-7d9f-{series}","rollouts_pod_template_hash":"7d9f"}},"values":["#
        );
        for i in 0..480_u64 {
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(
                text,
                "{comma}[{}.123,\"{}\"]",
                1_767_225_600 + i * 15,
                value(series * 1000 + i)
            );
        }
        text.push_str("]}");
        series += 1;
    }
    text.push_str("]}}");
    text.into_bytes()
}

fn high_water_kib() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|s| {
            let line = s.lines().find(|l| l.starts_with("VmHWM"))?.to_owned();
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}

fn decode(body: &[u8]) -> u64 {
    let limits = Limits {
        bytes: u64::MAX,
        series: u64::MAX,
        window: Window {
            start: i64::MIN,
            end: i64::MAX,
        },
    };
    let mut sink = Sum::default();
    let mut decoder = Decoder::new(limits);
    for chunk in body.chunks(CHUNK) {
        if let Err(error) = decoder.feed(chunk, &mut sink) {
            println!("decode: {error}");
            return 0;
        }
    }
    let samples = decoder.finish(&mut sink).map_or(0, |report| report.samples);
    black_box(sink.0);
    samples
}

fn main() {
    let megabytes = SIZE as f64 / 1e6;
    for (name, body) in [
        ("integers", answer(|i| (288_515_434 + i * 37).to_string())),
        (
            "decimals",
            answer(|i| format!("{:.6}", i as f64 * 1.37 + 0.123)),
        ),
        ("floats", answer(|i| format!("{}", (i as f64 + 0.5).sqrt()))),
    ] {
        let mut copy = vec![0_u8; body.len()];
        let best_copy = best(|| {
            copy.copy_from_slice(black_box(&body));
            black_box(&copy);
        });
        drop(copy);
        // the high-water mark starts anew (Linux)
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let before = high_water_kib();
        let samples = decode(&body);
        let grown = high_water_kib().saturating_sub(before);
        let best_decode = best(|| {
            black_box(decode(black_box(&body)));
        });
        println!(
            "{name:9} {samples} samples: {:.0} MB/s, memcpy {:.0} MB/s, 1/{:.0} of it; peak memory +{grown} KiB",
            megabytes / best_decode,
            megabytes / best_copy,
            best_decode / best_copy,
        );
    }
}

/// Processor seconds of the quickest of five runs: other work on the machine counts little.
fn best(mut run: impl FnMut()) -> f64 {
    (0..5)
        .map(|_| {
            let (start, wall) = (processor_seconds(), Instant::now());
            run();
            match (start, processor_seconds()) {
                (Some(start), Some(end)) => end - start,
                _ => wall.elapsed().as_secs_f64(),
            }
        })
        .fold(f64::INFINITY, f64::min)
}

/// What the scheduler has given to this thread so far (Linux).
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanos as f64 / 1e9)
}
