//! A service that answers as it is told, and a short way to call the edge.

use super::{
    ground::Ground,
    openapi::{Told, mistakes},
};
use axum::{Router, body::Body, http::Request, http::Response};
use http_body_util::BodyExt;
use rollout_judge::{
    domain::{
        Action, ArmSummary, Code, Effect, EvidenceSummary, Finding, FixedHorizon, Needs, Outcome,
        Question, Verdict, Window, ports::BoxFuture,
    },
    http::{
        Auth, Catalog, CheckAnswer, DiagnosticAnswer, FileAnswer, Health, Limits, PolicySummary,
    },
    policy::{
        Direction, Indicator, Margin, Objective, OnSourceDown, OnTimeout, Policy, Step, Unit,
    },
    query::Tracks,
    service::{Judge, JudgeError, Judged},
};
use std::{sync::Arc, time::Duration};
use tower::ServiceExt;

/// 2026-01-02T00:00:00Z
pub const NOW: i64 = 1_767_312_000_000;

#[derive(Clone, Default)]
pub struct Double {
    pub error: Option<JudgeError>,
    pub wait: Option<Duration>,
    pub panic: bool,
    /// Are its answers kept ones?
    pub known: bool,
}

impl Judge for Double {
    fn judge(&self, question: Question) -> BoxFuture<'_, Result<Judged, JudgeError>> {
        Box::pin(async move {
            if let Some(wait) = self.wait {
                tokio::time::sleep(wait).await;
            }
            assert!(!self.panic, "as told");
            match &self.error {
                Some(error) => Err(error.clone()),
                None => Ok(Judged {
                    verdict: Arc::new(verdict(&question)),
                    made: !self.known,
                }),
            }
        })
    }
}

pub struct Shelf;

impl Catalog for Shelf {
    fn all(&self) -> Vec<Arc<Policy>> {
        vec![Arc::new(policy())]
    }

    fn get(&self, name: &str) -> Option<Arc<Policy>> {
        (name == "http-service").then(|| Arc::new(policy()))
    }

    fn problems(&self) -> Vec<FileAnswer> {
        Vec::new()
    }

    fn check(&self, text: &str) -> CheckAnswer {
        if text.contains("kind: JudgePolicy") {
            let policies = vec![PolicySummary::from(&policy())];
            return CheckAnswer {
                valid: true,
                policies,
                diagnostics: vec![],
                rendered: String::new(),
                notes: vec![],
            };
        }
        let one = DiagnosticAnswer {
            code: "wrong-kind",
            line: 1,
            column: 1,
            length: 4,
            label: String::new(),
            message: "no kind".into(),
            help: "write it".into(),
        };
        CheckAnswer {
            valid: false,
            policies: vec![],
            diagnostics: vec![one],
            rendered: "error: no kind".into(),
            notes: vec![],
        }
    }
}

pub fn policy() -> Policy {
    Policy {
        text: "".into(),
        name: "http-service".into(),
        revision: "sha256:0123456789abcdef".into(),
        source: "default".into(),
        tracks: Tracks::Label("rollouts_pod_template_hash".into()),
        match_text: Some(r#"{namespace="$namespace"}"#.into()),
        pod_label: "pod".into(),
        horizon: 7_200_000,
        look_back: 1_800_000,
        block: None,
        warm_up: 60_000,
        lag: 30_000,
        false_abort_rate: 0.01,
        false_pass_rate: 0.05,
        min_requests: 100.0,
        min_blocks: 3,
        steps: vec![Step {
            weight: 5.0,
            min_duration: 120_000,
            max_duration: None,
            on_timeout: OnTimeout::Hold,
        }],
        on_no_data: Outcome::Inconclusive,
        no_data_patience: 0,
        on_source_down: OnSourceDown::Inconclusive,
        source_patience: 0,
        objectives: vec![Objective {
            name: "error-rate".into(),
            indicator: Indicator::ErrorRatio {
                errors: "e".into(),
                total: "t".into(),
            },
            harm: Direction::Increase,
            margin: Margin {
                relative: 0.1,
                absolute: 0.0005,
            },
            pass_margin: Margin {
                relative: 0.5,
                absolute: 0.001,
            },
            limit: Some(0.02),
            critical: true,
            watch: false,
            weight: 1.0,
            unit: Unit::Share,
        }],
        alerts_on: vec![],
        alerts_to: vec![],
    }
}

pub fn verdict(question: &Question) -> Verdict {
    let whole = Finding {
        name: "error-rate".into(),
        kind: "errorRatio".into(),
        outcome: Outcome::Pass,
        code: Code::NoHarm,
        reason: "0.1 % of requests fail, stable 0.1 %".into(),
        critical: true,
        watch: false,
        unit: "ratio".into(),
        canary: ArmSummary {
            value: Some(0.001),
            events: Some(3.0),
            exposure: Some(3000.0),
            series: Some(2),
        },
        stable: ArmSummary {
            value: Some(0.001),
            events: Some(57.0),
            exposure: Some(57_000.0),
            series: Some(8),
        },
        effect: Effect {
            estimate: Some(0.0),
            lower: Some(0.5),
            upper: Some(1.4),
            relative: Some(0.0),
            scale: None,
        },
        margin: Some(1.6),
        limit: Some(0.02),
        evidence: EvidenceSummary {
            method: "binomial mixture".into(),
            alpha: 0.01,
            log_e_fail: 0.2,
            log_e_pass: 4.1,
            p_fail: 0.8,
            p_pass: 0.01,
            dispersion: Some(1.0),
            pod_spread: None,
            blocks: 9,
        },
        needs: Needs::NOTHING,
        fixed_horizon: Some(FixedHorizon {
            method: "score test".into(),
            p_value: Some(0.5),
            lower: Some(0.4),
            upper: None,
            interval_of: "ratio".into(),
        }),
    };
    let hollow = Finding {
        name: "p99".into(),
        outcome: Outcome::Inconclusive,
        code: Code::Waiting,
        reason: "canary < stable & waiting".into(),
        canary: ArmSummary {
            value: Some(f64::NAN),
            ..ArmSummary::default()
        },
        stable: ArmSummary::default(),
        effect: Effect {
            estimate: Some(f64::INFINITY),
            ..Effect::default()
        },
        margin: None,
        limit: None,
        evidence: EvidenceSummary {
            log_e_fail: f64::NEG_INFINITY,
            ..EvidenceSummary::default()
        },
        fixed_horizon: None,
        ..whole.clone()
    };
    Verdict {
        id: "019b7a1e-0000-7000-8000-000000000001".parse().unwrap(),
        outcome: Outcome::Pass,
        score: 100.0,
        reason: format!("<b>fine & well</b> {}", "x".repeat(300)),
        action: Action::Advance,
        weight: question.weight.unwrap_or(f64::NAN),
        next_weight: 25.0,
        policy: question.policy.clone(),
        revision: "sha256:0123456789abcdef".into(),
        rollout: question.rollout.clone(),
        window: Window {
            start: NOW - 300_000,
            end: NOW,
        },
        findings: vec![whole, hollow],
        warnings: vec!["share 3 % < weight 5 %".into()],
    }
}

pub async fn app(double: Double, auth: Auth, limits: Limits) -> (Router, Arc<Health>) {
    let ground = Ground::new().await.judge(double).auth(auth).limits(limits);
    (ground.router(), Arc::clone(&ground.health))
}

pub async fn plain() -> Router {
    app(Double::default(), Auth::open(), Limits::default())
        .await
        .0
}

pub const GOOD: &str = r#"{"policy":"http-service","namespace":"shop","rollout":"checkout","canaryHash":"6c9f8d7b5","stableHash":"7d4b9c6f8","weight":"5"}"#;

pub fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

pub fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// Calls the edge; every answer is held against the committed OpenAPI document.
pub async fn call(router: Router, request: Request<Body>) -> (Response<()>, Vec<u8>) {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    let content_type = parts.headers.get("content-type");
    let wrong = mistakes(Told {
        method: method.as_str(),
        path: &path,
        status: parts.status.as_u16(),
        content_type: content_type.map_or("", |value| value.to_str().unwrap()),
        body: &bytes,
    });
    let packed = parts.headers.contains_key("content-encoding");
    assert!(packed || wrong.is_empty(), "{wrong:#?}");
    (Response::from_parts(parts, ()), bytes)
}

/// Status, `code`, `field` and the whole of an error answer.
pub async fn problem(
    router: Router,
    request: Request<Body>,
) -> (u16, String, String, serde_json::Value) {
    let (head, body) = call(router, request).await;
    assert_eq!(head.headers()["content-type"], "application/problem+json");
    assert_eq!(head.headers()["connection"], "close");
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["status"], head.status().as_u16());
    let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    (head.status().as_u16(), word("code"), word("field"), value)
}
