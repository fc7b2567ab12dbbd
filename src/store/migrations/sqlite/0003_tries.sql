-- How long the last try of a delivery took, and whether it was put off since: that is no try.
ALTER TABLE deliveries ADD COLUMN took INTEGER;
ALTER TABLE deliveries ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
UPDATE deliveries SET held = 1, tries = 0, error = NULL
    WHERE progress = 'pending' AND error LIKE 'held: the rollout flaps, or an earlier message %';

-- What became of the last messages to a receiver.
CREATE INDEX deliveries_receiver ON deliveries (receiver, progress, place);
