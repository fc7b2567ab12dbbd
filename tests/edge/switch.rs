//! The real store, with a switch that cuts it off.

use rollout_judge::domain::{
    Change, Chunk, Claimed, Draft, Event, Filter, Kept, Line, Lineage, Millis, Override, Posted,
    Progress, Pruned, Question, Record, Retention, Revision, RolloutState, Standing, StoreError,
    Tried, Verdict, VerdictStore, store::Stored,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tempfile::TempDir;
use uuid::Uuid;

pub struct Switch {
    inner: Arc<dyn VerdictStore>,
    off: AtomicBool,
    /// Goes with the last user.
    _folder: TempDir,
}

impl Switch {
    pub fn on(inner: Arc<dyn VerdictStore>, folder: TempDir) -> Self {
        Self {
            inner,
            _folder: folder,
            off: AtomicBool::new(false),
        }
    }

    pub fn cut(&self, off: bool) {
        self.off.store(off, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.off.load(Ordering::SeqCst)
    }
}

macro_rules! through {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)+) => {
        #[expect(clippy::elidable_lifetime_names, reason = "one shape for all calls")]
        impl VerdictStore for Switch {$(
            fn $name<'a>(&'a self, $($arg: $kind),*) -> Stored<'a, $out> {
                if self.is_cut() {
                    let detail = "cut off".to_owned();
                    return Box::pin(async { Err(StoreError::Unavailable { detail }) });
                }
                self.inner.$name($($arg),*)
            }
        )+}
    };
}

through! {
    recall(question: &'a Question, revision: &'a str, id: Uuid) -> Standing;
    keep(draft: Draft) -> Kept;
    change(change: Change) -> Vec<Event>;
    record(id: Uuid) -> Option<Record>;
    looks(filter: &'a Filter, most: u32) -> Vec<(Question, Verdict)>;
    chunks(run: Uuid) -> Vec<Chunk>;
    history(filter: &'a Filter, before: Option<Uuid>, limit: u32) -> Vec<Line>;
    rollouts(filter: &'a Filter, after: Option<(&'a str, &'a str)>, limit: u32) -> Vec<RolloutState>;
    rollout(namespace: &'a str, name: &'a str) -> Option<(i64, RolloutState)>;
    overrides(namespace: &'a str, name: &'a str, limit: u32) -> Vec<Override>;
    lineage(filter: &'a Filter, limit: u32) -> Vec<Lineage>;
    policy(revision: &'a str) -> Option<Revision>;
    revisions(name: &'a str, limit: u32) -> Vec<Revision>;
    events(after: i64, limit: u32) -> Vec<Event>;
    timeline(namespace: &'a str, name: &'a str, before: Option<i64>, changes: bool, limit: u32) -> Vec<Event>;
    last_event() -> i64;
    claim(receiver: &'a str, now: Millis, until: Millis, limit: u32) -> Vec<Claimed>;
    settle(id: Uuid, tried: Tried, now: Millis, took: Option<Millis>) -> ();
    deliveries(progress: Option<Progress>, receiver: Option<&'a str>, verdict: Option<Uuid>, limit: u32) -> Vec<Posted>;
    deliveries_before(progress: Option<Progress>, receiver: Option<&'a str>, before: Option<i64>, limit: u32) -> Vec<(i64, Posted)>;
    retry(id: Uuid, now: Millis) -> bool;
    cursor(reader: &'a str) -> Option<i64>;
    advance(reader: &'a str, seq: i64) -> ();
    prune(retention: Retention, now: Millis) -> Pruned;
    bytes() -> u64;
    ping() -> ();
}
