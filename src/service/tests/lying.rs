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
                "errors" => &[Code::CanaryVanished, Code::TrafficSplit],
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
