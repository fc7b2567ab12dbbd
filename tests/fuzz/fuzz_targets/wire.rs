//! Any bytes as an answer, whole and in pieces: the same result, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollout_judge::{
    domain::{Labels, Millis, NativeHistogram, ReadReport, SampleSink, Window},
    source::wire::{Decoder, Limits, WireError},
};

#[derive(Default)]
struct Count(u64);

impl SampleSink for Count {
    fn restart(&mut self) {}
    fn series(&mut self, _: Labels) {
        self.0 += 1;
    }
    fn sample(&mut self, _: Millis, _: f64) {
        self.0 += 1;
    }
    fn histogram(&mut self, _: Millis, _: NativeHistogram) {
        self.0 += 1;
    }
}

fn decode(body: &[u8], size: usize) -> (u64, Result<ReadReport, WireError>) {
    let mut count = Count::default();
    let mut decoder = Decoder::new(Limits {
        bytes: 1 << 20,
        series: 1000,
        window: Window {
            start: 0,
            end: 2_000_000_000_000,
        },
    });
    for chunk in body.chunks(size) {
        if let Err(error) = decoder.feed(chunk, &mut count) {
            return (count.0, Err(error));
        }
    }
    let end = decoder.finish(&mut count);
    (count.0, end)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, body) = input;
    assert_eq!(decode(body, usize::from(size) + 1), decode(body, usize::MAX));
});
