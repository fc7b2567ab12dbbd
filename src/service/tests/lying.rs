//! Samples that cannot be.

use super::{MINUTE, Row, SPEC, START, Shelf, ask, judge_of, shop};
use crate::domain::{Code, Outcome};

#[tokio::test]
async fn an_arm_whose_samples_cannot_be_is_neither_passed_nor_failed() {
    let text = SPEC.replace("REST", "horizon: 2h\n  onNoData: fail");
    let lies = [f64::NAN, f64::INFINITY, -1.0];
    for (hash, metric) in [
        ("ccc111", "errors"),
        ("sss222", "errors"),
        ("ccc111", "requests"),
        ("sss222", "requests"),
    ] {
        for lie in lies {
            let mut rows = shop(15_000);
            let lying = |row: &&mut Row| row.0 == metric && row.1.get("hash") == Some(hash);
            for (_, _, samples) in rows.iter_mut().filter(lying) {
                *samples = samples.iter().map(|(at, _)| (*at, lie)).collect();
            }
            let verdict = ask(&judge_of(&text, Shelf::of(rows)), START + 30 * MINUTE).await;
            let found = &verdict.findings[0];
            // it lies from the first error on: before that there is data
            let codes: &[Code] = match metric {
                "errors" => &[Code::CanaryVanished, Code::NoStableData, Code::TrafficSplit],
                _ => &[Code::SourceMalformed],
            };
            assert!(
                codes.contains(&found.code),
                "{hash} {lie}: {}",
                found.reason
            );
            assert_eq!(verdict.outcome, Outcome::Inconclusive);
        }
    }
}

#[tokio::test]
async fn what_tells_series_apart_does_not_tell_copies_apart() {
    let text = SPEC.replace("REST", "horizon: 2h\n  onNoData: fail");
    for (label, says) in [("hash", "the arms apart"), ("pod", "pods apart")] {
        let mut shelf = Shelf::of(shop(15_000));
        shelf.replicas.push(label.to_owned());
        let verdict = ask(&judge_of(&text, shelf), START + 30 * MINUTE).await;
        let found = &verdict.findings[0];
        assert_eq!(found.code, Code::SourceDown);
        assert_eq!(verdict.outcome, Outcome::Inconclusive);
        let told = format!("has `{label}`, by which the policy tells {says}");
        assert!(found.reason.contains(&told), "{}", found.reason);
    }
}

#[tokio::test]
async fn both_ends_of_a_long_refusal_are_told() {
    let text = SPEC.replace("REST", "horizon: 2h");
    let mut shelf = Shelf::of(shop(15_000));
    shelf.refuses = Some(format!(
        "422: {} unknown func <rat>",
        "sum(rat(x)) ".repeat(30)
    ));
    let verdict = ask(&judge_of(&text, shelf), START + 30 * MINUTE).await;
    for said in [
        &verdict.reason,
        &verdict.findings[0].reason,
        &verdict.warnings[0],
    ] {
        assert!(
            said.contains("metric source `default` refused the query: 422: sum")
                && said.ends_with("unknown func \u{2039}rat\u{203a}"),
            "{said}"
        );
        assert!(said.chars().count() <= 200, "{said}");
    }
}

#[tokio::test]
async fn an_arm_whose_counter_is_missing_is_not_known_and_says_so() {
    let text = SPEC.replace("REST", "horizon: 2h\n  onNoData: fail");
    for (hash, code, whose) in [
        ("ccc111", Code::CanaryVanished, "every pod of the canary"),
        ("sss222", Code::NoStableData, "every pod of stable"),
    ] {
        let mut rows = shop(15_000);
        let missing = |row: &&mut Row| row.0 == "errors" && row.1.get("hash") == Some(hash);
        for (_, _, samples) in rows.iter_mut().filter(missing) {
            samples.retain(|(at, _)| *at < START + 8 * MINUTE);
        }
        let verdict = ask(&judge_of(&text, Shelf::of(rows)), START + 15 * MINUTE).await;
        let found = &verdict.findings[0];
        assert_eq!((found.outcome, found.code), (Outcome::Inconclusive, code));
        assert!(found.reason.contains(whose), "{}", found.reason);
        let told = |text: &String, words: &str| text.contains(words);
        let series = "a series of theirs had no samples";
        assert!(
            verdict.warnings.iter().any(|w| told(w, series)),
            "{:?}",
            verdict.warnings
        );
        let split = "of the traffic";
        assert!(
            !verdict.warnings.iter().any(|w| told(w, split)),
            "{:?}",
            verdict.warnings
        );
    }
}
