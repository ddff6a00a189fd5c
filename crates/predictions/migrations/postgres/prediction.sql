-- What this service buys at the provider. `state` is the fold of the order's events; the other columns are what
-- the runner searches by. A key that was canceled before it was ordered has a row too: the tombstone.
CREATE TABLE prediction_order (
  key          TEXT    NOT NULL PRIMARY KEY,
  digest       TEXT    NOT NULL, -- empty in a tombstone
  campaign_id  TEXT    NOT NULL,
  phase        TEXT    NOT NULL CHECK (phase IN ('waiting', 'active', 'settled')),
  not_before   TEXT    NOT NULL, -- of the next attempt, while waiting
  placed_at    TEXT    NOT NULL,
  revision     BIGINT  NOT NULL, -- grows with every change: two writers of one order, one wins
  request      TEXT    NOT NULL, -- correlation id and trace context of the request that placed it
  state        TEXT    NOT NULL
);
CREATE INDEX prediction_order_by_phase ON prediction_order (phase, placed_at);

-- One row per attempt, written before the provider is called. It occupies a slot of the account until it is
-- known to be over at the provider, whoever wrote it and whether or not that process still lives.
CREATE TABLE prediction_attempt (
  id             TEXT NOT NULL PRIMARY KEY,
  order_key      TEXT NOT NULL REFERENCES prediction_order (key),
  campaign_id    TEXT NOT NULL,
  intended_at    TEXT NOT NULL,
  prediction_id  TEXT UNIQUE,
  over_at        TEXT
);
CREATE INDEX prediction_attempt_open ON prediction_attempt (campaign_id) WHERE over_at IS NULL;
CREATE INDEX prediction_attempt_by_campaign ON prediction_attempt (campaign_id, intended_at);
