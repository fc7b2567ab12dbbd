//! The ready AnalysisTemplates: Argo reads our answers through them as they promise.

use crate::support::argo::{Phase, Template};
use serde_json::{Value, json};

#[test]
fn every_template_reads_each_verdict_as_it_should() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/analysis-templates");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let template: Value = serde_saphyr::from_str(&text).unwrap();
        for metric in template["spec"]["metrics"].as_array().unwrap() {
            seen += 1;
            let web = &metric["provider"]["web"];
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            let reader = Template::post("http://unused", &[]).reading(
                &word(&web["jsonPath"]),
                &word(&metric["successCondition"]),
                &word(&metric["failureCondition"]),
            );
            for (verdict, expected) in [
                ("pass", Phase::Successful),
                ("fail", Phase::Failed),
                ("inconclusive", Phase::Inconclusive),
            ] {
                let body = json!({ "verdict": verdict, "ok": verdict == "pass", "score": 50.5, "reason": "why",
                    "result": [50.5, verdict, "why"] });
                let read = reader.read(200, body.to_string().as_bytes()).unwrap();
                assert_eq!(read.phase, expected, "{verdict}");
            }
            // what the template sends is what the service knows
            let sent = web["jsonBody"].as_object().unwrap();
            assert!(
                sent.keys()
                    .all(|key| rollout_judge::http::REQUEST_FIELDS.contains(&key.as_str())),
                "{sent:?}"
            );
            // "not yet" is no failure: the template must allow it
            assert!(metric["inconclusiveLimit"].as_u64().unwrap() >= 10);
            assert!(web["timeoutSeconds"].as_u64().unwrap() > 8);
        }
    }
    assert!(seen > 0, "no template found in {folder}");
}
