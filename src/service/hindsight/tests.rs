use super::*;
use crate::service::{bundle::tests::kept_verdict, tests::SPEC};

const RULES: &str = "horizon: 2h";

/// What a changed policy says of a verdict of the unchanged one.
async fn check(from: &str, to: &str) -> (Outcome, Result<Says, String>) {
    let (record, revision, chunks) = kept_verdict().await;
    let text = SPEC.replace("REST", RULES);
    assert!(text.contains(from), "{from}");
    let text = text.replace(from, to);
    let policy = crate::policy::load("p.yaml", &text, None)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .remove(0)
        .policy;
    let says = again(&record, &revision, &chunks, &policy);
    (record.verdict.outcome, says)
}

#[tokio::test]
async fn the_same_rules_say_the_same() {
    let (said, says) = check(RULES, RULES).await;
    let says = says.unwrap();
    assert_eq!((says.outcome, says.unfit.len()), (said, 0));
}

#[tokio::test]
async fn other_rules_over_the_same_queries_are_judged() {
    // a floor that both versions are below
    let mean = "mean: { sum: value_sum, count: requests }";
    let (_, says) = check(mean, &format!("{mean}, limit: 9")).await;
    let says = says.unwrap();
    assert_ne!(says.outcome, Outcome::Pass);
    assert!(
        says.unfit.is_empty() && says.reason.contains("limit 9"),
        "{says:?}"
    );
}

#[tokio::test]
async fn what_does_not_fit_is_said_in_words_and_never_passes() {
    for (from, to, words) in [
        (
            "total: requests }",
            "total: asked }",
            "`e`: its queries changed",
        ),
        (
            "{ name: m,",
            "{ name: new,",
            "`new`: it was not judged then",
        ),
        (RULES, "warmUp: 90s\n  horizon: 2h", "`q`: `warmUp` changed"),
    ] {
        let (_, says) = check(from, to).await;
        let says = says.unwrap();
        assert_eq!(says.unfit.len(), 1, "{says:?}");
        assert!(says.unfit[0].contains(words), "{says:?}");
        assert_eq!(says.outcome, Outcome::Inconclusive, "{says:?}");
        assert!(
            says.reason
                .ends_with("of the 2 objectives that have evidence pass"),
            "{says:?}"
        );
    }
    for (from, to, words) in [
        (RULES, "block: 45s\n  horizon: 2h", "asks for 45 s"),
        (RULES, "match: '{a=\"b\"}'\n  horizon: 2h", "`match`"),
    ] {
        let (_, says) = check(from, to).await;
        let why = says.unwrap_err();
        assert!(why.contains(words), "{why}");
    }
}

#[tokio::test]
async fn without_its_blocks_nothing_is_said() {
    let (record, revision, _) = kept_verdict().await;
    let policy = load_kept(&revision.name, &revision.text).unwrap();
    let why = again(&record, &revision, &[], &policy).unwrap_err();
    assert!(why.contains("are not kept any more"), "{why}");
}

#[tokio::test]
async fn a_verdict_without_data_has_nothing_to_look_back_at() {
    let (mut record, revision, chunks) = kept_verdict().await;
    let mut inputs = Inputs::from_bytes(&record.inputs).unwrap();
    (inputs.start, inputs.exposed_since, inputs.block) = (None, None, 30_000);
    record.inputs = inputs.to_bytes();
    // whatever length of a block is asked for: none is known of it
    for rules in [RULES, "block: 60s\n  horizon: 2h"] {
        let text = SPEC.replace("REST", rules);
        let policy = crate::policy::load("p.yaml", &text, None)
            .unwrap()
            .remove(0)
            .policy;
        let why = again(&record, &revision, &chunks, &policy).unwrap_err();
        assert!(
            why.contains("no data of the canary") && !why.contains("30 s"),
            "{why}"
        );
    }
}
