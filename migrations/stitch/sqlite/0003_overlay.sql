-- A video with a text over it is a product, too. SQLite cannot change a CHECK: the rows move to a new table.
CREATE TABLE product_of_three (
  key          TEXT   NOT NULL PRIMARY KEY,
  kind         TEXT   NOT NULL CHECK (kind IN ('cut', 'mix', 'overlay')),
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

INSERT INTO product_of_three SELECT key, kind, job_id, digest, input, state, attempts, due_at, video, poster,
  duration_ms, reason, traceparent, requested_at, working FROM product;

DROP TABLE product;

ALTER TABLE product_of_three RENAME TO product;

-- What is left to do, in order.
CREATE INDEX product_waiting ON product (due_at) WHERE state = 'waiting';
