//! What an event, with those that are told with it, means for a service that keeps incidents.

use crate::domain::{Event, EventKind, Message, Severity};

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Incident<'a> {
    /// It begins or goes on.
    Open(&'a Event),
    /// It is over.
    Over(Line, &'a Event),
    /// Nothing to act on.
    News(&'a Event),
}

/// The incidents that a rollout can have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Something is wrong with it.
    Trouble,
    /// A person overrode the judge.
    Override,
    /// Messages about it were given up.
    DeadLetter,
}

impl Line {
    const ALL: [Self; 3] = [Self::Trouble, Self::Override, Self::DeadLetter];

    fn has(self, kind: EventKind) -> bool {
        match self {
            Self::Trouble => kind.is_trouble(),
            Self::Override => kind == EventKind::Override,
            Self::DeadLetter => kind == EventKind::DeadLetter,
        }
    }

    /// The line of an event that opens one.
    pub fn of(kind: EventKind) -> Self {
        let own = Self::ALL.into_iter().find(|line| line.has(kind));
        own.unwrap_or(Self::Trouble)
    }

    /// Where this line stands after the events.
    fn after<'a>(self, events: impl Iterator<Item = &'a Event>) -> Option<Incident<'a>> {
        let ends = |event: &Event| {
            let mut own = EventKind::LASTING
                .into_iter()
                .filter(|kind| self.has(*kind));
            // what is no more than a warning keeps no incident open, which may be about something else that is over
            let minor = |kind: EventKind| kind.severity() < Severity::Critical;
            own.all(|kind| event.ends(kind) || (event.still.contains(&kind) && minor(kind)))
        };
        let (mut open, mut over) = (Vec::new(), None);
        for event in events {
            if self.has(event.kind) {
                open.push(event);
            } else if ends(event) {
                open.clear();
                over = Some(Incident::Over(self, event));
            } else {
                // what is over by now opens nothing, although something else keeps the incident
                open.retain(|opened: &&Event| !event.ends(opened.kind));
            }
        }
        open.pop().map(Incident::Open).or(over)
    }
}

/// Reads the events of a message in their order: what was opened and not ended counts, even if news came after it.
pub fn incidents(message: &Message) -> Vec<Incident<'_>> {
    let events = || message.earlier.iter().chain([&message.event]);
    let found: Vec<_> = Line::ALL
        .into_iter()
        .filter_map(|line| line.after(events()))
        .collect();
    if found.is_empty() {
        return vec![Incident::News(&message.event)];
    }
    found
}

/// One for each incident of a rollout or source.
pub fn key(event: &Event, line: Line) -> String {
    let whose = if event.namespace.is_empty() {
        format!("rollout-judge/source/{}", event.rollout)
    } else {
        format!("rollout-judge/{}/{}", event.namespace, event.rollout)
    };
    match line {
        Line::Trouble => whose,
        Line::Override => format!("{whose}/override"),
        Line::DeadLetter => format!("{whose}/dead-letter"),
    }
}

#[cfg(test)]
mod tests {
    use super::EventKind::{
        DeadLetter, Fail, Inconclusive, Override, OverrideEnded, Pass, Recovered, SourceDown,
        Started,
    };
    use super::*;
    use crate::{domain::Outcome, notify::facts::tests::hostile};

    #[test]
    fn the_last_thing_that_counts_decides() {
        let of = |kinds: &[EventKind], outcome: Option<Outcome>| {
            let mut message = hostile();
            let event = message.event.clone();
            let mut events: Vec<Event> = kinds
                .iter()
                .map(|kind| Event {
                    kind: *kind,
                    outcome,
                    rollout: "w".to_owned(),
                    ..event.clone()
                })
                .collect();
            message.event = events.pop().unwrap();
            message.earlier = events;
            let found = incidents(&message)
                .into_iter()
                .map(|incident| match incident {
                    Incident::Open(e) => format!("open {}", key(e, Line::of(e.kind))),
                    Incident::Over(line, e) => format!("over {}", key(e, line)),
                    Incident::News(e) => format!("news {}", e.kind.as_str()),
                });
            found
                .collect::<Vec<_>>()
                .join(", ")
                .replace("rollout-judge/shop/w", "")
        };
        assert_eq!(of(&[Started], None), "news started");
        assert_eq!(of(&[Fail, Started], None), "open ");
        assert_eq!(of(&[Fail, Recovered, Started], None), "over ");
        assert_eq!(of(&[Recovered, Inconclusive, Fail], None), "open ");
        assert_eq!(of(&[Fail, Pass], None), "over ");
        let (pass, fail) = (Some(Outcome::Pass), Some(Outcome::Fail));
        assert_eq!(of(&[Override], pass), "over , open /override");
        assert_eq!(of(&[Override], fail), "open /override");
        assert_eq!(of(&[Fail, Override], fail), "open , open /override");
        assert_eq!(of(&[Override, Recovered], fail), "open /override");
        assert_eq!(of(&[Fail, SourceDown, Recovered], fail), "open ");
        // it was told late: the incident of the earlier fail is left alone
        assert_eq!(of(&[SourceDown, Recovered], fail), "news recovered");
        assert_eq!(of(&[SourceDown, Recovered, SourceDown], fail), "open ");
        assert_eq!(of(&[SourceDown, Recovered], None), "over ");
        assert_eq!(of(&[Override, OverrideEnded], fail), "over /override");
        assert_eq!(of(&[DeadLetter], fail), "open /dead-letter");
    }
}
