//! What is told, and what is written about the telling.

use crate::{
    domain::{
        Claimed, Delivery, Event, EventKind, Message, Millis, Outcome, Posted, Verdict,
        text::percent_value,
    },
    service::identity::{delivery_id, event_id},
};

/// How links begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links(String);

impl Links {
    /// Links below `public_url`.
    pub fn new(public_url: &str) -> Self {
        Self(public_url.trim_end_matches('/').to_owned())
    }

    /// The page of an event: its verdict, else its rollout, else the first page.
    pub fn page(&self, event: &Event) -> String {
        match event.verdict {
            Some(id) => format!("{}/verdicts/{id}", self.0),
            None if event.namespace.is_empty() => format!("{}/", self.0),
            None => format!("{}/rollouts/{}", self.0, self.rollout(event)),
        }
    }

    /// How to override, as a command; nothing for a source.
    pub fn how_to_override(&self, event: &Event) -> String {
        if event.namespace.is_empty() {
            return String::new();
        }
        // whoever is told of a pass would want the opposite; a canary that failed can only be let go on
        let good = [EventKind::Pass, EventKind::Recovered].contains(&event.kind);
        let verdict = if good && event.outcome != Some(Outcome::Fail) {
            "fail"
        } else {
            "pass"
        };
        let body = format!(r#"{{"verdict":"{verdict}","reason":"WHY","expires":"2h"}}"#);
        format!(
            "curl -X POST {}/v1/rollouts/{}/override -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' -d '{body}'",
            self.0,
            self.rollout(event)
        )
    }

    #[expect(clippy::unused_self, reason = "part of every link")]
    fn rollout(&self, event: &Event) -> String {
        format!(
            "{}/{}",
            percent_value(&event.namespace),
            percent_value(&event.rollout)
        )
    }
}

/// One message for all that was taken: the newest event leads, and its delivery's id is the idempotency key.
pub fn message(claimed: &Claimed, verdict: Option<Verdict>, links: &Links) -> Message {
    let leading = leading(claimed);
    let all = std::iter::once(&claimed.first).chain(&claimed.behind);
    let earlier = all
        .filter(|posted| posted.delivery.id != leading.delivery.id)
        .map(|posted| posted.event.clone())
        .collect();
    Message {
        id: leading.delivery.id,
        event: leading.event.clone(),
        earlier,
        verdict,
        url: links.page(&leading.event),
        how_to_override: links.how_to_override(&leading.event),
    }
}

/// The newest of what was taken.
pub fn leading(claimed: &Claimed) -> &Posted {
    claimed.behind.last().unwrap_or(&claimed.first)
}

/// What the log says of a delivery that arrived (`error` absent) or was given up.
pub fn report(posted: &Posted, error: Option<&str>, now: Millis) -> Event {
    let (kind, told) = (posted.event.kind.as_str(), &posted.delivery.receiver);
    let (event, reason) = match error {
        None => (EventKind::Delivered, format!("`{told}` was told of {kind}")),
        Some(error) => {
            let reason = format!("`{told}` was not told of {kind}: {error}");
            (EventKind::DeadLetter, reason)
        }
    };
    Event {
        seq: 0,
        id: event_id(event, posted.queued_at, &posted.delivery.id.to_string()),
        at: now,
        kind: event,
        author: None,
        reason,
        ..posted.event.clone()
    }
}

/// Tells other receivers of a dead letter. A letter about a dead letter ends here.
pub fn alarm(event: &Event, dead: &Posted, receivers: Vec<String>) -> Vec<Delivery> {
    if dead.event.kind == EventKind::DeadLetter {
        return Vec::new();
    }
    let others = receivers
        .into_iter()
        .filter(|name| *name != dead.delivery.receiver);
    others
        .map(|receiver| Delivery {
            id: delivery_id(event.id, event.at, &receiver),
            event: event.id,
            // its own: it neither waits for the rollout's messages nor uses up what may be told of it
            order: format!("dead-letter/{}", dead.delivery.order),
            due: event.at,
            receiver,
        })
        .collect()
}
