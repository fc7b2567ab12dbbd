//! Who is told of an event: the policy's own receivers and the routes of the service.

use crate::domain::{Event, EventKind, Severity};
use std::collections::BTreeSet;

/// Which events go where. Everything given must hold; an empty list holds for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// Names of policies.
    pub policies: Vec<String>,
    /// Kubernetes namespaces.
    pub namespaces: Vec<String>,
    /// Kinds of events; empty: every kind but the chatter of the log.
    pub events: Vec<EventKind>,
    /// At least this urgent. A recovery is as urgent as what it ends, so it passes.
    pub severity: Option<Severity>,
    /// Names of receivers.
    pub to: Vec<String>,
}

/// The routes and the receivers that there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    routes: Vec<Route>,
    known: BTreeSet<String>,
}

/// Kinds that fill the log and wake nobody unless a route names them.
const CHATTER: [EventKind; 6] = [
    EventKind::Verdict,
    EventKind::Started,
    EventKind::Weight,
    EventKind::Changed,
    EventKind::Delivered,
    EventKind::DeadLetter,
];

/// Who wants to hear of overrides wants to hear that they end.
fn asked(kind: EventKind) -> EventKind {
    match kind {
        EventKind::OverrideEnded => EventKind::Override,
        other => other,
    }
}

impl Route {
    fn matches(&self, event: &Event) -> bool {
        let named = |list: &[String], name: &str| list.is_empty() || list.iter().any(|n| n == name);
        let kind = if self.events.is_empty() {
            !CHATTER.contains(&event.kind)
        } else {
            self.events.contains(&event.kind) || self.events.contains(&asked(event.kind))
        };
        let urgent = self.severity.is_none_or(|least| {
            event.kind == EventKind::Recovered || event.kind.severity() >= least
        });
        kind && urgent
            && named(&self.policies, &event.policy)
            && named(&self.namespaces, &event.namespace)
    }
}

impl Routes {
    /// Routes between events and these receivers.
    pub fn new(routes: Vec<Route>, known: impl IntoIterator<Item = String>) -> Self {
        Self {
            routes,
            known: known.into_iter().collect(),
        }
    }

    /// The receivers of an event, each once, in order of name: those of the policy (`alerts.to`, for the kinds in
    /// `alerts.on`) and those of every route that matches. Names that nobody has are left out.
    pub fn receivers_for(
        &self,
        event: &Event,
        policy_on: &[String],
        policy_to: &[String],
    ) -> Vec<String> {
        // a message about a message would be told for ever
        if event.kind == EventKind::Delivered {
            return Vec::new();
        }
        let kinds = [event.kind.as_str(), asked(event.kind).as_str()];
        let on = policy_on.iter().any(|kind| kinds.contains(&kind.as_str()));
        let own = policy_to.iter().filter(|_| on);
        let routed = self
            .routes
            .iter()
            .filter(|route| route.matches(event))
            .flat_map(|route| &route.to);
        let names: BTreeSet<&String> = own
            .chain(routed)
            .filter(|name| self.known.contains(*name))
            .collect();
        names.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind) -> Event {
        Event {
            seq: 0,
            id: uuid::Uuid::from_u128(1),
            at: 0,
            kind,
            namespace: "shop".to_owned(),
            rollout: "web".to_owned(),
            policy: "http".to_owned(),
            canary_hash: "c".to_owned(),
            weight: 5.0,
            outcome: None,
            verdict: None,
            author: None,
            ruling: None,
            still: Vec::new(),
            reason: "because".to_owned(),
        }
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn policy_and_routes_together() {
        let known = names(&["chat", "mail", "pager", "all"]);
        let routes = vec![
            Route {
                severity: Some(Severity::Critical),
                to: names(&["pager"]),
                ..Route::default()
            },
            Route {
                namespaces: names(&["shop"]),
                events: vec![EventKind::Started],
                to: names(&["mail", "chat"]),
                ..Route::default()
            },
            Route {
                policies: names(&["other"]),
                to: names(&["all"]),
                ..Route::default()
            },
        ];
        let routes = Routes::new(routes, known);
        let (on, to) = (
            names(&["fail", "inconclusive", "override"]),
            names(&["chat", "gone"]),
        );
        for (kind, expected) in [
            (EventKind::Fail, &["chat", "pager"][..]),
            (EventKind::Inconclusive, &["chat"]),
            (EventKind::Recovered, &["pager"]),
            (EventKind::Started, &["chat", "mail"]),
            (EventKind::SourceDown, &["pager"]),
            (EventKind::Override, &["chat"]),
            (EventKind::OverrideEnded, &["chat"]),
            (EventKind::Vanished, &[]),
            (EventKind::Delivered, &[]),
            (EventKind::Verdict, &[]),
        ] {
            assert_eq!(
                routes.receivers_for(&event(kind), &on, &to),
                expected,
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_route_without_conditions_tells_all_but_chatter() {
        let all = Route {
            to: names(&["chat"]),
            ..Route::default()
        };
        let routes = Routes::new(vec![all], names(&["chat"]));
        let told: Vec<&str> = EventKind::ALL
            .iter()
            .filter(|kind| !routes.receivers_for(&event(**kind), &[], &[]).is_empty())
            .map(|kind| kind.as_str())
            .collect();
        assert_eq!(
            told,
            [
                "fail",
                "pass",
                "inconclusive",
                "recovered",
                "override",
                "override-ended",
                "source-down",
                "promotion-without-evidence",
                "vanished"
            ]
        );
    }
}
