//! Which of the waiting events one message tells. Its newest event leads, so a message ends where the worst begins.

use crate::domain::{Claimed, EventKind, Posted, Severity};

/// Parts what is told now from what comes next.
///
/// A fail ends its message, whatever comes after it, and so does the end of an override. A message that was on its way before stays as it was, under the
/// key that it had; only one of these takes it along. Otherwise the worst event that nothing has ended since is the last.
pub fn part(mut claimed: Claimed) -> (Claimed, Vec<Posted>) {
    let later = claimed
        .behind
        .split_off(behind(&claimed).min(claimed.behind.len()));
    (claimed, later)
}

/// So many of those behind are told with the first.
fn behind(claimed: &Claimed) -> usize {
    let (head, behind) = (&claimed.first, &claimed.behind);
    let all = || std::iter::once(head).chain(behind);
    let first = |leads: fn(EventKind) -> bool| all().position(|posted| leads(posted.event.kind));
    if let Some(place) = first(|kind| kind == EventKind::Fail).or_else(|| first(EventKind::leads)) {
        return place;
    }
    if tried(head) {
        let same = |posted: &&Posted| {
            tried(posted) && posted.delivery.due == head.delivery.due && posted.error == head.error
        };
        return behind.iter().take_while(same).count();
    }
    let fresh = 1 + behind.iter().take_while(|posted| !tried(posted)).count();
    let open = |place: usize, posted: &Posted| {
        let kind = posted.event.kind;
        let mut since = all().take(fresh).skip(place + 1);
        // what was promoted without evidence is told even if it passed in the end
        let told = kind == EventKind::PromotionWithoutEvidence;
        kind.severity() >= Severity::Warning && (told || !since.any(|later| later.event.ends(kind)))
    };
    let worst = all()
        .take(fresh)
        .enumerate()
        .filter(|(place, posted)| open(*place, posted))
        .max_by_key(|(place, posted)| (posted.event.kind.severity(), *place));
    worst.map_or(fresh - 1, |(place, _)| place)
}

/// Was it on its way, and did not arrive, and was not put off since?
fn tried(posted: &Posted) -> bool {
    posted.tries > 0 && !posted.held
}

#[cfg(test)]
mod tests {
    use super::EventKind::{
        Changed, Fail, Inconclusive, Override, OverrideEnded, Pass, PromotionWithoutEvidence,
        Recovered, SourceDown, Started,
    };
    use super::*;
    use crate::domain::{Delivery, Event, Progress};
    use uuid::Uuid;

    fn posted(kind: EventKind) -> Posted {
        let event = Event {
            seq: 1,
            id: Uuid::nil(),
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
        };
        Posted {
            delivery: Delivery {
                id: Uuid::nil(),
                event: event.id,
                receiver: "a".to_owned(),
                order: "shop/web".to_owned(),
                due: 0,
            },
            progress: Progress::Pending,
            tries: 0,
            queued_at: 0,
            tried_at: None,
            error: None,
            took: None,
            held: false,
            behind: false,
            event,
        }
    }

    fn tried_at(due: i64, kind: EventKind) -> Posted {
        let mut posted = posted(kind);
        posted.tries = 1;
        posted.error = Some("answered 500".to_owned());
        posted.delivery.due = due;
        posted
    }

    /// How many are told together.
    fn together(mut all: Vec<Posted>) -> usize {
        let behind = all.split_off(1);
        let (count, first) = (1 + behind.len(), all.remove(0));
        let (now, later) = part(Claimed { first, behind });
        assert_eq!(1 + now.behind.len() + later.len(), count);
        1 + now.behind.len()
    }

    #[test]
    fn a_message_ends_with_the_worst_that_still_matters() {
        let of = |kinds: &[EventKind]| together(kinds.iter().copied().map(posted).collect());
        assert_eq!(of(&[Fail]), 1);
        assert_eq!(of(&[Fail, Recovered, Fail, Changed]), 1);
        assert_eq!(of(&[Recovered, Changed, Fail, Changed]), 3);
        assert_eq!(of(&[Inconclusive, Recovered, Inconclusive, Recovered]), 4);
        assert_eq!(of(&[Inconclusive, Changed, Started]), 1);
        assert_eq!(of(&[SourceDown, Inconclusive, Changed]), 1);
        assert_eq!(of(&[Inconclusive, SourceDown, Changed]), 2);
        // a recovery ends no override: its author and reason are told
        assert_eq!(of(&[Override, Recovered]), 1);
        assert_eq!(of(&[Override, OverrideEnded, Changed]), 2);
        assert_eq!(of(&[OverrideEnded, Inconclusive, SourceDown]), 1);
        assert_eq!(of(&[Override, OverrideEnded, Fail]), 3);
        assert_eq!(of(&[Started, Changed, Changed]), 3);
        assert_eq!(of(&[Started, PromotionWithoutEvidence, Pass]), 2);
    }

    #[test]
    fn a_message_that_was_on_its_way_stays_as_it_was() {
        let (old, other) = (|kind| tried_at(5, kind), |kind| tried_at(9, kind));
        assert_eq!(together(vec![old(Started), posted(Recovered)]), 1);
        assert_eq!(
            together(vec![old(Started), old(Inconclusive), posted(Recovered)]),
            2
        );
        assert_eq!(together(vec![old(Started), other(Changed)]), 1);
        assert_eq!(together(vec![old(Recovered), old(Fail), posted(Fail)]), 2);
        assert_eq!(
            together(vec![old(Inconclusive), posted(Changed), posted(Fail)]),
            3
        );
        assert_eq!(together(vec![old(Override), posted(OverrideEnded)]), 2);
        // put back by hand: what was tried behind it waits
        assert_eq!(together(vec![posted(Changed), old(Changed)]), 1);
        let mut held = posted(Changed);
        (held.tries, held.held) = (3, true);
        assert_eq!(together(vec![held, posted(Recovered)]), 2);
    }
}
