//! A store in memory, until the real one is here.

use rollout_judge::domain::{
    Change, Chunk, Claimed, Draft, Event, Filter, Kept as Done, Line, Lineage, Millis, Override,
    Posted, Progress, Question, Record, Retention, Revision, RolloutState, Standing, StoreError,
    Tried, VerdictStore, store::Stored,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};
use uuid::Uuid;

#[derive(Default)]
pub struct Inside {
    records: BTreeMap<Uuid, Record>,
    states: BTreeMap<(String, String), (i64, RolloutState)>,
    overrides: Vec<Override>,
    pub events: Vec<Event>,
    seq: i64,
    pub down: bool,
}

#[derive(Default)]
pub struct Kept(Mutex<Inside>);

impl Kept {
    pub fn open(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    fn with<'a, T: Send + 'a>(
        &'a self,
        act: impl FnOnce(&mut Inside) -> Result<T, StoreError> + Send + 'a,
    ) -> Stored<'a, T> {
        Box::pin(async move {
            let mut inside = self.open();
            if inside.down {
                return Err(StoreError::Unavailable {
                    detail: "as told".into(),
                });
            }
            act(&mut inside)
        })
    }
}

fn log(inside: &mut Inside, events: Vec<Event>) -> Vec<Event> {
    let mut out = Vec::new();
    for mut event in events {
        if inside.events.iter().any(|e| e.id == event.id) {
            continue;
        }
        inside.seq += 1;
        event.seq = inside.seq;
        inside.events.push(event.clone());
        out.push(event);
    }
    out
}

fn fits(filter: &Filter, record: &Record) -> bool {
    let (verdict, question) = (&record.verdict, &record.question);
    let is = |wanted: &Option<String>, word: &str| wanted.as_ref().is_none_or(|w| w == word);
    let mut labels = question.params.clone();
    labels.extend(question.labels.clone());
    filter
        .visible
        .as_ref()
        .is_none_or(|v| v.contains(&verdict.rollout.namespace))
        && is(&filter.namespace, &verdict.rollout.namespace)
        && is(&filter.rollout, &verdict.rollout.name)
        && is(&filter.policy, &verdict.policy)
        && is(&filter.canary_hash, &verdict.rollout.canary_hash)
        && filter.outcome.is_none_or(|o| o == verdict.outcome)
        && filter.since.is_none_or(|t| question.at >= t)
        && filter.until.is_none_or(|t| question.at < t)
        && filter.labels.iter().all(|(k, v)| labels.get(k) == Some(v))
}

fn line(record: &Record) -> Line {
    let verdict = record.verdict.clone();
    Line {
        id: verdict.id,
        at: record.question.at,
        rollout: verdict.rollout,
        policy: verdict.policy,
        revision: verdict.revision,
        outcome: verdict.outcome,
        score: verdict.score,
        weight: verdict.weight,
        reason: verdict.reason,
    }
}

fn unused<'a, T: Send + 'a>() -> Stored<'a, T> {
    Box::pin(async { panic!("not for these tests") })
}

impl VerdictStore for Kept {
    fn recall<'a>(&'a self, _: &'a Question, _: &'a str, _: Uuid) -> Stored<'a, Standing> {
        unused()
    }
    fn keep(&self, draft: Draft) -> Stored<'_, Done> {
        self.with(move |inside| {
            let record = Record {
                verdict: draft.verdict,
                question: draft.question,
                inputs: draft.inputs,
                run: draft.run,
                kept_at: draft.kept_at,
            };
            inside.records.insert(record.verdict.id, record);
            if let Some(state) = draft.state {
                let key = (state.namespace.clone(), state.name.clone());
                inside.states.insert(key, (draft.version + 1, state));
            }
            Ok(Done::Written(log(inside, draft.events)))
        })
    }
    fn change(&self, change: Change) -> Stored<'_, Vec<Event>> {
        self.with(move |inside| {
            if let Some((version, state)) = change.state {
                let key = (state.namespace.clone(), state.name.clone());
                let known = inside.states.get(&key).map_or(0, |s| s.0);
                if known != version {
                    return Err(StoreError::Stale);
                }
                inside.states.insert(key, (version + 1, state));
            }
            if let Some(ruling) = change.ruling {
                inside.overrides.retain(|o| o.id != ruling.id);
                inside.overrides.insert(0, ruling);
            }
            Ok(log(inside, change.events))
        })
    }
    fn record(&self, id: Uuid) -> Stored<'_, Option<Record>> {
        self.with(move |inside| Ok(inside.records.get(&id).cloned()))
    }
    fn chunks(&self, _: Uuid) -> Stored<'_, Vec<Chunk>> {
        unused()
    }
    fn history<'a>(
        &'a self,
        filter: &'a Filter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Stored<'a, Vec<Line>> {
        self.with(move |inside| {
            let all = inside.records.values().rev();
            let some = all.filter(|r| before.is_none_or(|b| r.verdict.id < b) && fits(filter, r));
            Ok(some.map(line).take(limit as usize).collect())
        })
    }
    fn rollouts<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<(&'a str, &'a str)>,
        limit: u32,
    ) -> Stored<'a, Vec<RolloutState>> {
        self.with(move |inside| {
            let is = |w: &Option<String>, word: &str| w.as_ref().is_none_or(|w| w == word);
            let states = inside.states.values().map(|(_, s)| s).filter(|s| {
                after.is_none_or(|a| (s.namespace.as_str(), s.name.as_str()) > a)
                    && is(&filter.namespace, &s.namespace)
                    && is(&filter.policy, &s.policy)
                    && filter.outcome.is_none_or(|o| o == s.outcome)
                    && filter
                        .visible
                        .as_ref()
                        .is_none_or(|v| v.contains(&s.namespace))
            });
            Ok(states.take(limit as usize).cloned().collect())
        })
    }
    fn rollout<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> Stored<'a, Option<(i64, RolloutState)>> {
        let key = (namespace.to_owned(), name.to_owned());
        self.with(move |inside| Ok(inside.states.get(&key).cloned()))
    }
    fn overrides<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        limit: u32,
    ) -> Stored<'a, Vec<Override>> {
        self.with(move |inside| {
            let all = inside.overrides.iter();
            let some = all.filter(|o| o.namespace == namespace && o.name == name);
            let mut some: Vec<_> = some.cloned().collect();
            some.sort_by_key(|o| std::cmp::Reverse((o.at, o.id)));
            some.truncate(limit as usize);
            Ok(some)
        })
    }
    fn lineage<'a>(&'a self, filter: &'a Filter, limit: u32) -> Stored<'a, Vec<Lineage>> {
        self.with(move |inside| {
            let mut found: BTreeMap<(String, String, String), Lineage> = BTreeMap::new();
            let (key, value) = filter.labels.first_key_value().unwrap();
            for record in inside.records.values().filter(|r| fits(filter, r)) {
                let (rollout, at) = (&record.verdict.rollout, record.question.at);
                let place = (
                    rollout.namespace.clone(),
                    rollout.name.clone(),
                    rollout.canary_hash.clone(),
                );
                let row = found.entry(place).or_insert_with(|| Lineage {
                    key: key.clone(),
                    value: value.clone(),
                    namespace: rollout.namespace.clone(),
                    rollout: rollout.name.clone(),
                    canary_hash: rollout.canary_hash.clone(),
                    first: at,
                    last: at,
                    verdict: record.verdict.id,
                });
                (row.last, row.verdict) = (at, record.verdict.id);
            }
            let mut rows: Vec<_> = found.into_values().collect();
            rows.sort_by_key(|r| std::cmp::Reverse(r.last));
            rows.truncate(limit as usize);
            Ok(rows)
        })
    }
    fn policy<'a>(&'a self, _: &'a str) -> Stored<'a, Option<Revision>> {
        unused()
    }
    fn revisions<'a>(&'a self, _: &'a str, _: u32) -> Stored<'a, Vec<Revision>> {
        unused()
    }
    fn events(&self, after: i64, limit: u32) -> Stored<'_, Vec<Event>> {
        self.with(move |inside| {
            let all = inside.events.iter().filter(|e| e.seq > after);
            Ok(all.take(limit as usize).cloned().collect())
        })
    }
    fn timeline<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        before: Option<i64>,
        changes: bool,
        limit: u32,
    ) -> Stored<'a, Vec<Event>> {
        self.with(move |inside| {
            let all = inside.events.iter().rev().filter(|e| {
                e.namespace == namespace
                    && e.rollout == name
                    && before.is_none_or(|b| e.seq < b)
                    && !(changes && e.kind == rollout_judge::domain::EventKind::Verdict)
            });
            Ok(all.take(limit as usize).cloned().collect())
        })
    }
    fn last_event(&self) -> Stored<'_, i64> {
        self.with(|inside| Ok(inside.seq))
    }
    fn claim<'a>(&'a self, _: &'a str, _: Millis, _: Millis, _: u32) -> Stored<'a, Vec<Claimed>> {
        unused()
    }
    fn settle(&self, _: Uuid, _: Tried, _: Millis) -> Stored<'_, ()> {
        unused()
    }
    fn deliveries<'a>(
        &'a self,
        _: Option<Progress>,
        _: Option<&'a str>,
        _: Option<Uuid>,
        _: u32,
    ) -> Stored<'a, Vec<Posted>> {
        unused()
    }
    fn retry(&self, _: Uuid, _: Millis) -> Stored<'_, bool> {
        unused()
    }
    fn cursor<'a>(&'a self, _: &'a str) -> Stored<'a, Option<i64>> {
        unused()
    }
    fn advance<'a>(&'a self, _: &'a str, _: i64) -> Stored<'a, ()> {
        unused()
    }
    fn prune(&self, retention: Retention, now: Millis) -> Stored<'_, u64> {
        self.with(move |inside| {
            inside.events.retain(|e| e.at >= now - retention.max_age);
            Ok(1)
        })
    }
    fn bytes(&self) -> Stored<'_, u64> {
        unused()
    }
    fn ping(&self) -> Stored<'_, ()> {
        self.with(|_| Ok(()))
    }
}
