//! What the pages show: recorded rollouts judged by the real service, deliveries, overrides, a refused policy.

use super::{
    hostile, leash,
    support::{
        http::post,
        recording::Recording,
        rollouts::{question, verdict},
        scripted::{Reply, Scripted},
        service::{Service, Setup},
        victoria::Victoria,
    },
    tab::until,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    thread,
};
use tempfile::TempDir;

/// Rollouts of which there are more than a page holds, in the namespace `zone`.
pub const CROWD: usize = 60;
/// A token for everything.
pub const OPS: &str = "ops-token-0123456789";
/// A token for the namespace `shop` that may not overrule.
pub const DEV: &str = "dev-token-0123456789";

/// Everything that tests look at. Those that change something start a service of their own.
pub struct Ground {
    pub victoria: Victoria,
    receiver: Scripted,
    folder: PathBuf,
    /// Nobody needs a token.
    pub open: Service,
    /// With tokens.
    pub guarded: Service,
    recordings: Vec<Recording>,
    /// The newest verdict of the rollout that failed.
    pub failed: String,
    /// The newest verdict of the rollout with hostile labels.
    pub hostile: String,
}

static GROUND: LazyLock<Ground> = LazyLock::new(Ground::make);

/// A page, its address and the status with which it answers.
pub struct Site {
    pub name: &'static str,
    pub url: String,
    pub status: u16,
}

impl Ground {
    pub fn shared() -> &'static Self {
        &GROUND
    }

    fn make() -> Self {
        let names = [
            "healthy_basic",
            "error_step",
            "low_traffic_healthy",
            "latency_tail",
            "shared_outage",
        ];
        let recordings: Vec<Recording> = names.map(Recording::load).into();
        let victoria = Victoria::start();
        let labelled = recordings
            .iter()
            .map(|r| (r.clone(), vec![("scenario".to_owned(), r.name.clone())]));
        victoria.fill(&labelled.collect::<Vec<_>>());
        fill_json(&victoria, &hostile::series(&recordings[1]));
        // one place takes what it is told, the other is gone
        let receiver = Scripted::start(|seen| {
            if seen.line.contains("/gone") {
                return Reply::Json(404, hostile::IMAGE.to_owned());
            }
            Reply::Json(200, "{}".to_owned())
        });
        let folder = TempDir::with_prefix("pages").unwrap().keep();
        let setup = setup(&victoria, &receiver, &folder);
        let (open, guarded) = (folder.join("open"), folder.join("guarded"));
        fs::create_dir(&open).unwrap();
        fs::create_dir(&guarded).unwrap();
        let open = setup.start_in(&open);
        let guarded = with_tokens(setup, &folder).start_in(&guarded);
        leash::hold(
            &[
                victoria.process.id(),
                open.process.id(),
                guarded.process.id(),
            ],
            &[&folder],
        );
        let mut ground = Self {
            victoria,
            receiver,
            folder,
            open,
            guarded,
            recordings,
            failed: String::new(),
            hostile: String::new(),
        };
        ground.walk();
        ground
    }

    /// What happens before anybody looks.
    fn walk(&mut self) {
        let [healthy, error, quiet, tail] = [0, 1, 2, 3].map(|i| &self.recordings[i]);
        let open = &self.open;
        let (failed, hostile) = thread::scope(|scope| {
            scope.spawn(|| crowd(open));
            // one after the other, so that alerts have an order
            for at in (1860..=2400).step_by(60) {
                verdict(open, &question(tail, at));
            }
            let failed = until_fail(open, |at| question(error, at));
            let hostile = until_fail(open, |at| hostile::question(error, at));
            for at in (1860..=2700).step_by(60) {
                verdict(open, &question(quiet, at));
            }
            for at in (1860..=5400).step_by(120) {
                verdict(open, &question(healthy, at));
            }
            (failed, hostile)
        });
        (self.failed, self.hostile) = (failed, hostile);
        self.quiet();
        let ruling = json!({"verdict": "inconclusive", "reason": hostile::REASON, "expires": "8h"});
        let path = "/v1/rollouts/shop/latency-tail/override";
        let headers = [("content-type", "application/json")];
        let made = self.open.send("POST", path, &headers, &ruling.to_string());
        assert_eq!(made.status, 201, "{}", made.text());
        self.quiet();
        for (recording, namespace) in [(&self.recordings[0], "shop"), (&self.recordings[1], "lab")]
        {
            for at in [2100, 2700] {
                let mut question = question(recording, at);
                question["namespace"] = namespace.into();
                let body = question.to_string();
                let token = format!("Bearer {OPS}");
                let headers = [
                    ("content-type", "application/json"),
                    ("authorization", token.as_str()),
                ];
                let answer = self.guarded.send("POST", "/v1/verdicts", &headers, &body);
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        }
    }

    /// Waits until every message is delivered or given up.
    fn quiet(&self) {
        until("no message is on its way", || {
            let path = "/v1/deliveries?state=pending";
            let answer = self.open.send("GET", path, &[], "").json();
            answer["deliveries"].as_array().unwrap().is_empty()
        });
    }

    /// A service for a test that changes something.
    pub fn own(&self) -> Service {
        setup(&self.victoria, &self.receiver, &self.folder).start()
    }

    /// How such a service is made.
    pub fn setup(&self) -> Setup {
        setup(&self.victoria, &self.receiver, &self.folder)
    }

    /// A recording: `healthy_basic`.
    pub fn recording(&self, name: &str) -> &Recording {
        self.recordings.iter().find(|r| r.name == name).unwrap()
    }

    /// Every page.
    pub fn sites(&self) -> Vec<Site> {
        let site = |name, path: &str, status| Site {
            name,
            url: self.open.url(path),
            status,
        };
        vec![
            site("rollouts", "/rollouts?namespace=shop", 200),
            site("many-rollouts", "/rollouts", 200),
            site("rollout", "/rollouts/shop/error-step", 200),
            site("promoted", "/rollouts/shop/healthy-basic", 200),
            site("verdict", &format!("/verdicts/{}?pods=1", self.failed), 200),
            site(
                "hostile-verdict",
                &format!("/verdicts/{}", self.hostile),
                200,
            ),
            site("policies", "/policies", 200),
            site("policy", "/policies/shop", 200),
            site("sources", "/sources", 200),
            site("deliveries", "/deliveries", 200),
            site("dead-letters", "/deliveries/retry-all", 200),
            site("events", "/rollouts/shop/error-step/events", 200),
            site("override", "/rollouts/shop/latency-tail/override", 200),
            Site {
                name: "sign-in",
                url: self.guarded.url("/sign-in"),
                status: 200,
            },
            site("not-found", "/nothing-here", 404),
            site("wrong-filter", "/rollouts?verdict=maybe", 400),
        ]
    }
}

/// Takes lines of JSON in, where labels may hold anything, and makes them visible to queries.
fn fill_json(victoria: &Victoria, lines: &str) {
    let url = format!("{}/api/v1/import", victoria.url());
    let answer = post(&url, "application/json", lines).unwrap();
    assert_eq!(answer.status, 204, "import: {}", answer.text());
    victoria.fill(&[]); // flushes
}

/// Over the recordings, with two receivers and a policy file that is refused.
fn setup(victoria: &Victoria, receiver: &Scripted, folder: &Path) -> Setup {
    let key = folder.join("key");
    fs::write(&key, "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
    let hook = |path: &str| {
        let url = format!("{}{path}", receiver.url());
        json!({"webhook": {"url": url, "secrets": [{"file": key}]}})
    };
    Setup::default()
        .source("default", "victoriametrics", &victoria.url())
        .policy("scenario/shop.yaml")
        .policy("good/minimal.yaml")
        .policy("bad/many-mistakes.yaml")
        .policy_text("hostile", hostile::POLICY)
        .server("publicUrl", Value::Null)
        .section("receivers", json!({"team": hook("/team"), "old-pager": hook("/gone")}))
        .section(
            "routes",
            json!([{"match": {"namespaces": ["shop"]}, "to": ["team"]}, {"match": {"namespaces": ["lab"]}, "to": ["old-pager"]}]),
        )
}

/// The same, for those who have a token.
pub fn with_tokens(setup: Setup, folder: &Path) -> Setup {
    let token = |name: &str, secret: &str| {
        let file = folder.join(format!("token-{name}"));
        fs::write(&file, secret).unwrap();
        json!({"file": file})
    };
    setup.section(
        "auth",
        json!({"tokens": [
            {"name": "ops", "token": token("ops", OPS), "mayOverride": true},
            {"name": "dev", "token": token("dev", DEV), "namespaces": ["shop"]},
        ]}),
    )
}

/// Rollouts without data.
fn crowd(service: &Service) {
    for i in 0..CROWD {
        let question = json!({
            "policy": "minimal", "namespace": "zone", "rollout": format!("app-{i:02}"), "canaryHash": "new", "stableHash": "old",
            "weight": "5", "step": "0", "at": (1_767_227_400 + i).to_string(),
        });
        verdict(service, &question);
    }
}

/// Asks as Argo Rollouts does until it goes back; the id of the last verdict.
fn until_fail(service: &Service, question: impl Fn(i64) -> Value) -> String {
    let said = (1860..=2700)
        .step_by(60)
        .map(|at| verdict(service, &question(at)));
    let fail = said
        .into_iter()
        .find(|v| v["verdict"] == "fail")
        .expect("this rollout fails");
    fail["id"].as_str().unwrap().to_owned()
}
