//! What is kept is what was scraped, within its bounds, and is answered as Prometheus would.

use super::{
    budget::{Budget, Over},
    exposition::{Format, Parser},
    shard::{Kept, Shard},
    stage::{Rules, Stage},
};
use crate::{
    domain::{Labels, Millis, PlannedQuery, Shape, Window},
    query::{Asked, Selection},
};
use proptest::prelude::*;
use std::{collections::BTreeMap, fmt::Write};

const HOUR: Millis = 3_600_000;
const RULES: Rules = Rules {
    honor_labels: false,
    honor_timestamps: true,
    sample_limit: 100_000,
    retention: 3 * HOUR,
};

fn selection(text: &str) -> Selection {
    let query = PlannedQuery {
        text: format!("{text}[1s]"),
        extra_filters: Vec::new(),
        shape: Shape::Raw { at: 0 },
        window: Window { start: 0, end: 0 },
    };
    match Asked::read(&query) {
        Ok(Asked::Samples { selection, .. }) => selection,
        other => panic!("{text}: {other:?}"),
    }
}

/// One scrape of a text, as the pool does it.
fn scrape(shard: &Shard, budget: &Budget, at: Millis, text: &str) -> Result<Kept, Over> {
    let target = Labels::new([("job", "j"), ("instance", "i:1")]);
    let mut stage = Stage::new(shard, &target, RULES, at);
    let mut parser = Parser::new(Format::Text);
    let mut row = |row: super::exposition::Row<'_>| stage.row(row);
    for chunk in text.as_bytes().chunks(13) {
        parser.feed(chunk, &mut row).unwrap();
    }
    parser.finish(false, &mut row).unwrap();
    let room = (stage.staged.len() as u64, stage.fresh);
    budget.reserve(room.0, room.1)?;
    Ok(shard.commit(stage.staged, room, budget))
}

type Samples = Vec<(Millis, u64)>;

/// Series by their `a` label, with the bits of the values.
fn read(shard: &Shard, text: &str, start: Millis, end: Millis) -> BTreeMap<String, Samples> {
    let window = Window { start, end };
    let mut out = BTreeMap::new();
    for one in shard.read(&selection(text), window) {
        let samples: Samples = one
            .chunks
            .iter()
            .flat_map(|chunk| chunk.samples())
            .filter(|(at, _)| *at > start && *at <= end)
            .map(|(at, value)| (at, value.to_bits()))
            .collect();
        if !samples.is_empty() {
            assert_eq!(one.digest, one.labels.digest());
            let name = one.labels.get("a").unwrap_or_default().to_owned();
            assert!(out.insert(name, samples).is_none());
        }
    }
    out
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0_u32..100_000).prop_map(f64::from),
        any::<f64>().prop_filter("one NaN", |v| !v.is_nan()),
        Just(f64::NAN)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_kept_is_what_was_scraped(
        scrapes in proptest::collection::vec(
            (1_i64..20_000, proptest::collection::btree_map(0_u8..6, value(), 0..6)), 1..400),
        cut in (0_i64..4_000_000, 0_i64..4_000_000),
    ) {
        let (shard, budget) = (Shard::default(), Budget::new(u64::MAX, u64::MAX));
        let mut model: BTreeMap<String, Samples> = BTreeMap::new();
        let (mut at, mut count) = (HOUR, 0);
        for (gap, values) in scrapes {
            at += gap;
            let mut text = String::new();
            for (series, value) in values {
                // now and then written in another way
                let blank = if at % 3 == 0 { " " } else { "" };
                writeln!(text, "m{{{blank}a=\"s{series}\"}} {value:?}").unwrap();
                model.entry(format!("s{series}")).or_default().push((at, value.to_bits()));
                count += 1;
            }
            scrape(&shard, &budget, at, &text).unwrap();
        }
        prop_assert_eq!(budget.kept(), (count, model.len() as u64));
        prop_assert_eq!(&read(&shard, "m", 0, Millis::MAX), &model);
        let (start, end) = (HOUR + cut.0.min(cut.1), HOUR + cut.0.max(cut.1));
        for samples in model.values_mut() {
            samples.retain(|(at, _)| *at > start && *at <= end);
        }
        model.retain(|_, samples| !samples.is_empty());
        prop_assert_eq!(&read(&shard, r#"m{a=~"s.",job="j"}"#, start, end), &model);
        let none = read(&shard, r#"m{a!~"s."}"#, start, end);
        prop_assert!(none.is_empty());
        prop_assert!(read(&shard, "n", start, end).is_empty());
        // and all of it is forgotten in the end
        let (bytes, left) = shard.sweep(at, &budget);
        prop_assert_eq!((bytes, left, budget.kept()), (0, false, (0, 0)));
    }
}

#[test]
fn odd_samples() {
    let (shard, budget) = (Shard::default(), Budget::new(u64::MAX, u64::MAX));
    let mut at = HOUR;
    let mut check = |text: &str, kept, out_of_order, duplicates| {
        at += 1000;
        let found = scrape(&shard, &budget, at, text).unwrap();
        let seen = (found.samples, found.out_of_order, found.duplicates);
        assert_eq!(seen, (kept, out_of_order, duplicates), "{text}");
    };
    // the first of two samples of one moment stays, as in Prometheus; an equal one is no matter
    check("m{a=\"x\"} 1\nm{a=\"x\"} 2\n", 1, 0, 1);
    check("m{a=\"x\"} 3\nm{a=\"x\"} 3\n", 1, 0, 0);
    check("m{a=\"x\"} NaN\nm{a=\"x\"} NaN\n", 1, 0, 0);
    check(&format!("m{{a=\"x\"}} 4 {}\n", HOUR + 500), 0, 1, 0);
    check(&format!("m{{a=\"x\"}} 5 {}\n", HOUR + 4500), 1, 0, 0);
    // too old, and too far ahead
    check(&format!("m{{a=\"x\"}} 6 {}\n", -2 * HOUR), 0, 0, 0);
    check(&format!("m{{a=\"x\"}} 6 {}\n", 2 * HOUR), 0, 0, 0);
    let values: Vec<f64> = read(&shard, "m", 0, Millis::MAX)["x"]
        .iter()
        .map(|(_, bits)| f64::from_bits(*bits))
        .collect();
    assert_eq!(format!("{values:?}"), "[1.0, 3.0, NaN, 5.0]");
}

#[test]
fn memory_is_bounded() {
    let (shard, budget) = (Shard::default(), Budget::new(10_000, 100));
    let text = |series: u32, value: u32| {
        (0..series).fold(String::new(), |mut text, a| {
            writeln!(text, "http_requests_total{{a=\"{a}\"}} {value}").unwrap();
            text
        })
    };
    let too_many = scrape(&shard, &budget, HOUR, &text(101, 0));
    assert_eq!(too_many, Err(Over::Series(100)));
    assert_eq!(budget.kept(), (0, 0));
    let kept = (0..1000)
        .map(|i| scrape(&shard, &budget, HOUR + 5000 * i, &text(100, i as u32)))
        .take_while(Result::is_ok)
        .count();
    assert_eq!((kept, budget.kept()), (100, (10_000, 100)));
    let refused = scrape(&shard, &budget, 2 * HOUR, &text(1, 1));
    assert_eq!(refused, Err(Over::Samples(10_000)));
    let (bytes, _) = shard.sweep(0, &budget);
    assert!(bytes <= 8 * 10_000, "{bytes} bytes for 10000 samples");
    // retention makes room again
    shard.sweep(HOUR + 5000 * 100, &budget);
    scrape(&shard, &budget, 2 * HOUR, &text(1, 1)).unwrap();
    // a target that writes one series in ever new ways
    for i in 0..2000_i64 {
        let text = format!(
            "http_requests_total{{{}a=\"0\"}} 1\n",
            " ".repeat(i as usize)
        );
        scrape(&shard, &budget, 2 * HOUR + 1000 * (i + 1), &text).unwrap();
    }
    assert!(shard.texts() < 200, "{}", shard.texts());
}
