//! What an event, with those that are told with it, means for a service that keeps incidents.

use crate::domain::{Event, EventKind, Message, Outcome};

/// Kinds that stay open until something ends them.
pub const OPENING: [EventKind; 6] = [
    EventKind::Fail,
    EventKind::Inconclusive,
    EventKind::Override,
    EventKind::SourceDown,
    EventKind::PromotionWithoutEvidence,
    EventKind::DeadLetter,
];

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Incident<'a> {
    /// It begins or goes on.
    Open(&'a Event),
    /// It is over.
    Over(&'a Event),
    /// Nothing to act on.
    News(&'a Event),
}

impl<'a> Incident<'a> {
    /// Reads the events of a message in their order: what was opened and not ended counts, even if news came after it.
    pub fn of(message: &'a Message) -> Self {
        let mut state = Self::News(&message.event);
        for event in message.earlier.iter().chain([&message.event]) {
            if ends(event) {
                state = Self::Over(event);
            } else if OPENING.contains(&event.kind) {
                state = Self::Open(event);
            }
        }
        state
    }
}

/// Does it end what was open?
pub fn ends(event: &Event) -> bool {
    match event.kind {
        EventKind::Recovered | EventKind::Pass | EventKind::OverrideEnded => true,
        EventKind::Override => event.outcome == Some(Outcome::Pass),
        _ => false,
    }
}

/// One incident for each rollout or source.
pub fn key(event: &Event) -> String {
    if event.namespace.is_empty() {
        format!("rollout-judge/source/{}", event.rollout)
    } else {
        format!("rollout-judge/{}/{}", event.namespace, event.rollout)
    }
}

#[cfg(test)]
mod tests {
    use super::EventKind::{Fail, Inconclusive, Override, OverrideEnded, Recovered, Started};
    use super::*;
    use crate::notify::facts::tests::hostile;

    #[test]
    fn the_last_thing_that_counts_decides() {
        let of = |kinds: &[EventKind]| {
            let mut message = hostile();
            let event = message.event.clone();
            let mut events: Vec<Event> = kinds
                .iter()
                .map(|kind| Event {
                    kind: *kind,
                    outcome: None,
                    ..event.clone()
                })
                .collect();
            message.event = events.pop().unwrap();
            message.earlier = events;
            match Incident::of(&message) {
                Incident::Open(e) => format!("open {}", e.kind.as_str()),
                Incident::Over(e) => format!("over {}", e.kind.as_str()),
                Incident::News(e) => format!("news {}", e.kind.as_str()),
            }
        };
        assert_eq!(of(&[Started]), "news started");
        assert_eq!(of(&[Fail, Started]), "open fail");
        assert_eq!(of(&[Fail, Recovered, Started]), "over recovered");
        assert_eq!(of(&[Recovered, Inconclusive, Fail]), "open fail");
        assert_eq!(of(&[Override]), "open override");
        assert_eq!(of(&[Override, OverrideEnded]), "over override-ended");
    }
}
