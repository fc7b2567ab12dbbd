//! What others write is only ever text: names, labels, reasons and errors that would like to be more.

use super::{
    ground::Ground,
    support::{recording::Recording, rollouts},
    tab::Tab,
};
use serde_json::{Value, json};
use std::fmt::Write;

/// A script, if it were let in.
const SCRIPT: &str = "<script data-evil>window.__evil='script'</script>";
/// Ends an attribute.
pub const IMAGE: &str = r#""><img src=x onerror="window.__evil='image'">"#;
/// Turns the line around.
const TURNED: &str = "photo\u{202e}gpj.exe";
const EMOJI: &str = "🚀🔥 déjà vu שלום";
/// Of an override.
pub const REASON: &str =
    r#"'"><svg onload="window.__evil='svg'"><a href="javascript:window.__evil=1">press</a>"#;

/// A policy whose comments are not ours.
pub const POLICY: &str = r#"# <script data-evil>window.__evil='policy'</script> "><img src=x onerror="window.__evil='policy'"> </pre></code>
apiVersion: rollout-judge/v1
kind: JudgePolicy
metadata: { name: hostile }
spec:
  params: [zone]
  match: '{zone="$zone", note="</pre><script data-evil>window.__evil=1</script>"}'
  objectives:
    - { name: errors, errorRatio: { errors: 'errors_total{path="\"><img src=x onerror=window.__evil=1>"}', total: requests_total } }
"#;

/// A recording once more, with label values of up to 4 kB that nobody would choose: lines for `/api/v1/import`.
pub fn series(recording: &Recording) -> String {
    let mut lines = String::new();
    for series in &recording.series {
        let mut labels = json!(series.labels);
        labels["__name__"] = series.metric.as_str().into();
        labels["scenario"] = IMAGE.into();
        labels["pod"] = format!("{}{SCRIPT}{TURNED}", series.labels["pod"]).into();
        labels["note"] = format!("{EMOJI}{}", "W".repeat(3900)).into();
        let (at, values): (Vec<i64>, Vec<f64>) = recording.samples_of(series).unzip();
        let at: Vec<i64> = at.into_iter().map(|at| at * 1000).collect();
        let line = json!({"metric": labels, "values": values, "timestamps": at});
        writeln!(lines, "{line}").unwrap();
    }
    lines
}

/// A question about it with 4 kB of labels.
pub fn question(recording: &Recording, at: i64) -> Value {
    let mut question = rollouts::question(recording, at);
    question["namespace"] = "lab".into();
    question["rollout"] = "hostile".into();
    question["params"] = json!({"scenario": IMAGE});
    question["analysisRun"] = SCRIPT.into();
    question["labels"] =
        json!({"script": SCRIPT, "image": IMAGE, "turned": TURNED, "emoji": EMOJI});
    for i in 0..16 {
        question["labels"][format!("long{i}")] = "W".repeat(256).into();
    }
    question
}

#[test]
fn hostile_text_stays_text() {
    let (ground, tab) = (Ground::shared(), Tab::open());
    let paths = [
        "/rollouts?namespace=lab".to_owned(),
        "/rollouts/lab/hostile".to_owned(),
        "/rollouts/lab/hostile/override".to_owned(),
        format!("/verdicts/{}?pods=1", ground.hostile),
        "/rollouts/shop/latency-tail".to_owned(),
        "/rollouts/shop/latency-tail/override".to_owned(),
        "/policies/hostile".to_owned(),
        "/deliveries?receiver=old-pager".to_owned(),
        // asked for by the viewer
        "/rollouts?q=%22%3E%3Cimg%20src%3Dx%20onerror%3Dwindow.__evil%3D1%3E".to_owned(),
        "/rollouts?policy=%3Cscript%20data-evil%3Ewindow.__evil%3D1%3C%2Fscript%3E".to_owned(),
        "/rollouts?verdict=%22%3E%3Cimg%20src%3Dx%20onerror%3Dwindow.__evil%3D1%3E".to_owned(),
        "/deliveries?receiver=%22%3E%3Cscript%20data-evil%3E".to_owned(),
    ];
    for path in paths {
        tab.settle(&ground.open.url(&path));
        // what a chart tells about a verdict, and what opens
        tab.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })");
        let evil = tab.run(
            "return [window.__evil ?? null, document.querySelector('script[data-evil], img, [onerror], [onload], a[href^=\"javascript:\"]')?.outerHTML ?? null,
                     document.querySelectorAll('script:not([src])').length, document.body.textContent.includes('\\u202e')]",
        );
        assert_eq!(evil, json!([null, null, 0, false]), "{path}");
        let own = if path.contains("verdict=") {
            ground.open.url(&path)
        } else {
            "-".to_owned()
        };
        assert_eq!(tab.complaints(&own), [""; 0], "{path}");
    }
    // it is there, and it is text
    tab.goto(&ground.open.url(&format!("/verdicts/{}", ground.hostile)));
    let text = tab.text("main");
    for word in [SCRIPT, IMAGE, EMOJI, "photoU+202Egpj.exe", &"W".repeat(256)] {
        assert!(text.contains(word), "lacks {word}: {text}");
    }
    tab.goto(&ground.open.url("/rollouts/shop/latency-tail"));
    assert!(tab.text("main").contains(REASON));
    tab.goto(&ground.open.url("/policies/hostile"));
    assert!(tab.text("main").contains("</pre></code>"));
}
