-- Texts are ordered by their bytes, as in SQLite.
-- Verdicts: what history shows. Bodies lie apart, so that pages of history read small rows.
CREATE TABLE verdicts (
    id BYTEA NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kept_at BIGINT NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    rollout TEXT COLLATE "C" NOT NULL,
    canary_hash TEXT COLLATE "C" NOT NULL,
    stable_hash TEXT COLLATE "C" NOT NULL,
    policy TEXT COLLATE "C" NOT NULL,
    revision TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    score DOUBLE PRECISION,
    weight DOUBLE PRECISION,
    reason TEXT COLLATE "C" NOT NULL,
    run BYTEA,
    size BIGINT NOT NULL
);
CREATE INDEX verdicts_rollout ON verdicts (namespace, rollout, id);
CREATE INDEX verdicts_namespace ON verdicts (namespace, id);
CREATE INDEX verdicts_policy ON verdicts (policy, id);
CREATE INDEX verdicts_outcome ON verdicts (outcome, id);
CREATE INDEX verdicts_canary ON verdicts (canary_hash, id);
CREATE INDEX verdicts_kept ON verdicts (kept_at);
CREATE INDEX verdicts_run ON verdicts (run) WHERE run IS NOT NULL;

CREATE TABLE bodies (
    id BYTEA NOT NULL PRIMARY KEY REFERENCES verdicts (id) ON DELETE CASCADE,
    body BYTEA NOT NULL,
    inputs BYTEA NOT NULL
);

-- Readings and their blocks.
CREATE TABLE runs (
    run BYTEA NOT NULL PRIMARY KEY,
    newest BIGINT NOT NULL,
    size BIGINT NOT NULL
);
CREATE INDEX runs_newest ON runs (newest);

CREATE TABLE chunks (
    run BYTEA NOT NULL REFERENCES runs (run) ON DELETE CASCADE,
    part BIGINT NOT NULL,
    first_block BIGINT NOT NULL,
    last_block BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    PRIMARY KEY (run, part, first_block)
);

-- Revisions of policies that have judged.
CREATE TABLE policies (
    revision TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    oldest BIGINT NOT NULL,
    newest BIGINT NOT NULL
);
CREATE INDEX policies_name ON policies (name, oldest);

-- The present state of each rollout; `version` goes up with each change.
CREATE TABLE rollouts (
    namespace TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    kept_at BIGINT NOT NULL,
    at BIGINT,
    policy TEXT COLLATE "C",
    canary_hash TEXT COLLATE "C",
    outcome TEXT COLLATE "C",
    state TEXT COLLATE "C",
    PRIMARY KEY (namespace, name)
);
CREATE INDEX rollouts_kept ON rollouts (kept_at);

-- Fails that stay.
CREATE TABLE latches (
    namespace TEXT COLLATE "C" NOT NULL,
    rollout TEXT COLLATE "C" NOT NULL,
    canary_hash TEXT COLLATE "C" NOT NULL,
    policy TEXT COLLATE "C" NOT NULL,
    revision TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    verdict BYTEA NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (namespace, rollout, canary_hash, policy, revision)
);
CREATE INDEX latches_at ON latches (at);

CREATE TABLE overrides (
    id BYTEA NOT NULL PRIMARY KEY,
    namespace TEXT COLLATE "C" NOT NULL,
    rollout TEXT COLLATE "C" NOT NULL,
    canary_hash TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX overrides_rollout ON overrides (namespace, rollout, at, id);
CREATE INDEX overrides_expires ON overrides (expires);

-- Which version had which param or label.
CREATE TABLE lineage (
    label TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    rollout TEXT COLLATE "C" NOT NULL,
    canary_hash TEXT COLLATE "C" NOT NULL,
    oldest BIGINT NOT NULL,
    newest BIGINT NOT NULL,
    verdict BYTEA NOT NULL,
    PRIMARY KEY (label, value, namespace, rollout, canary_hash)
);
CREATE INDEX lineage_value ON lineage (label, value, newest);
CREATE INDEX lineage_rollout ON lineage (namespace, rollout, newest);
CREATE INDEX lineage_newest ON lineage (newest);

-- The log. Places are given under a shared lock that readers wait for: see `settled`.
CREATE TABLE events (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    kept_at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    rollout TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE INDEX events_rollout ON events (namespace, rollout, seq);
CREATE INDEX events_changes ON events (namespace, rollout, seq) WHERE kind <> 'verdict';
CREATE INDEX events_kept ON events (kept_at);

CREATE TABLE deliveries (
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    event BYTEA NOT NULL REFERENCES events (id),
    verdict BYTEA,
    receiver TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    due BIGINT NOT NULL,
    progress TEXT COLLATE "C" NOT NULL,
    tries BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    tried_at BIGINT,
    error TEXT COLLATE "C",
    leased_until BIGINT NOT NULL
);
CREATE INDEX deliveries_waiting ON deliveries (receiver, queue, place) WHERE progress = 'pending';
CREATE INDEX deliveries_progress ON deliveries (progress, place);
CREATE INDEX deliveries_event ON deliveries (event);
CREATE INDEX deliveries_verdict ON deliveries (verdict) WHERE verdict IS NOT NULL;
CREATE INDEX deliveries_settled ON deliveries (queued_at) WHERE progress <> 'pending';

-- How far the readers of the log have come.
CREATE TABLE cursors (
    reader TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL
);
