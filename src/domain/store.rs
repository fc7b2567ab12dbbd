//! The port of memory.

use super::{
    Change, Chunk, Claimed, Draft, Event, Filter, Kept, Line, Lineage, Millis, Override, Posted,
    Progress, Pruned, Question, Record, Retention, Revision, RolloutState, Standing, Tried,
    Verdict, ports::BoxFuture,
};
use uuid::Uuid;

/// Why the store did not do it. `Display` never holds credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No connection, full disk, locked file.
    #[error("the store is not available: {detail}")]
    Unavailable {
        /// What it said.
        detail: String,
    },
    /// A row that cannot be read.
    #[error("the store holds something that cannot be read: {detail}")]
    Corrupt {
        /// Which row, and why.
        detail: String,
    },
    /// Written by a newer version of the program.
    #[error("the store was written by a newer version of rollout-judge: {detail}")]
    TooNew {
        /// Which migration.
        detail: String,
    },
    /// The state changed meanwhile.
    #[error("the rollout's state changed meanwhile")]
    Stale,
}

/// What a call of the store gives.
pub type Stored<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Keeps verdicts, what was decided by people, and what must be told.
///
/// Every call is one transaction; what it answers is on the disk. Nothing is cached: replicas may share one store.
pub trait VerdictStore: Send + Sync {
    /// What is known before `question` is judged under `revision`; `id` is the id of its verdict.
    fn recall<'a>(
        &'a self,
        question: &'a Question,
        revision: &'a str,
        id: Uuid,
    ) -> Stored<'a, Standing>;
    /// Writes a verdict and all that comes with it, or nothing.
    fn keep(&self, draft: Draft) -> Stored<'_, Kept>;
    /// Writes what a person or the watch did; gives the new events with their places.
    fn change(&self, change: Change) -> Stored<'_, Vec<Event>>;

    /// One kept verdict.
    fn record(&self, id: Uuid) -> Stored<'_, Option<Record>>;
    /// The blocks of a reading, in order of part and first block.
    fn chunks(&self, run: Uuid) -> Stored<'_, Vec<Chunk>>;
    /// History, newest question first: verdicts with an id below `before`.
    fn history<'a>(
        &'a self,
        filter: &'a Filter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Stored<'a, Vec<Line>>;
    /// Whole verdicts, oldest question first, spread evenly over time where there are more than `most`; the first and the
    /// last are always among them. Reads that many bodies at most, however many are kept.
    fn looks<'a>(&'a self, filter: &'a Filter, most: u32) -> Stored<'a, Vec<(Question, Verdict)>>;
    /// Rollouts in order of namespace and name, after this one.
    fn rollouts<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<(&'a str, &'a str)>,
        limit: u32,
    ) -> Stored<'a, Vec<RolloutState>>;
    /// One rollout with its version.
    fn rollout<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> Stored<'a, Option<(i64, RolloutState)>>;
    /// Overrides of a rollout, newest first.
    fn overrides<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        limit: u32,
    ) -> Stored<'a, Vec<Override>>;
    /// Which versions had a label: newest first.
    fn lineage<'a>(&'a self, filter: &'a Filter, limit: u32) -> Stored<'a, Vec<Lineage>>;
    /// One revision of a policy.
    fn policy<'a>(&'a self, revision: &'a str) -> Stored<'a, Option<Revision>>;
    /// Revisions of a policy, newest first.
    fn revisions<'a>(&'a self, name: &'a str, limit: u32) -> Stored<'a, Vec<Revision>>;

    /// The log after a place, in order.
    fn events(&self, after: i64, limit: u32) -> Stored<'_, Vec<Event>>;
    /// The log of one rollout, newest first, before a place; without plain verdicts and arrived messages where `changes` is set.
    fn timeline<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        before: Option<i64>,
        changes: bool,
        limit: u32,
    ) -> Stored<'a, Vec<Event>>;
    /// The last place of the log.
    fn last_event(&self) -> Stored<'_, i64>;

    /// Takes deliveries of a receiver: of each order the oldest unsettled one, if it is due (or if a fail or the end of an override that
    /// is due and was never tried waits behind it), with what waits behind it
    /// (at most 50), and hides them from everybody until `until`. A taker that dies leaves them to the next.
    fn claim<'a>(
        &'a self,
        receiver: &'a str,
        now: Millis,
        until: Millis,
        limit: u32,
    ) -> Stored<'a, Vec<Claimed>>;
    /// Notes what a try came to, and how long it took.
    fn settle(&self, id: Uuid, tried: Tried, now: Millis, took: Option<Millis>) -> Stored<'_, ()>;
    /// Deliveries by progress, newest first.
    fn deliveries<'a>(
        &'a self,
        progress: Option<Progress>,
        receiver: Option<&'a str>,
        verdict: Option<Uuid>,
        limit: u32,
    ) -> Stored<'a, Vec<Posted>>;
    /// Deliveries by progress with their place in the queue, newest first, before such a place. Places only ever rise, so a page
    /// begins where the one before ended, whatever is queued meanwhile.
    fn deliveries_before<'a>(
        &'a self,
        progress: Option<Progress>,
        receiver: Option<&'a str>,
        before: Option<i64>,
        limit: u32,
    ) -> Stored<'a, Vec<(i64, Posted)>>;
    /// Puts a dead delivery back; `false` where there is none.
    fn retry(&self, id: Uuid, now: Millis) -> Stored<'_, bool>;

    /// How far a reader of the log has come.
    fn cursor<'a>(&'a self, reader: &'a str) -> Stored<'a, Option<i64>>;
    /// Moves a reader on; never back.
    fn advance<'a>(&'a self, reader: &'a str, seq: i64) -> Stored<'a, ()>;

    /// Removes what is over the retention, one batch.
    fn prune(&self, retention: Retention, now: Millis) -> Stored<'_, Pruned>;
    /// Bytes on the disk.
    fn bytes(&self) -> Stored<'_, u64>;
    /// Is it reachable and writable?
    fn ping(&self) -> Stored<'_, ()>;
}
