//! The edge over a store with some history in it.

use super::{
    double::{Double, NOW, Shelf, verdict},
    switch::Switch,
};
use axum::Router;
use rollout_judge::{
    config::{store::StoreSettings, units::HumanDuration},
    domain::{
        Action, Draft, Event, EventKind, ManualClock, Outcome, Present, Question, Retention,
        RolloutRef, RolloutState, StepSeen, Verdict, VerdictStore,
    },
    http::{About, App, Auth, Catalog, Health, Limits, Parts, Token, router},
    policy::Policy,
    service::{Keeper, Overrule, Patience, Policies, Pulse, identity::verdict_id},
    telemetry::Metrics,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tempfile::TempDir;

impl Policies for Shelf {
    fn policy(&self, name: &str) -> Option<Arc<Policy>> {
        rollout_judge::http::Catalog::get(self, name)
    }
    fn names(&self) -> Vec<String> {
        vec!["http-service".into()]
    }
}

/// The edge, and everything behind it.
pub struct Ground {
    pub store: Arc<Switch>,
    pub clock: Arc<ManualClock>,
    pub pulse: Arc<Pulse>,
    pub health: Arc<Health>,
    double: Double,
    auth: Auth,
    limits: Limits,
    about: About,
    catalog: Arc<dyn Catalog>,
}

impl Ground {
    /// Nothing is kept yet.
    pub async fn new() -> Self {
        let folder = TempDir::with_prefix("rollout-judge-edge").unwrap();
        let settings = StoreSettings {
            url: Some(format!("sqlite://{}/judge.db", folder.path().display())),
            // a machine that is busy with other tests is no missing store
            timeout: HumanDuration(Duration::from_secs(30)),
            ..StoreSettings::default()
        };
        let store = rollout_judge::store::open(&settings).await.unwrap();
        Self::on(Arc::new(Switch::on(store, folder)))
    }

    fn on(store: Arc<Switch>) -> Self {
        Self {
            store,
            clock: Arc::new(ManualClock::at(NOW)),
            pulse: Arc::default(),
            health: Arc::default(),
            double: Double::default(),
            auth: Auth::open().anybody_overrides(true),
            limits: Limits::default(),
            about: About::default(),
            catalog: Arc::new(Shelf),
        }
    }

    /// Another edge over the same store: a replica. Its pulse is its own.
    pub fn over(other: &Self) -> Self {
        Self::on(Arc::clone(&other.store))
    }

    /// The edge of a new process over the same store.
    pub fn restarted(&self) -> Router {
        Self::over(self).router()
    }

    /// Removes what is over the retention.
    pub async fn prune(&self, retention: Retention, now: i64) {
        self.store.prune(retention, now).await.unwrap();
    }

    pub fn judge(mut self, double: Double) -> Self {
        self.double = double;
        self
    }

    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// `all` sees everything, `shop` its namespace, `ann` may overrule there.
    pub fn tokens(self) -> Self {
        let shop = || Some(vec!["shop".to_owned()]);
        self.auth(Auth::tokens(vec![
            Token::new("all", "all-secret", None),
            Token::new("shop", "shop-secret", shop()),
            Token::new("ann", "ann-secret", shop()).may_override(true),
        ]))
    }

    pub fn about(mut self, about: About) -> Self {
        self.about = about;
        self
    }

    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub fn catalog(mut self, catalog: Arc<dyn Catalog>) -> Self {
        self.catalog = catalog;
        self
    }

    pub fn keeper(&self) -> Keeper {
        let pulse = Arc::clone(&self.pulse);
        Keeper {
            store: self.store.clone(),
            patience: Patience::default(),
            addressees: Arc::new(|_, _| Vec::new()),
            poke: Arc::new(move || pulse.poke()),
        }
    }

    /// One look of the watch.
    pub async fn watch(&self, now: i64) {
        self.clock.set(now);
        rollout_judge::service::watch::look(&self.keeper(), &Shelf, now)
            .await
            .unwrap();
    }

    pub fn router(&self) -> Router {
        let store: Arc<dyn VerdictStore> = self.store.clone();
        let keeper = self.keeper();
        let app = App::new(Parts {
            judge: Arc::new(self.double.clone()),
            store,
            overrule: Arc::new(Overrule::new(keeper, Arc::new(Shelf), self.clock.clone())),
            pulse: Arc::clone(&self.pulse),
            catalog: Arc::clone(&self.catalog),
            clock: self.clock.clone(),
            auth: self.auth.clone(),
            metrics: Arc::new(Metrics::default()),
            health: Arc::clone(&self.health),
            limits: self.limits.clone(),
            about: self.about.clone(),
        });
        router(Arc::new(app))
    }

    /// Keeps what was judged, with its events, as the service does.
    pub async fn keep(&self, judged: Judged) -> Verdict {
        let (question, verdict) = judged.question();
        let (namespace, name) = (&judged.namespace, &judged.rollout);
        let known = self.store.rollout(namespace, name).await.unwrap();
        let version = known.as_ref().map_or(0, |(version, _)| *version);
        let newer = known.as_ref().is_none_or(|(_, s)| s.at <= question.at);
        let draft = Draft {
            version,
            verdict: verdict.clone(),
            inputs: Vec::new(),
            run: None,
            chunks: Vec::new(),
            policy_text: "text".into(),
            state: newer.then(|| {
                let mut state = judged.state(&question, &verdict);
                let before = known
                    .iter()
                    .find(|(_, s)| s.canary_hash == state.canary_hash);
                state.since = before.map_or(state.since, |(_, before)| before.since);
                if let Some((_, before)) = before {
                    for (policy, one) in before.presents.clone() {
                        state.presents.entry(policy).or_insert(one);
                    }
                    for (policy, one) in before.outcomes.clone() {
                        state.outcomes.entry(policy).or_insert(one);
                    }
                    state.lead();
                }
                state
            }),
            latch: None,
            events: judged.events(&question, &verdict),
            deliveries: Vec::new(),
            kept_at: judged.at + 40,
            question,
        };
        self.store.keep(draft).await.unwrap();
        self.pulse.poke();
        verdict
    }
}

/// A verdict that was given.
#[derive(Clone)]
pub struct Judged {
    pub namespace: String,
    pub rollout: String,
    pub canary: String,
    pub policy: String,
    pub outcome: Outcome,
    pub at: i64,
    pub weight: f64,
    pub labels: BTreeMap<String, String>,
    pub kinds: Vec<EventKind>,
    pub block_by_block: bool,
}

impl Default for Judged {
    fn default() -> Self {
        Self {
            namespace: "shop".into(),
            rollout: "checkout".into(),
            canary: "6c9f8d7b5".into(),
            policy: "http-service".into(),
            outcome: Outcome::Pass,
            at: NOW,
            weight: 5.0,
            labels: BTreeMap::new(),
            kinds: vec![EventKind::Verdict],
            block_by_block: false,
        }
    }
}

impl Judged {
    pub fn question(&self) -> (Question, Verdict) {
        let question = Question {
            policy: self.policy.clone(),
            rollout: RolloutRef {
                namespace: self.namespace.clone(),
                name: self.rollout.clone(),
                canary_hash: self.canary.clone(),
                stable_hash: "7d4b9c6f8".into(),
            },
            weight: Some(self.weight),
            step: None,
            step_since: None,
            since: None,
            at: self.at,
            params: BTreeMap::from([("zone".to_owned(), "a".to_owned())]),
            labels: self.labels.clone(),
            analysis_run: Some("checkout-1".into()),
            dry_run: false,
        };
        let verdict = Verdict {
            id: verdict_id("sha256:0123456789abcdef", &question),
            outcome: self.outcome,
            policy: self.policy.clone(),
            reason: format!("{} at {}", self.outcome.as_str(), self.weight),
            ..verdict(&question)
        };
        (question, verdict)
    }

    fn present(&self, verdict: &Verdict) -> Present {
        Present {
            verdict: verdict.id,
            revision: verdict.revision.clone(),
            outcome: self.outcome,
            since: self.at,
            action: Action::Hold,
            next_weight: 25.0,
            score: 90.0,
            reason: verdict.reason.clone(),
            block_by_block: self.block_by_block,
            at: self.at,
            kept_at: self.at + 40,
        }
    }

    fn state(&self, question: &Question, verdict: &Verdict) -> RolloutState {
        RolloutState {
            namespace: self.namespace.clone(),
            name: self.rollout.clone(),
            policy: self.policy.clone(),
            revision: verdict.revision.clone(),
            canary_hash: self.canary.clone(),
            stable_hash: "7d4b9c6f8".into(),
            weight: self.weight,
            next_weight: 25.0,
            step: None,
            verdict: verdict.id,
            outcome: self.outcome,
            action: Action::Hold,
            score: 90.0,
            reason: verdict.reason.clone(),
            at: self.at,
            kept_at: self.at + 40,
            outcome_since: self.at,
            outcomes: BTreeMap::from([(self.policy.clone(), (self.outcome, self.at))]),
            presents: BTreeMap::from([(self.policy.clone(), self.present(verdict))]),
            looks: BTreeMap::new(),
            since: self.at,
            steps: vec![StepSeen {
                weight: Some(self.weight),
                first: self.at,
                last: self.at,
                passed: self.outcome == Outcome::Pass,
            }],
            open: BTreeMap::from([("fail http-service".to_owned(), self.at)]),
            labels: question.labels.clone(),
        }
    }

    fn events(&self, question: &Question, verdict: &Verdict) -> Vec<Event> {
        let event = |kind: &EventKind| Event {
            seq: 0,
            id: rollout_judge::service::identity::event_id(
                *kind,
                question.at,
                &verdict.id.to_string(),
            ),
            at: question.at,
            kind: *kind,
            namespace: self.namespace.clone(),
            rollout: self.rollout.clone(),
            policy: self.policy.clone(),
            canary_hash: self.canary.clone(),
            weight: self.weight,
            outcome: Some(self.outcome),
            verdict: Some(verdict.id),
            author: None,
            ruling: None,
            still: Vec::new(),
            reason: verdict.reason.clone(),
        };
        self.kinds.iter().map(event).collect()
    }
}
