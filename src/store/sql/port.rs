//! The port: each call is one reading, or one job for the writer.

use super::{
    decisions, deliveries,
    dialect::{self, Conn},
    gate::Gate,
    history, judged, keep, log, looks, policies, prune, recall, rollouts, versions,
};
use crate::domain::{
    Change, Chunk, Claimed, Draft, Event, Filter, Kept, Line, Lineage, Millis, Override, Posted,
    Progress, Pruned, Question, Record, Retention, Revision, RolloutState, Standing, Tried,
    Verdict, VerdictStore, store::Stored,
};
use uuid::Uuid;

/// A store in this dialect.
pub struct Store {
    gate: Gate,
}

impl Store {
    /// A store behind an open gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

/// A reading on a connection of its own, inside the patience of the store.
macro_rules! reading {
    ($self:ident, $conn:ident => $work:expr) => {
        Box::pin($self.gate.patiently(async move {
            let mut guard = $self.gate.reader().await?;
            let $conn: &mut Conn = &mut guard;
            $work.await
        }))
    };
}

/// A job for the writer; what it answers is on the disk.
macro_rules! writing {
    ($self:ident, $conn:ident => $work:expr) => {
        Box::pin($self.gate.write(move |$conn: &mut Conn| Box::pin($work)))
    };
}

impl VerdictStore for Store {
    fn recall<'a>(
        &'a self,
        question: &'a Question,
        revision: &'a str,
        id: Uuid,
    ) -> Stored<'a, Standing> {
        reading!(self, conn => recall::recall(conn, question, revision, id))
    }

    fn keep(&self, draft: Draft) -> Stored<'_, Kept> {
        Box::pin(keep::keep(&self.gate, draft))
    }

    fn change(&self, change: Change) -> Stored<'_, Vec<Event>> {
        writing!(self, conn => decisions::change(conn, change))
    }

    fn record(&self, id: Uuid) -> Stored<'_, Option<Record>> {
        reading!(self, conn => judged::record(conn, id))
    }

    fn chunks(&self, run: Uuid) -> Stored<'_, Vec<Chunk>> {
        reading!(self, conn => judged::read_chunks(conn, run))
    }

    fn history<'a>(
        &'a self,
        filter: &'a Filter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Stored<'a, Vec<Line>> {
        reading!(self, conn => history::page(conn, filter, before, limit))
    }

    fn looks<'a>(&'a self, filter: &'a Filter, most: u32) -> Stored<'a, Vec<(Question, Verdict)>> {
        reading!(self, conn => looks::looks(conn, filter, most))
    }

    fn rollouts<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<(&'a str, &'a str)>,
        limit: u32,
    ) -> Stored<'a, Vec<RolloutState>> {
        reading!(self, conn => rollouts::page(conn, filter, after, limit))
    }

    fn rollout<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> Stored<'a, Option<(i64, RolloutState)>> {
        reading!(self, conn => async {
            let (version, state) = rollouts::read(conn, namespace, name).await?;
            Ok(state.map(|state| (version, state)))
        })
    }

    fn overrides<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        limit: u32,
    ) -> Stored<'a, Vec<Override>> {
        reading!(self, conn => decisions::overrides(conn, namespace, name, limit))
    }

    fn lineage<'a>(&'a self, filter: &'a Filter, limit: u32) -> Stored<'a, Vec<Lineage>> {
        reading!(self, conn => versions::lineage(conn, filter, limit))
    }

    fn policy<'a>(&'a self, revision: &'a str) -> Stored<'a, Option<Revision>> {
        reading!(self, conn => policies::policy(conn, revision))
    }

    fn revisions<'a>(&'a self, name: &'a str, limit: u32) -> Stored<'a, Vec<Revision>> {
        reading!(self, conn => policies::revisions(conn, name, limit))
    }

    fn events(&self, after: i64, limit: u32) -> Stored<'_, Vec<Event>> {
        reading!(self, conn => log::after(conn, after, limit))
    }

    fn timeline<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        before: Option<i64>,
        changes: bool,
        limit: u32,
    ) -> Stored<'a, Vec<Event>> {
        reading!(self, conn => log::timeline(conn, namespace, name, before, changes, limit))
    }

    fn last_event(&self) -> Stored<'_, i64> {
        reading!(self, conn => log::last(conn))
    }

    fn claim<'a>(
        &'a self,
        receiver: &'a str,
        now: Millis,
        until: Millis,
        limit: u32,
    ) -> Stored<'a, Vec<Claimed>> {
        let receiver = receiver.to_owned();
        writing!(self, conn => deliveries::claim(conn, receiver, now, until, limit))
    }

    fn settle(&self, id: Uuid, tried: Tried, now: Millis, took: Option<Millis>) -> Stored<'_, ()> {
        writing!(self, conn => deliveries::settle(conn, id, tried, (now, took)))
    }

    fn deliveries<'a>(
        &'a self,
        progress: Option<Progress>,
        receiver: Option<&'a str>,
        verdict: Option<Uuid>,
        limit: u32,
    ) -> Stored<'a, Vec<Posted>> {
        reading!(self, conn => deliveries::list(conn, progress, receiver, verdict, limit))
    }

    fn deliveries_before<'a>(
        &'a self,
        progress: Option<Progress>,
        receiver: Option<&'a str>,
        before: Option<i64>,
        limit: u32,
    ) -> Stored<'a, Vec<(i64, Posted)>> {
        reading!(self, conn => deliveries::before(conn, progress, receiver, before, limit))
    }

    fn retry(&self, id: Uuid, now: Millis) -> Stored<'_, bool> {
        writing!(self, conn => deliveries::retry(conn, id, now))
    }

    fn cursor<'a>(&'a self, reader: &'a str) -> Stored<'a, Option<i64>> {
        reading!(self, conn => log::cursor(conn, reader))
    }

    fn advance<'a>(&'a self, reader: &'a str, seq: i64) -> Stored<'a, ()> {
        let reader = reader.to_owned();
        writing!(self, conn => log::advance(conn, reader, seq))
    }

    fn prune(&self, retention: Retention, now: Millis) -> Stored<'_, Pruned> {
        Box::pin(async move {
            let job = writing!(self, conn => prune::prune(conn, retention, now));
            let pruned: Pruned = job.await?;
            if pruned.rows == 0 {
                self.gate.tidy().await;
            }
            Ok(pruned)
        })
    }

    fn bytes(&self) -> Stored<'_, u64> {
        reading!(self, conn => dialect::bytes(conn))
    }

    fn ping(&self) -> Stored<'_, ()> {
        writing!(self, conn => dialect::writable(conn))
    }
}
