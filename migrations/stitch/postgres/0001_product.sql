-- Cuts and mixes: what was asked for, and how it ended. Written together with the product's events.
CREATE TABLE product (
  key          TEXT   NOT NULL PRIMARY KEY,
  kind         TEXT   NOT NULL CHECK (kind IN ('cut', 'mix')),
  job_id       BIGINT NOT NULL,
  digest       TEXT,             -- none for a key that was canceled before it was asked for
  input        TEXT,             -- what it is made of, as JSON; none likewise
  state        TEXT   NOT NULL CHECK (state IN ('waiting', 'ready', 'failed', 'canceled')),
  attempts     BIGINT NOT NULL,  -- that failed
  due_at       TEXT   NOT NULL,  -- of the next attempt
  video        TEXT,             -- blob references, as JSON
  poster       TEXT,
  duration_ms  BIGINT,
  reason       TEXT,
  traceparent  TEXT,             -- of the request
  requested_at TEXT   NOT NULL,
  working      BIGINT NOT NULL   -- 1 while somebody is at it, as far as is known; coordination only
);

-- What is left to do, in order.
CREATE INDEX product_waiting ON product (due_at) WHERE state = 'waiting';
