//! No store at all: every call says so. Stands in until an adapter is wired here.

use crate::domain::{
    Change, Chunk, Claimed, Draft, Event, Filter, Kept, Line, Lineage, Millis, Override, Posted,
    Progress, Question, Record, Retention, Revision, RolloutState, Standing, StoreError, Tried,
    VerdictStore, store::Stored,
};
use uuid::Uuid;

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Absent;

macro_rules! absent {
    ($($name:ident($($kind:ty),*) -> $out:ty;)+) => {
        impl VerdictStore for Absent {
            $(absent!(@one $name [$($kind),*] $out);)+
            // a service without a store is ready, as it was before there was one
            fn ping(&self) -> Stored<'_, ()> { Box::pin(async { Ok(()) }) }
        }
    };
    (@one $name:ident [] $out:ty) => { fn $name(&self) -> Stored<'_, $out> { gone() } };
    (@one $name:ident [$a:ty] $out:ty) => { fn $name<'a>(&'a self, _: $a) -> Stored<'a, $out> { gone() } };
    (@one $name:ident [$a:ty, $b:ty] $out:ty) => { fn $name<'a>(&'a self, _: $a, _: $b) -> Stored<'a, $out> { gone() } };
    (@one $name:ident [$a:ty, $b:ty, $c:ty] $out:ty) => {
        fn $name<'a>(&'a self, _: $a, _: $b, _: $c) -> Stored<'a, $out> { gone() }
    };
    (@one $name:ident [$a:ty, $b:ty, $c:ty, $d:ty] $out:ty) => {
        fn $name<'a>(&'a self, _: $a, _: $b, _: $c, _: $d) -> Stored<'a, $out> { gone() }
    };
    (@one $name:ident [$a:ty, $b:ty, $c:ty, $d:ty, $e:ty] $out:ty) => {
        fn $name<'a>(&'a self, _: $a, _: $b, _: $c, _: $d, _: $e) -> Stored<'a, $out> { gone() }
    };
}

fn gone<'a, T: Send + 'a>() -> Stored<'a, T> {
    Box::pin(async {
        Err(StoreError::Unavailable {
            detail: "none is wired".to_owned(),
        })
    })
}

absent! {
    recall(&'a Question, &'a str, Uuid) -> Standing;
    keep(Draft) -> Kept;
    change(Change) -> Vec<Event>;
    record(Uuid) -> Option<Record>;
    chunks(Uuid) -> Vec<Chunk>;
    history(&'a Filter, Option<Uuid>, u32) -> Vec<Line>;
    rollouts(&'a Filter, Option<(&'a str, &'a str)>, u32) -> Vec<RolloutState>;
    rollout(&'a str, &'a str) -> Option<(i64, RolloutState)>;
    overrides(&'a str, &'a str, u32) -> Vec<Override>;
    lineage(&'a Filter, u32) -> Vec<Lineage>;
    policy(&'a str) -> Option<Revision>;
    revisions(&'a str, u32) -> Vec<Revision>;
    events(i64, u32) -> Vec<Event>;
    timeline(&'a str, &'a str, Option<i64>, bool, u32) -> Vec<Event>;
    last_event() -> i64;
    claim(&'a str, Millis, Millis, u32) -> Vec<Claimed>;
    settle(Uuid, Tried, Millis) -> ();
    deliveries(Option<Progress>, Option<&'a str>, Option<Uuid>, u32) -> Vec<Posted>;
    retry(Uuid, Millis) -> bool;
    cursor(&'a str) -> Option<i64>;
    advance(&'a str, i64) -> ();
    prune(Retention, Millis) -> u64;
    bytes() -> u64;
}
