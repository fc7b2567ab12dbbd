//! The examples of the README are taken by the program.

use super::README;
use rollout_judge::{config::load_from, domain::SourceKind, policy};
use serde_json::Value;

/// What a configuration must have, where an example leaves it out.
const REST: [(&str, &str); 2] = [
    (
        "sources:",
        "sources: { default: { kind: victoriametrics, url: 'http://127.0.0.1:1' } }\n",
    ),
    ("policies:", "policies: { paths: [policies/] }\n"),
];

/// The blocks of YAML.
fn blocks() -> Vec<&'static str> {
    let blocks = README.split("```yaml\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

#[test]
fn examples_are_taken() {
    let (mut policies, mut configurations) = (0, 0);
    for text in blocks() {
        let tree: Value = serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        if tree["kind"] == "JudgePolicy" {
            let victoria = |_: &str| Some(SourceKind::VictoriaMetrics);
            let read = policy::load("shop.yaml", text, Some(&victoria));
            assert!(read.is_ok(), "{text}");
            policies += 1;
        } else if tree.get("spec").is_none() && tree.is_object() {
            let mut whole = text.to_owned();
            for (key, rest) in REST {
                if !text.contains(&format!("{key}\n")) {
                    whole.push_str(rest);
                }
            }
            if let Err(error) = load_from(Some(("judge.yaml", &whole)), &[]) {
                panic!("{error}\n{whole}");
            }
            configurations += 1;
        }
    }
    assert_eq!((policies, configurations), (1, 4));
}
