-- Verdicts: what history shows. Bodies lie apart, so that pages of history read small rows.
CREATE TABLE verdicts (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    rollout TEXT NOT NULL,
    canary_hash TEXT NOT NULL,
    stable_hash TEXT NOT NULL,
    policy TEXT NOT NULL,
    revision TEXT NOT NULL,
    outcome TEXT NOT NULL,
    score REAL,
    weight REAL,
    reason TEXT NOT NULL,
    run BLOB,
    size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX verdicts_rollout ON verdicts (namespace, rollout, id);
CREATE INDEX verdicts_namespace ON verdicts (namespace, id);
CREATE INDEX verdicts_policy ON verdicts (policy, id);
CREATE INDEX verdicts_outcome ON verdicts (outcome, id);
CREATE INDEX verdicts_canary ON verdicts (canary_hash, id);
CREATE INDEX verdicts_kept ON verdicts (kept_at);
CREATE INDEX verdicts_run ON verdicts (run) WHERE run IS NOT NULL;

CREATE TABLE bodies (
    id BLOB NOT NULL PRIMARY KEY REFERENCES verdicts (id) ON DELETE CASCADE,
    body BLOB NOT NULL,
    inputs BLOB NOT NULL
) STRICT;

-- Readings and their blocks.
CREATE TABLE runs (
    run BLOB NOT NULL PRIMARY KEY,
    newest INTEGER NOT NULL,
    size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_newest ON runs (newest);

CREATE TABLE chunks (
    run BLOB NOT NULL REFERENCES runs (run) ON DELETE CASCADE,
    part INTEGER NOT NULL,
    first_block INTEGER NOT NULL,
    last_block INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (run, part, first_block)
) STRICT;

-- Revisions of policies that have judged.
CREATE TABLE policies (
    revision TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL
) STRICT;
CREATE INDEX policies_name ON policies (name, oldest);

-- The present state of each rollout; `version` goes up with each change.
CREATE TABLE rollouts (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    at INTEGER,
    policy TEXT,
    canary_hash TEXT,
    outcome TEXT,
    state TEXT,
    PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX rollouts_kept ON rollouts (kept_at);

-- Fails that stay.
CREATE TABLE latches (
    namespace TEXT NOT NULL,
    rollout TEXT NOT NULL,
    canary_hash TEXT NOT NULL,
    policy TEXT NOT NULL,
    revision TEXT NOT NULL,
    at INTEGER NOT NULL,
    verdict BLOB NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (namespace, rollout, canary_hash, policy, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX latches_at ON latches (at);

CREATE TABLE overrides (
    id BLOB NOT NULL PRIMARY KEY,
    namespace TEXT NOT NULL,
    rollout TEXT NOT NULL,
    canary_hash TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX overrides_rollout ON overrides (namespace, rollout, at, id);
CREATE INDEX overrides_expires ON overrides (expires);

-- Which version had which param or label.
CREATE TABLE lineage (
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    namespace TEXT NOT NULL,
    rollout TEXT NOT NULL,
    canary_hash TEXT NOT NULL,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    verdict BLOB NOT NULL,
    PRIMARY KEY (label, value, namespace, rollout, canary_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_value ON lineage (label, value, newest);
CREATE INDEX lineage_rollout ON lineage (namespace, rollout, newest);
CREATE INDEX lineage_newest ON lineage (newest);

-- The log. AUTOINCREMENT: a place is never used twice.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    kept_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    namespace TEXT NOT NULL,
    rollout TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX events_rollout ON events (namespace, rollout, seq);
CREATE INDEX events_changes ON events (namespace, rollout, seq) WHERE kind <> 'verdict';
CREATE INDEX events_kept ON events (kept_at);

CREATE TABLE deliveries (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    event BLOB NOT NULL REFERENCES events (id),
    verdict BLOB,
    receiver TEXT NOT NULL,
    queue TEXT NOT NULL,
    due INTEGER NOT NULL,
    progress TEXT NOT NULL,
    tries INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    tried_at INTEGER,
    error TEXT,
    leased_until INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_waiting ON deliveries (receiver, queue, place) WHERE progress = 'pending';
CREATE INDEX deliveries_progress ON deliveries (progress, place);
CREATE INDEX deliveries_event ON deliveries (event);
CREATE INDEX deliveries_verdict ON deliveries (verdict) WHERE verdict IS NOT NULL;
CREATE INDEX deliveries_settled ON deliveries (queued_at) WHERE progress <> 'pending';

-- How far the readers of the log have come.
CREATE TABLE cursors (
    reader TEXT NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
