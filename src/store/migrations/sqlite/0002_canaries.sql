-- A page about one canary, and whether a verdict about it is still kept.
CREATE INDEX verdicts_of_canary ON verdicts (namespace, rollout, canary_hash, id);

-- A timeline leaves out plain verdicts and messages that arrived.
DROP INDEX events_changes;
CREATE INDEX events_changes ON events (namespace, rollout, seq) WHERE kind <> 'verdict' AND kind <> 'delivered';
