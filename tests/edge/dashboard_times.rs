//! Moments inside sentences, and spans that have ended.

use super::{
    dashboard::shown,
    double::NOW,
    ground::{Ground, Judged},
};
use rollout_judge::domain::{Outcome, VerdictStore};

const HOUR: i64 = 3_600_000;

#[tokio::test]
async fn moments_inside_sentences_are_times() {
    let ground = Ground::new().await;
    let told = super::deliveries::told("failed at 2026-01-02T03:04:05Z: <b>");
    ground.store.change(told).await.unwrap();
    let text = shown(&ground.router(), "/deliveries").await;
    let expected = "failed at <time datetime=\"2026-01-02T03:04:05Z\" title=\"2026-01-02 03:04:05 UTC\">2026-01-02 03:04:05 UTC</time>: &lt;b&gt;";
    assert!(text.contains(expected), "{text}");
}

#[tokio::test]
async fn spans_of_what_has_ended_stand_still() {
    for (outcome, weight, ended) in [
        (Outcome::Pass, 100.0, true),
        (Outcome::Inconclusive, 50.0, false),
    ] {
        // the newest question a minute ago
        let ground = Ground::new().await;
        for at in [NOW - HOUR, NOW - 60_000] {
            ground
                .keep(Judged {
                    outcome,
                    at,
                    weight,
                    ..Judged::default()
                })
                .await;
        }
        let router = ground.router();
        for path in ["/rollouts", "/rollouts/shop/checkout"] {
            let text = shown(&router, path).await;
            assert_eq!(
                text.contains("data-form=\"since\""),
                !ended,
                "{path}: {text}"
            );
        }
        let text = shown(&router, "/rollouts/shop/checkout").await;
        assert_eq!(text.contains(">59\u{202f}min</span>"), ended, "{text}");
    }
    // nobody asks any more
    let ground = Ground::new().await;
    ground
        .keep(Judged {
            at: NOW - HOUR,
            outcome: Outcome::Inconclusive,
            ..Judged::default()
        })
        .await;
    let text = shown(&ground.router(), "/rollouts").await;
    assert!(
        !text.contains("data-form=\"since\"") && text.contains("nobody asks"),
        "{text}"
    );
    // without a script nothing loads for ever
    let text = shown(&ground.router(), "/rollouts/shop/checkout").await;
    assert!(
        !text.contains("Loading") && text.contains("The charts need JavaScript"),
        "{text}"
    );
}
